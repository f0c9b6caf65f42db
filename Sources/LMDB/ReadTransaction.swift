import CLMDB

/// A consistent view of an environment (`mdb_txn_begin` with `MDB_RDONLY`), ended with its scope.
@safe
package struct ReadTransaction: ~Copyable {
  let pointer: OpaquePointer

  private init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }

  deinit { unsafe mdb_txn_abort(pointer) }

  static func begin(_ environment: OpaquePointer) throws(LMDBError) -> ReadTransaction {
    var begun: OpaquePointer?
    unsafe try check(mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &begun))
    guard let pointer = unsafe begun else { throw .panic }
    return unsafe ReadTransaction(pointer)
  }

  consuming func tableAndCommit(_ name: String) throws(LMDBError) -> Table {
    var handle = MDB_dbi()
    let opened = unsafe mdb_dbi_open(pointer, name, 0, &handle)
    // A read transaction that is aborted closes the handles that it opened; a committed one keeps
    // them. The deinit must not abort a second time.
    let committed = unsafe mdb_txn_commit(pointer)
    discard self
    try check(opened)
    try check(committed)
    return Table(handle: handle)
  }

  /// The value of `key`, borrowed from the map for as long as the transaction lives (`mdb_get`).
  @_lifetime(borrow self)
  package func value(of key: Span<UInt8>, in table: Table) throws(LMDBError) -> Span<UInt8>? {
    let found = unsafe try lookUp(key, pointer, table)
    guard let found = unsafe found else { return nil }
    return unsafe _overrideLifetime(Span(_unsafeElements: found), borrowing: self)
  }

  /// Runs `body` with a cursor over `table`.
  package func withCursor<Result, Failure: Error>(
    _ table: Table, _ body: (inout Cursor) throws(Failure) -> Result
  ) throws(TransactionFailure<Failure>) -> Result {
    unsafe try runCursor(pointer, table, body)
  }

  /// How many entries `table` has (`mdb_stat`).
  package func count(_ table: Table) throws(LMDBError) -> Int {
    unsafe try entryCount(pointer, table)
  }
}

func lookUp(
  _ key: Span<UInt8>, _ transaction: OpaquePointer, _ table: Table
) throws(LMDBError) -> UnsafeBufferPointer<UInt8>? {
  var value = unsafe MDB_val()
  let code = unsafe key.withUnsafeBufferPointer { bytes in
    var name = unsafe MDB_val(
      mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    return unsafe mdb_get(transaction, table.handle, &name, &value)
  }
  if code == MDB_NOTFOUND { return nil }
  try check(code)
  return unsafe bytes(of: value)
}

func bytes(of value: MDB_val) -> UnsafeBufferPointer<UInt8> {
  unsafe UnsafeBufferPointer(
    start: UnsafePointer(value.mv_data?.assumingMemoryBound(to: UInt8.self)),
    count: value.mv_size)
}

func entryCount(_ transaction: OpaquePointer, _ table: Table) throws(LMDBError) -> Int {
  var statistics = MDB_stat()
  unsafe try check(mdb_stat(transaction, table.handle, &statistics))
  return statistics.ms_entries
}
