import EventModel
import LMDB
import Synchronization

/// Following the keyring's tables elsewhere, and being such a follower.
extension KeyringTables {
  /// From now on commits are noted for ``gap(after:from:)``.
  package func beginJournal() throws(StorageError) {
    let mark = try mark
    journal.withLock { if $0 == nil { $0 = KeyringJournal(mark: mark) } }
  }

  /// The mark of the top node; empty when there is none yet.
  package var mark: [UInt8] {
    get throws(StorageError) {
      try read { (view) throws(StorageError) -> [UInt8] in
        guard let top = try view.node([UInt8](repeating: 0, count: 8).span) else { return [] }
        return KeyringMark.of(top)
      }
    }
  }

  /// What a follower needs to come up to the last commit, or nil when it needs everything.
  ///
  /// It has the top with this mark, or has followed up to a number that was given to it before.
  package func gap(after mark: [UInt8], from number: UInt64?) -> KeyringGap? {
    journal.withLock { journal in
      if let number, let gap = journal?.gap(from: number) { return gap }
      return journal?.gap(after: mark)
    }
  }

  /// Calls `body` with everything that is in the tables, in chunks, of one consistent view.
  package func forEachChunk(
    _ body: ([UInt8]) throws(StorageError) -> Void
  ) throws(StorageError) {
    try read { (view) throws(StorageError) in
      for table in 0..<view.tableCount {
        var changes = KeyringChanges()
        var failure: StorageError?
        try view.scanTable(table) { key, value in
          changes.put(value, for: key, table: table)
          guard let chunk = changes.takeChunk() else { return true }
          do throws(StorageError) { try body(chunk) } catch { failure = error }
          return failure == nil
        }
        if let failure { throw failure }
        changes.finish()
        while let chunk = changes.takeChunk() { try body(chunk) }
      }
    }
  }

  /// Takes the changes that `next` gives until it returns nil, all in one commit.
  ///
  /// They follow on the commit with the mark `base` (`.otherLineage` when the tables are at another), or
  /// are everything there is when it is nil.
  package func follow(
    from base: [UInt8]?, _ next: () throws(StorageError) -> [UInt8]?
  ) throws(StorageError) {
    let own = try mark
    guard base == nil || base == own else { throw .otherLineage }
    try write { (transaction: inout KeyringTransaction) throws(StorageError) in
      if base == nil { try transaction.removeAll() }
      while let chunk = try next() {
        try KeyringChanges.forEach(in: chunk) {
          (table, isPut, key, value) throws(StorageError) in
          try transaction.apply(table, isPut, key, value)
        }
      }
    }
  }
}
