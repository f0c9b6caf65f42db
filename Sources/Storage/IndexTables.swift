import EventModel
import LMDB

/// `index/`: the segments' directory, their blocks, the states reached and the
/// tiles of the Merkle logs; derived from the log.
package final class IndexTables: Sendable {
  /// The most that the file may grow to.
  package static let mapBytes = 1 << 40

  private let environment: TableEnvironment

  private init(_ environment: TableEnvironment) { self.environment = environment }

  /// Opens the tables; an I/O failure later makes them refuse writes until they are opened again.
  package static func open(_ directory: DataDirectory) throws(StorageError) -> IndexTables {
    IndexTables(
      try TableEnvironment(
        directory, name: "index", mapBytes: mapBytes,
        tables: ["directory", "blocks", "state", "tiles"]))
  }

  /// Runs `body` on one consistent view.
  package func read<Result, Failure: StorageFailure>(
    _ body: (borrowing IndexView) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let tables = environment.tables
    return try environment.read { base throws(Failure) in try body(IndexView(base, tables)) }
  }

  /// Runs `body` and commits all of what it wrote with one fsync, or nothing.
  package func write<Result, Failure: StorageFailure>(
    _ body: (inout IndexTransaction) throws(Failure) -> Result
  ) throws(Failure) -> Result { try environment.write(body) }

  /// Throws `.noSpace` when the device has no room for so many bytes; half of the reserve that appends
  /// leave may be used.
  package func checkRoom(for bytes: Int) throws(StorageError) {
    try environment.checkRoom(for: bytes, reserve: Limits.reserveBytes / 2)
  }

  /// Empties every table, before the index is built anew from the log.
  package func removeAll() throws(StorageError) {
    try write { (transaction: inout IndexTransaction) throws(StorageError) in
      try transaction.removeAll()
    }
  }

  /// Bytes in use by the file.
  package var usedBytes: Int { environment.usedBytes }
}

/// The tables of `index/`.
package enum IndexTable: Int, Sendable {
  /// Segment id -> sealed entry.
  case directory = 0
  /// Segment id, block number -> sealed block.
  case blocks = 1
  /// Label -> sealed state.
  case state = 2
  /// Label -> sealed tile.
  case tiles = 3
}

/// A consistent view of the index; what it lends is valid while it lives.
package struct IndexView: ~Copyable {
  private let base: ReadTransaction
  private let tables: [Table]

  fileprivate init(_ base: consuming ReadTransaction, _ tables: [Table]) {
    self.base = base
    self.tables = tables
  }

  /// The value of `key`, or nil.
  @_lifetime(borrow self)
  package borrowing func value(
    _ key: Span<UInt8>, in table: IndexTable
  ) throws(StorageError) -> Span<UInt8>? {
    do { return try base.value(of: key, in: tables[table.rawValue]) } catch {
      throw StorageError(error)
    }
  }

  /// Calls `body` with the entries from `key` on (nil: from the first), until it returns false.
  package borrowing func scan(
    _ table: IndexTable, from key: Span<UInt8>? = nil,
    _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Bool
  ) throws(StorageError) { try Storage.scan(base, tables[table.rawValue], from: key, body) }

  /// How many entries a table has.
  package borrowing func count(_ table: IndexTable) throws(StorageError) -> Int {
    do { return try base.count(tables[table.rawValue]) } catch { throw StorageError(error) }
  }
}

/// A change of the index.
package struct IndexTransaction: ~Copyable, TableTransaction {
  private var base: WriteTransaction
  private let environment: TableEnvironment

  init(_ base: consuming WriteTransaction, _ environment: TableEnvironment) {
    self.base = base
    self.environment = environment
  }

  consuming func ended() -> WriteTransaction { base }

  static var commitPoints: (before: StaticString, after: StaticString) {
    ("index.commit.before", "index.commit.after")
  }

  /// Writes `value` under `key`, over the one that was there.
  package mutating func put(
    _ value: Span<UInt8>, for key: Span<UInt8>, in table: IndexTable
  ) throws(StorageError) {
    do { try base.put(value, for: key, in: environment.tables[table.rawValue]) } catch {
      throw environment.failed(error)
    }
  }

  /// Removes `key`; true when it was there.
  @discardableResult
  package mutating func remove(
    _ key: Span<UInt8>, from table: IndexTable
  ) throws(StorageError) -> Bool {
    do { return try base.remove(key, from: environment.tables[table.rawValue]) } catch {
      throw environment.failed(error)
    }
  }

  fileprivate mutating func removeAll() throws(StorageError) {
    do { for table in environment.tables { try base.removeAll(table) } } catch {
      throw environment.failed(error)
    }
  }
}
