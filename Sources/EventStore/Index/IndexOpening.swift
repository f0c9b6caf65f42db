package import EventModel
import Sodium
package import Storage
import Synchronization

// What happens when the index is opened, and when months have passed.

extension EventIndex {
  /// Reads the directory and the fences, and removes what an interrupted merge has left.
  func open() throws(StorageError) {
    let entries = try readDirectory()
    var segments: [Segment] = []
    var unreadable: [SegmentEntry] = []
    for entry in entries {
      guard let key = key(of: entry.bucket) else {
        unreadable.append(entry)
        continue
      }
      segments.append(
        try tables.read { (view: borrowing IndexView) throws(StorageError) in
          try Segment.open(entry, key: key, in: view)
        })
    }
    let readable = segments
    let rest = unreadable
    state.withLock { $0.segments = readable }
    maintenance.withLock { $0.unreadable = rest }
    try removeOrphans(known: Set(entries.map(\.id)))
  }

  /// Removes the segments of the buckets that `isExpired`, whose keys the caller has destroyed.
  ///
  /// They are not found from now on. Postings of such a bucket that are still in a tail stay until
  /// the next flush, which drops them for want of a key.
  package func removeBuckets(_ isExpired: (Bucket) -> Bool) throws(StorageError) {
    try maintenance.withLock { maintenance throws(StorageError) in
      if let bucket = maintenance.merge?.bucket, isExpired(bucket) {
        try abandonMerge(&maintenance)
      }
      let expired = state.withLock { state in
        let expired = state.segments.filter { isExpired($0.entry.bucket) }
        state.segments.removeAll { isExpired($0.entry.bucket) }
        return expired
      }
      for segment in expired { segment.isRemoved.store(true, ordering: .releasing) }
      forgetKeys(isExpired)
      reader.cache.removeAll()
      let unreadable = maintenance.unreadable.filter { isExpired($0.bucket) }
      // Unless it commits they stay on the list, and on the disk for the next start to pass over.
      maintenance.unreadable += expired.map(\.entry)
      for entry in unreadable + expired.map(\.entry) {
        try tables.write { (transaction: inout IndexTransaction) throws(StorageError) in
          try Segment.remove(entry, in: &transaction)
        }
        maintenance.unreadable.removeAll { $0.id == entry.id }
      }
    }
  }

  private func readDirectory() throws(StorageError) -> [SegmentEntry] {
    try tables.read { (view: borrowing IndexView) throws(StorageError) in
      var entries: [SegmentEntry] = []
      var isIntact = true
      try view.scan(.directory) { key, value in
        guard key.count == 8,
          let entry = SegmentEntry.open(
            value, id: key.bigEndian(at: 0, bytes: 8), key: indexKey)
        else {
          isIntact = false
          return false
        }
        entries.append(entry)
        return true
      }
      guard isIntact else { throw .corrupt }
      return entries.sorted { $0.firstSequence < $1.firstSequence }
    }
  }

  /// Blocks without an entry in the directory: a merge was interrupted.
  func removeOrphans(known: Set<UInt64>) throws(StorageError) {
    var next: UInt64? = 0
    while let from = next {
      guard let id = try firstSegment(from: from) else { return }
      if known.contains(id) {
        next = id == .max ? nil : id + 1
        continue
      }
      do { try removeSomeBlocks(of: id) } catch {
        // A copy that is only looked at keeps them; nothing reads them.
        guard error == .readOnly else { throw error }
        next = id == .max ? nil : id + 1
      }
    }
  }

  /// The least segment id of at least `id` that has a block.
  private func firstSegment(from id: UInt64) throws(StorageError) -> UInt64? {
    try tables.read { (view: borrowing IndexView) throws(StorageError) in
      var found: UInt64?
      try view.scan(.blocks, from: SegmentCodec.place(id, 0).span) { key, _ in
        if key.count == 12 { found = key.bigEndian(at: 0, bytes: 8) }
        return false
      }
      return found
    }
  }

  /// Removes at most 4,096 blocks of a segment, which bounds the transaction.
  private func removeSomeBlocks(of id: UInt64) throws(StorageError) {
    var numbers: [UInt32] = []
    try tables.read { (view: borrowing IndexView) throws(StorageError) in
      try view.scan(.blocks, from: SegmentCodec.place(id, 0).span) { key, _ in
        guard key.count == 12, key.bigEndian(at: 0, bytes: 8) == id else { return false }
        numbers.append(UInt32(key.bigEndian(at: 8, bytes: 4)))
        return numbers.count < 4_096
      }
    }
    try tables.write { (transaction: inout IndexTransaction) throws(StorageError) in
      for number in numbers {
        try transaction.remove(SegmentCodec.place(id, number).span, from: .blocks)
      }
    }
  }
}
