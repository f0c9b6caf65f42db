import CLMDB

/// The one write transaction that an environment can have; it sees what it wrote.
///
/// Values read from it are borrowed: the compiler refuses a write while one of them is in use,
/// since LMDB moves pages at the next write.
@safe
package struct WriteTransaction: ~Copyable {
  private let pointer: OpaquePointer

  private init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }

  deinit { unsafe mdb_txn_abort(pointer) }

  static func begin(_ environment: OpaquePointer) throws(LMDBError) -> WriteTransaction {
    var begun: OpaquePointer?
    unsafe try check(mdb_txn_begin(environment, nil, 0, &begun))
    guard let pointer = unsafe begun else { throw .panic }
    return unsafe WriteTransaction(pointer)
  }

  /// Makes everything durable with one fsync (`mdb_txn_commit`).
  package consuming func commit() throws(LMDBError) {
    let code = unsafe mdb_txn_commit(pointer)
    discard self
    try check(code)
  }

  mutating func table(_ name: String) throws(LMDBError) -> Table {
    var handle = MDB_dbi()
    unsafe try check(mdb_dbi_open(pointer, name, UInt32(MDB_CREATE), &handle))
    return Table(handle: handle)
  }

  /// The value of `key`, borrowed until the next write of this transaction (`mdb_get`).
  @_lifetime(borrow self)
  package func value(of key: Span<UInt8>, in table: Table) throws(LMDBError) -> Span<UInt8>? {
    let found = unsafe try lookUp(key, pointer, table)
    guard let found = unsafe found else { return nil }
    return unsafe _overrideLifetime(Span(_unsafeElements: found), borrowing: self)
  }

  /// Writes `value` under `key`, replacing what was there (`mdb_put`).
  package mutating func put(
    _ value: Span<UInt8>, for key: Span<UInt8>, in table: Table
  ) throws(LMDBError) {
    try put(value, key, table, flags: 0)
  }

  /// Writes `value` under `key`, which must be greater than every key so far (`MDB_APPEND`).
  package mutating func append(
    _ value: Span<UInt8>, for key: Span<UInt8>, in table: Table
  ) throws(LMDBError) {
    try put(value, key, table, flags: UInt32(MDB_APPEND))
  }

  /// Removes `key`; true when it was there (`mdb_del`).
  @discardableResult
  package mutating func remove(_ key: Span<UInt8>, from table: Table) throws(LMDBError) -> Bool {
    let code = unsafe key.withUnsafeBufferPointer { bytes in
      var name = unsafe MDB_val(
        mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
      return unsafe mdb_del(pointer, table.handle, &name, nil)
    }
    if code == MDB_NOTFOUND { return false }
    try check(code)
    return true
  }

  /// Empties `table` (`mdb_drop`).
  package mutating func removeAll(_ table: Table) throws(LMDBError) {
    unsafe try check(mdb_drop(pointer, table.handle, 0))
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

  private mutating func put(
    _ value: Span<UInt8>, _ key: Span<UInt8>, _ table: Table, flags: UInt32
  ) throws(LMDBError) {
    let code = unsafe key.withUnsafeBufferPointer { keyBytes in
      unsafe value.withUnsafeBufferPointer { valueBytes in
        var name = unsafe MDB_val(
          mv_size: keyBytes.count, mv_data: UnsafeMutableRawPointer(mutating: keyBytes.baseAddress))
        var content = unsafe MDB_val(
          mv_size: valueBytes.count,
          mv_data: UnsafeMutableRawPointer(mutating: valueBytes.baseAddress))
        return unsafe mdb_put(pointer, table.handle, &name, &content, flags)
      }
    }
    try check(code)
  }
}
