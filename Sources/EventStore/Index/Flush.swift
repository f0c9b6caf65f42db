package import EventModel
import Sodium
package import Storage
import Synchronization
package import TransparencyLog

// Tails become segments.

/// What a flush writes of a tenant.
package struct TenantFlush: Sendable {
  package let number: TenantNumber
  /// At most 1,600 bytes.
  package let state: [UInt8]
  /// What its log has more than its tiles.
  package let leaves: LogTail

  package init(number: TenantNumber, state: [UInt8], leaves: LogTail) {
    self.number = number
    self.state = state
    self.leaves = leaves
  }
}

extension EventIndex {
  /// Sets the tail aside for ``flush(state:tenants:)`` and begins an empty one.
  ///
  /// False when a frozen one waits already or there is nothing; what `state` describes must be the
  /// moment of this call.
  @discardableResult
  package func freeze() -> Bool {
    let next = Tail(termCount: state.withLock { $0.tail.terms.count })
    return state.withLock { state in
      guard state.frozen == nil, state.tail.count > 0 else { return false }
      state.frozen = state.tail
      state.tail = next
      return true
    }
  }

  /// Writes the frozen tail as segments, a bucket each, the states and what was added to the tenants'
  /// logs, in one transaction.
  ///
  /// When it throws nothing was stored (`.ioFailure`: unknown, and the same once it is opened
  /// again); the frozen tail still serves reads and the next call tries again. Without a frozen
  /// tail only the states are written.
  package func flush(
    state reached: FlushState, tenants: [TenantFlush]
  ) throws(StorageError) {
    try maintenance.withLock { _ throws(StorageError) in
      let frozen = state.withLock { $0.frozen }
      var written: [Segment] = []
      try tables.write { (transaction: inout IndexTransaction) throws(StorageError) in
        if let frozen {
          for bucket in frozen.buckets {
            // A bucket without a key has passed: nobody may find its postings any more.
            guard let key = key(of: bucket) else { continue }
            if let segment = try write(frozen, bucket, key, in: &transaction) {
              written.append(segment)
            }
          }
        }
        for tenant in tenants {
          try IndexState.put(tenant.state, of: tenant.number, indexKey: indexKey, in: &transaction)
          try write(tenant.leaves, of: tenant.number, in: &transaction)
        }
        try IndexState.put(reached, indexKey: indexKey, in: &transaction)
      }
      let segments = written
      state.withLock { state in
        state.segments += segments
        state.frozen = nil
      }
    }
  }

  private func write(
    _ tail: Tail, _ bucket: Bucket, _ key: SealingKey, in transaction: inout IndexTransaction
  ) throws(StorageError) -> Segment? {
    var writer = SegmentWriter(bucket: bucket, level: 0, key: key)
    for term in tail.sortedTerms(bucket) {
      let tag = tail.terms[term].tag
      try tail.forEachPosting(ofTerm: term) { posting throws(StorageError) in
        try writer.append(tag, posting, in: &transaction)
      }
    }
    return try writer.finish(indexKey: indexKey, in: &transaction)
  }
}

extension Tail {
  /// The numbers of a bucket's terms, ascending by tag.
  ///
  /// Tags are uniform (a keyed hash under secret keys), so one distribution by their upper bits
  /// leaves a handful in each place, and a pass of insertions orders those.
  func sortedTerms(_ bucket: Bucket) -> [Int] {
    var keys: [(tag: UInt64, term: UInt32)] = []
    for (index, term) in terms.enumerated() where term.bucket == bucket.number {
      keys.append((term.tag, UInt32(index)))
    }
    guard keys.count > 1 else { return keys.map { Int($0.term) } }
    let bits = max(1, min(20, Int.bitWidth - keys.count.leadingZeroBitCount - 2))
    let shift = UInt64(64 - bits)
    var starts = [Int](repeating: 0, count: 1 << bits + 1)
    for key in keys { starts[Int(key.tag >> shift) + 1] += 1 }
    for index in 1..<starts.count { starts[index] += starts[index - 1] }
    var sorted = [(tag: UInt64, term: UInt32)](repeating: (0, 0), count: keys.count)
    for key in keys {
      let place = Int(key.tag >> shift)
      sorted[starts[place]] = key
      starts[place] += 1
    }
    for index in 1..<sorted.count {
      let key = sorted[index]
      var place = index
      while place > 0, sorted[place - 1].tag > key.tag {
        sorted[place] = sorted[place - 1]
        place -= 1
      }
      sorted[place] = key
    }
    return sorted.map { Int($0.term) }
  }
}
