import LMDB
import Synchronization

/// What a closure inside a write transaction works on; made from LMDB's and ended by a commit.
protocol TableTransaction: ~Copyable {
  init(_ base: consuming WriteTransaction, _ environment: TableEnvironment)
  consuming func ended() -> WriteTransaction
  static var commitPoints: (before: StaticString, after: StaticString) { get }
}

/// One LMDB environment with its tables, and what becomes of them after an I/O failure.
///
/// A failed fsync must never be retried: the kernel may have dropped the pages and reports that
/// once. So the first failure of a write that is not "no space" closes the environment, opens it
/// again for reading, and every later write throws `.readOnly`.
final class TableEnvironment: Sendable {
  private final class Opened: Sendable {
    let environment: Environment

    init(_ environment: Environment) { self.environment = environment }
  }

  private struct State {
    var opened: Opened?
    var mayWrite: Bool
    var isReopened = false
    var commits: UInt64 = 0
  }

  /// In the order of the names given; handles are the same whenever the file is opened.
  let tables: [Table]
  private let path: String
  private let mapBytes: Int
  private let names: [String]
  private let state: Mutex<State>

  /// Opens `DATA/name`, making the tables unless the directory is read-only.
  init(
    _ directory: DataDirectory, name: String, mapBytes: Int, tables names: [String]
  ) throws(StorageError) {
    path = directory.path + "/" + name
    self.mapBytes = mapBytes
    self.names = names
    let (environment, tables) = try Self.open(
      path, mapBytes, names, isReadOnly: directory.isReadOnly)
    self.tables = tables
    state = Mutex(State(opened: Opened(environment), mayWrite: !directory.isReadOnly))
  }

  /// Throws `.noSpace` unless the device has room for `bytes` and for `reserve` beside them.
  ///
  /// Asked before writing: LMDB reports a write that was cut short by a full device as EIO, after
  /// which nothing more would be written until a restart.
  func checkRoom(for bytes: Int, reserve: UInt64) throws(StorageError) {
    guard Linux.availableBytes(path) >= reserve + UInt64(bytes) else { throw .noSpace }
  }

  /// Begins a view, ended with the scope of `body`.
  ///
  /// Keep it short: pages that it sees are not reused meanwhile.
  func read<Result, Failure: StorageFailure>(
    _ body: (consuming ReadTransaction) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let opened = state.withLock({ $0.opened }) else { throw Failure(.ioFailure(0)) }
    // The environment must not be closed before its transaction has ended.
    defer { withExtendedLifetime(opened) {} }
    let transaction: ReadTransaction
    do { transaction = try opened.environment.beginReading() } catch {
      throw Failure(StorageError(error))
    }
    return try body(transaction)
  }

  /// Runs `body` and commits what it wrote with one fsync; an error stores nothing, except that
  /// after `.ioFailure` of the commit itself that is unknown.
  func write<Transaction: TableTransaction & ~Copyable, Result, Failure: StorageFailure>(
    _ body: (inout Transaction) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    do { return try writeOnce(body) } catch {
      reopenAfterFailure()
      throw error
    }
  }

  /// Translates an error of a write and notes an I/O failure.
  func failed(_ error: LMDBError) -> StorageError {
    let error = StorageError(error)
    if case .ioFailure = error { refuseWrites() }
    return error
  }

  /// From now on nothing is written.
  func refuseWrites() { state.withLock { $0.mayWrite = false } }

  /// False since an I/O failure, and for copies that are only looked at.
  var mayWrite: Bool { state.withLock(\.mayWrite) }

  /// Writes a consistent copy without free pages into an open, empty file and syncs it.
  func copy(to file: borrowing FileDescriptor) throws(StorageError) {
    guard let opened = state.withLock({ $0.opened }) else { throw .ioFailure(0) }
    defer { withExtendedLifetime(opened) {} }
    do { try opened.environment.copy(to: file.rawValue) } catch { throw StorageError(error) }
    try file.sync()
  }

  /// Frees the views of tools that were killed, now and then: the file would grow without end.
  private func dropDeadReaders(_ opened: Opened) {
    let isDue = state.withLock { state in
      state.commits &+= 1
      return state.commits % Self.commitsBetweenChecks == 0
    }
    if isDue { _ = try? opened.environment.dropDeadReaders() }
  }

  /// Looking at the table of readers costs microseconds; what a dead one keeps is small for so long.
  private static let commitsBetweenChecks: UInt64 = 64

  /// Bytes in use by the file.
  var usedBytes: Int { state.withLock { $0.opened }?.environment.usedBytes ?? 0 }

  private func writeOnce<
    Transaction: TableTransaction & ~Copyable, Result, Failure: StorageFailure
  >(
    _ body: (inout Transaction) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let (found, mayWrite) = state.withLock { ($0.opened, $0.mayWrite) }
    guard mayWrite, let opened = found else { throw Failure(.readOnly) }
    defer { withExtendedLifetime(opened) {} }
    dropDeadReaders(opened)
    var transaction: Transaction
    do { transaction = Transaction(try opened.environment.beginWriting(), self) } catch {
      throw Failure(failed(error))
    }
    let result = try body(&transaction)
    TestHooks.crashPoint(Transaction.commitPoints.before)
    do { try transaction.ended().commit() } catch { throw Failure(failed(error)) }
    TestHooks.crashPoint(Transaction.commitPoints.after)
    return result
  }

  /// LMDB refuses even reads once a meta page could not be written; the cure is to open again.
  private func reopenAfterFailure() {
    state.withLock { state in
      guard !state.mayWrite, !state.isReopened, state.opened != nil else { return }
      // LMDB must not be open twice in a process; readers hold it for milliseconds.
      for _ in 0..<5_000 where !isKnownUniquelyReferenced(&state.opened) {
        Linux.sleep(milliseconds: 1)
      }
      guard isKnownUniquelyReferenced(&state.opened) else { return }
      state.opened = nil
      state.isReopened = true
      if let again = try? Self.open(path, mapBytes, names, isReadOnly: true) {
        state.opened = Opened(again.0)
      }
    }
  }

  private static func open(
    _ path: String, _ mapBytes: Int, _ names: [String], isReadOnly: Bool
  ) throws(StorageError) -> (Environment, [Table]) {
    do {
      let environment = try Environment.open(
        path: path, mapBytes: mapBytes, tables: UInt32(names.count), isReadOnly: isReadOnly)
      try checkSize(path + "/data.mdb", environment.usedBytes, isReadOnly)
      var tables: [Table] = []
      for name in names {
        tables.append(
          try isReadOnly ? environment.existingTable(name) : environment.table(name))
      }
      return (environment, tables)
    } catch let error as LMDBError {
      throw StorageError(error)
    } catch let error as StorageError {
      throw error
    } catch {
      throw .corrupt
    }
  }

  /// A truncated file would end the process with SIGBUS at the first page that is missing.
  ///
  /// Free pages at the end may never have been written, so a short file may be sound, and so may a
  /// copy of it. It gets zeroes at the end: reading a page that should be there then finds them,
  /// which LMDB reports as corrupt or whose seal does not open. That also holds for copies that are
  /// only looked at, and beside a running daemon: the file is never shortened.
  private static func checkSize(
    _ path: String, _ usedBytes: Int, _ isReadOnly: Bool
  ) throws(StorageError) {
    let file = try FileDescriptor.open(path: path, isReadOnly: isReadOnly)
    let status = try file.status()
    guard status.isPrivate else { throw .notPrivate }
    guard status.size < usedBytes else { return }
    guard isReadOnly else { return try file.extend(to: usedBytes, isLocked: true) }
    do throws(StorageError) {
      try FileDescriptor.open(path: path).extend(to: usedBytes, isLocked: false)
    } catch { throw error == .noSpace ? .noSpace : .corrupt }
  }
}
