import EventModel
import LMDB

/// What one step of purging changes in `log/`, in one transaction.
package struct PurgeStep: Sendable {
  /// Records that go; their traces lie in ``groups``.
  package var removed: [UInt64] = []
  /// Records that shrink to what is left of them.
  package var shrunk: [(sequence: UInt64, record: [UInt8])] = []
  /// Groups of traces, sealed, in the place of what they were.
  package var groups: [(number: UInt64, sealed: [UInt8])] = []
  /// How far purging has come, sealed; empty: as before.
  package var state: [UInt8] = []

  package init() {}
}

extension LogTables {
  /// Sequences whose traces lie together: 2 to this power.
  package static let traceGroupBits: UInt64 = 8

  /// Takes records out, or most of them, and puts down what is left of them, in one transaction.
  package func purge(_ step: PurgeStep) throws(StorageError) {
    try environment.write { (transaction: inout LogTransaction) throws(StorageError) in
      for sequence in step.removed { try transaction.remove(sequence) }
      for (sequence, record) in step.shrunk {
        // Taken out first, so that pages which have become nearly empty are joined.
        try transaction.remove(sequence)
        try transaction.put(record.span, sequence)
      }
      for (number, sealed) in step.groups { try transaction.putTraces(number, sealed.span) }
      if !step.state.isEmpty { try transaction.putPurgeState(step.state.span) }
    }
  }

  /// Throws `.noSpace` when the device has no room for a step that writes so many bytes.
  ///
  /// Half of what appends leave free is for shreds alone: purging makes room, but not in its own step.
  package func checkRoomToPurge(for bytes: Int) throws(StorageError) {
    try environment.checkRoom(for: 2 * bytes, reserve: Limits.reserveBytes / 2)
  }
}

extension LogView {
  /// The sealed traces of a group of sequences, or nil when none of it was purged.
  @_lifetime(borrow self)
  package borrowing func traces(_ group: UInt64) throws(StorageError) -> Span<UInt8>? {
    do { return try base.value(of: NumberKey(group).bytes.span, in: tables[5]) } catch {
      throw StorageError(error)
    }
  }

  /// Calls `body` with the groups of traces from number `group` on, until it returns false.
  package borrowing func scanTraces(
    from group: UInt64, _ body: (_ number: UInt64, _ sealed: Span<UInt8>) -> Bool
  ) throws(StorageError) {
    let key = NumberKey(group)
    try Storage.scan(base, tables[5], from: key.bytes.span) { key, value in
      guard key.count == 8 else { return false }
      return body(key.bigEndian(at: 0, bytes: 8), value)
    }
  }

  /// At most `limit` sequences of `range` that have a record, ascending.
  package borrowing func sequences(
    in range: Range<UInt64>, limit: Int
  ) throws(StorageError) -> [UInt64] {
    var found: [UInt64] = []
    guard !range.isEmpty, limit > 0 else { return found }
    try scan(from: range.lowerBound) { sequence, _ in
      guard sequence < range.upperBound else { return false }
      found.append(sequence)
      return found.count < limit
    }
    return found
  }

  /// How far purging has come, sealed, or nil when nothing was ever purged.
  @_lifetime(borrow self)
  package borrowing func purgeState() throws(StorageError) -> Span<UInt8>? {
    let key = LogTables.purgeKey
    do { return try base.value(of: key.span, in: tables[1]) } catch {
      throw StorageError(error)
    }
  }
}

extension LogTransaction {
  mutating func put(_ record: Span<UInt8>, _ sequence: UInt64) throws(StorageError) {
    do {
      try base.put(record, for: NumberKey(sequence).bytes.span, in: environment.tables[0])
    } catch { throw environment.failed(error) }
  }

  mutating func putTraces(_ group: UInt64, _ sealed: Span<UInt8>) throws(StorageError) {
    do {
      try base.put(sealed, for: NumberKey(group).bytes.span, in: environment.tables[5])
    } catch { throw environment.failed(error) }
  }

  @discardableResult
  mutating func removeTraces(_ group: UInt64) throws(StorageError) -> Bool {
    do {
      return try base.remove(NumberKey(group).bytes.span, from: environment.tables[5])
    } catch { throw environment.failed(error) }
  }

  mutating func putPurgeState(_ sealed: Span<UInt8>) throws(StorageError) {
    let key = LogTables.purgeKey
    do { try base.put(sealed, for: key.span, in: environment.tables[1]) } catch {
      throw environment.failed(error)
    }
  }
}
