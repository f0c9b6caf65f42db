import CLMDB

/// One LMDB environment: a directory with one memory-mapped B+tree file (`mdb_env_create`).
///
/// Opened with `MDB_NOTLS` and nothing else: never NOSYNC, NOMETASYNC, WRITEMAP or DUPSORT, so a
/// committed transaction survives a power cut. LMDB lets two processes in and has no checksums;
/// the layer above locks the directory and authenticates every value.
@safe
package final class Environment: @unchecked Sendable {
  // LMDB serialises writers itself and its read transactions share nothing but the map.
  private let pointer: OpaquePointer

  private init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }

  deinit { unsafe mdb_env_close(pointer) }

  /// Opens the environment in the existing directory `path`.
  ///
  /// The file may grow to `mapBytes`, of which only address space is taken, and have `tables` named
  /// tables. With `isReadOnly` it opens without the right to write, as tools on copies do.
  package static func open(
    path: String, mapBytes: Int, tables: UInt32, isReadOnly: Bool = false
  ) throws(LMDBError) -> Environment {
    var created: OpaquePointer?
    unsafe try check(mdb_env_create(&created))
    guard let pointer = unsafe created else { throw .panic }
    let environment = unsafe Environment(pointer)
    unsafe try check(mdb_env_set_mapsize(pointer, mapBytes))
    unsafe try check(mdb_env_set_maxdbs(pointer, tables))
    unsafe try check(mdb_env_set_maxreaders(pointer, 512))
    let flags = UInt32(MDB_NOTLS) | (isReadOnly ? UInt32(MDB_RDONLY) : 0)
    unsafe try check(mdb_env_open(pointer, path, flags, 0o600))
    return environment
  }

  /// Runs `body` on one consistent, read-only view; nothing that it reads can leave the closure.
  package func read<Result, Failure: Error>(
    _ body: (borrowing ReadTransaction) throws(Failure) -> Result
  ) throws(TransactionFailure<Failure>) -> Result {
    let transaction: ReadTransaction
    do { transaction = unsafe try ReadTransaction.begin(pointer) } catch {
      throw .storage(error)
    }
    do { return try body(transaction) } catch { throw .body(error) }
  }

  /// Runs `body` and commits what it wrote with one fsync; an error aborts all of it.
  package func write<Result, Failure: Error>(
    _ body: (inout WriteTransaction) throws(Failure) -> Result
  ) throws(TransactionFailure<Failure>) -> Result {
    var transaction: WriteTransaction
    do { transaction = unsafe try WriteTransaction.begin(pointer) } catch {
      throw .storage(error)
    }
    let result: Result
    do { result = try body(&transaction) } catch { throw .body(error) }
    do { try transaction.commit() } catch { throw .storage(error) }
    return result
  }

  /// Begins a view, for whoever wraps it in a type of their own; the environment must outlive it.
  package func beginReading() throws(LMDBError) -> ReadTransaction {
    unsafe try ReadTransaction.begin(pointer)
  }

  /// Begins the write transaction, likewise; it is rolled back unless it is committed.
  package func beginWriting() throws(LMDBError) -> WriteTransaction {
    unsafe try WriteTransaction.begin(pointer)
  }

  /// The table `name`, made if it does not exist (`mdb_dbi_open`).
  package func table(_ name: String) throws(LMDBError) -> Table {
    do {
      return try write { transaction throws(LMDBError) in try transaction.table(name) }
    } catch {
      throw error.lmdb
    }
  }

  /// The existing table `name`, without the right to make it.
  package func existingTable(_ name: String) throws(LMDBError) -> Table {
    do {
      // Handles opened in a read transaction live on when it is committed, not when aborted.
      let transaction = unsafe try ReadTransaction.begin(pointer)
      return try transaction.tableAndCommit(name)
    }
  }

  /// Writes a consistent copy without free pages into an open, empty file
  /// (`mdb_env_copyfd2` with `MDB_CP_COMPACT`).
  ///
  /// It is a view for as long as it takes; nothing is synced.
  package func copy(to descriptor: Int32) throws(LMDBError) {
    unsafe try check(mdb_env_copyfd2(pointer, descriptor, UInt32(MDB_CP_COMPACT)))
  }

  /// Frees the views of processes that ended without ending them (`mdb_reader_check`); returns how
  /// many there were.
  ///
  /// Pages that a view sees are not reused: one of a killed process would let the file grow for ever.
  @discardableResult
  package func dropDeadReaders() throws(LMDBError) -> Int {
    var dead: Int32 = 0
    unsafe try check(mdb_reader_check(pointer, &dead))
    return Int(dead)
  }

  /// Bytes in use by the file: (last page + 1) times the page size.
  package var usedBytes: Int {
    var information = unsafe MDB_envinfo()
    var statistics = MDB_stat()
    guard unsafe mdb_env_info(pointer, &information) == 0,
      unsafe mdb_env_stat(pointer, &statistics) == 0
    else { return 0 }
    return unsafe (information.me_last_pgno + 1) * Int(statistics.ms_psize)
  }
}

/// A named table of an environment (`MDB_dbi`).
package struct Table: Hashable, Sendable {
  let handle: MDB_dbi
}

/// Either LMDB failed around the closure, or the closure itself did.
package enum TransactionFailure<Failure: Error>: Error {
  /// Beginning or committing failed; nothing was stored, or (I/O error) that is unknown.
  case storage(LMDBError)
  /// The closure threw; everything was rolled back.
  case body(Failure)
}

extension TransactionFailure where Failure == LMDBError {
  /// Both cases as one.
  package var lmdb: LMDBError {
    switch self {
    case .storage(let error), .body(let error): error
    }
  }
}
