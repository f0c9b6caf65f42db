import EventModel
import LMDB
import Synchronization

/// `keyring/`: sealed key nodes by id, the ledger and the certificates; for Keyring only.
///
/// Ledger entries and certificates commit together with the change that they record.
package final class KeyringTables: Sendable {
  /// The most that the file may grow to.
  package static let mapBytes = 1 << 36

  private let environment: TableEnvironment
  /// Nil while nobody follows.
  let journal = Mutex<KeyringJournal?>(nil)

  private init(_ environment: TableEnvironment) { self.environment = environment }

  /// Opens the tables; an I/O failure later makes them refuse writes until they are opened again.
  package static func open(_ directory: DataDirectory) throws(StorageError) -> KeyringTables {
    KeyringTables(
      try TableEnvironment(
        directory, name: "keyring", mapBytes: mapBytes,
        tables: ["nodes", "ledger", "certificates"]))
  }

  /// Runs `body` on one consistent view.
  package func read<Result, Failure: StorageFailure>(
    _ body: (borrowing KeyringView) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let tables = environment.tables
    return try environment.read { base throws(Failure) in
      try body(KeyringView(base, tables))
    }
  }

  /// Runs `body` and commits all of what it wrote with one fsync, or nothing.
  ///
  /// `bytes` is what it is taken to write, if that is more than a few nodes.
  package func write<Result, Failure: StorageFailure>(
    expecting bytes: Int = 0, _ body: (inout KeyringTransaction) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    do { try environment.checkRoom(for: max(bytes, Self.commitBytes), reserve: 0) } catch {
      throw Failure(error)
    }
    guard journal.withLock({ $0 != nil }) else { return try environment.write(body) }
    var changes = KeyringChanges()
    let result = try environment.write { (transaction: inout KeyringTransaction) throws(Failure) in
      transaction.record()
      let result = try body(&transaction)
      changes = transaction.recorded()
      return result
    }
    journal.withLock { $0?.add(changes) }
    return result
  }

  /// Writes a consistent copy into the directory `path`, in the place of the one that is there.
  ///
  /// Order: the copy beside it, durable -> its pages walked -> renamed. A crash leaves the earlier copy.
  package func copy(toDirectory path: String) throws(StorageError) {
    let (made, name) = (path + "/data.new", path + "/data.mdb")
    try Linux.remove(made)
    let file = try FileDescriptor.create(path: made, size: 0)
    try environment.copy(to: file)
    do { _ = try PageWalk.run(path: made) } catch { throw .corrupt }
    TestHooks.crashPoint("backup.keyring.before")
    try Linux.rename(made, to: name)
    try FileDescriptor.open(directory: path).sync()
    TestHooks.crashPoint("backup.keyring.after")
  }

  /// What a commit is taken to need at most; a rotation writes some ten nodes and their pages.
  private static let commitBytes = 1 << 20

  /// Bytes in use by the file.
  package var usedBytes: Int { environment.usedBytes }
}

/// A consistent view of the keyring's tables; what it lends is valid while it lives.
package struct KeyringView: ~Copyable {
  private let base: ReadTransaction
  private let tables: [Table]

  fileprivate init(_ base: consuming ReadTransaction, _ tables: [Table]) {
    self.base = base
    self.tables = tables
  }

  /// The sealed node with this id, or nil.
  @_lifetime(borrow self)
  package borrowing func node(_ id: Span<UInt8>) throws(StorageError) -> Span<UInt8>? {
    do { return try base.value(of: id, in: tables[0]) } catch { throw StorageError(error) }
  }

  /// How many nodes there are.
  package borrowing func nodeCount() throws(StorageError) -> Int {
    do { return try base.count(tables[0]) } catch { throw StorageError(error) }
  }

  /// Calls `body` with every node's id and sealed bytes, ascending by id, until it returns false.
  package borrowing func forEachNode(
    _ body: (_ id: Span<UInt8>, _ sealed: Span<UInt8>) -> Bool
  ) throws(StorageError) { try scan(base, tables[0], from: nil, body) }

  var tableCount: Int { tables.count }

  borrowing func scanTable(
    _ table: Int, _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Bool
  ) throws(StorageError) { try scan(base, tables[table], from: nil, body) }

  /// The sealed ledger entry with this index, or nil.
  @_lifetime(borrow self)
  package borrowing func ledgerEntry(_ index: UInt64) throws(StorageError) -> Span<UInt8>? {
    do { return try base.value(of: NumberKey(index).bytes.span, in: tables[1]) } catch {
      throw StorageError(error)
    }
  }
}

extension KeyringView {
  /// The sealed certificate with this index, or nil.
  @_lifetime(borrow self)
  package borrowing func certificate(_ index: UInt64) throws(StorageError) -> Span<UInt8>? {
    do { return try base.value(of: NumberKey(index).bytes.span, in: tables[2]) } catch {
      throw StorageError(error)
    }
  }

  /// Calls `body` with the certificates from `index` on, ascending, until it returns false.
  package borrowing func forEachCertificate(
    from index: UInt64, _ body: (_ index: UInt64, _ sealed: Span<UInt8>) -> Bool
  ) throws(StorageError) {
    let key = NumberKey(index)
    try scan(base, tables[2], from: key.bytes.span) { key, value in
      guard key.count == 8 else { return false }
      return body(key.bigEndian(at: 0, bytes: 8), value)
    }
  }
}

/// A change of the keyring's tables; it sees what it wrote.
package struct KeyringTransaction: ~Copyable, TableTransaction {
  private var base: RecordedTransaction
  private let environment: TableEnvironment

  init(_ base: consuming WriteTransaction, _ environment: TableEnvironment) {
    self.base = RecordedTransaction(base, environment.tables)
    self.environment = environment
  }

  consuming func ended() -> WriteTransaction { base.ended() }

  fileprivate mutating func record() { base.changes = KeyringChanges() }

  fileprivate mutating func recorded() -> KeyringChanges {
    base.changes?.finish()
    return base.changes ?? KeyringChanges()
  }

  mutating func removeAll() throws(StorageError) {
    do { for table in environment.tables { try base.removeAll(table) } } catch {
      throw environment.failed(error)
    }
  }

  mutating func apply(
    _ table: Int, _ isPut: Bool, _ key: Span<UInt8>, _ value: Span<UInt8>
  ) throws(StorageError) {
    guard environment.tables.indices.contains(table) else { throw .corrupt }
    let table = environment.tables[table]
    do {
      if isPut {
        try base.put(value, for: key, in: table)
      } else {
        _ = try base.remove(key, from: table)
      }
    } catch { throw environment.failed(error) }
  }

  static var commitPoints: (before: StaticString, after: StaticString) {
    ("keyring.commit.before", "keyring.commit.after")
  }

  /// The sealed node with this id, or nil; lent until the next write.
  @_lifetime(borrow self)
  package borrowing func node(_ id: Span<UInt8>) throws(StorageError) -> Span<UInt8>? {
    do { return try base.value(of: id, in: environment.tables[0]) } catch {
      throw StorageError(error)
    }
  }

  /// Writes a sealed node, over the one that was there.
  package mutating func putNode(_ id: Span<UInt8>, _ sealed: Span<UInt8>) throws(StorageError) {
    do { try base.put(sealed, for: id, in: environment.tables[0]) } catch {
      throw environment.failed(error)
    }
  }

  /// Removes a node; true when it was there.
  ///
  /// Its bytes stay in the file: only a destroyed key makes them unreadable.
  @discardableResult
  package mutating func removeNode(_ id: Span<UInt8>) throws(StorageError) -> Bool {
    do { return try base.remove(id, from: environment.tables[0]) } catch {
      throw environment.failed(error)
    }
  }

  /// Writes the sealed ledger entry with this index, which must be greater than all before
  /// (`.corrupt` when it is not).
  package mutating func appendLedger(
    _ index: UInt64, _ sealed: Span<UInt8>
  ) throws(StorageError) {
    do {
      try base.append(sealed, for: NumberKey(index).bytes.span, in: environment.tables[1])
    } catch { throw environment.failed(error) }
  }

  /// Writes a sealed certificate, over the one that was there.
  package mutating func putCertificate(
    _ index: UInt64, _ sealed: Span<UInt8>
  ) throws(StorageError) {
    do {
      try base.put(sealed, for: NumberKey(index).bytes.span, in: environment.tables[2])
    } catch { throw environment.failed(error) }
  }
}
