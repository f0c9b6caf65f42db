import CLMDB

/// A place in a table, valid within ``ReadTransaction/withCursor(_:_:)`` (`mdb_cursor_open`).
@safe
package struct Cursor: ~Copyable {
  private let pointer: OpaquePointer
  private var currentKey = unsafe MDB_val()
  private var currentValue = unsafe MDB_val()
  /// True while the cursor stands on an entry.
  package private(set) var isOnEntry = false

  fileprivate init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }

  deinit { unsafe mdb_cursor_close(pointer) }

  /// Goes to the first key at or after `key`; false when there is none (`MDB_SET_RANGE`).
  @discardableResult
  package mutating func seek(_ key: Span<UInt8>) throws(LMDBError) -> Bool {
    let code = unsafe key.withUnsafeBufferPointer { bytes in
      unsafe currentKey = MDB_val(
        mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
      return unsafe mdb_cursor_get(pointer, &currentKey, &currentValue, MDB_SET_RANGE)
    }
    return try settle(code)
  }

  /// Goes to the first entry; false when the table is empty.
  @discardableResult
  package mutating func first() throws(LMDBError) -> Bool { try move(MDB_FIRST) }

  /// Goes to the last entry; false when the table is empty.
  @discardableResult
  package mutating func last() throws(LMDBError) -> Bool { try move(MDB_LAST) }

  /// Goes to the next entry; false at the end.
  @discardableResult
  package mutating func next() throws(LMDBError) -> Bool { try move(MDB_NEXT) }

  /// The key at the cursor; empty when it stands on none.
  package var key: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get {
      let found =
        unsafe isOnEntry ? bytes(of: currentKey) : UnsafeBufferPointer(start: nil, count: 0)
      return unsafe _overrideLifetime(Span(_unsafeElements: found), borrowing: self)
    }
  }

  /// The value at the cursor; empty when it stands on none.
  package var value: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get {
      let found =
        unsafe isOnEntry ? bytes(of: currentValue) : UnsafeBufferPointer(start: nil, count: 0)
      return unsafe _overrideLifetime(Span(_unsafeElements: found), borrowing: self)
    }
  }

  private mutating func move(_ operation: MDB_cursor_op) throws(LMDBError) -> Bool {
    unsafe try settle(mdb_cursor_get(pointer, &currentKey, &currentValue, operation))
  }

  private mutating func settle(_ code: Int32) throws(LMDBError) -> Bool {
    isOnEntry = code == 0
    if code == MDB_NOTFOUND { return false }
    try check(code)
    return true
  }
}

func runCursor<Result, Failure: Error>(
  _ transaction: OpaquePointer, _ table: Table, _ body: (inout Cursor) throws(Failure) -> Result
) throws(TransactionFailure<Failure>) -> Result {
  var opened: OpaquePointer?
  let code = unsafe mdb_cursor_open(transaction, table.handle, &opened)
  guard code == 0, let pointer = unsafe opened else {
    throw .storage(LMDBError(code: code))
  }
  var cursor = unsafe Cursor(pointer)
  do { return try body(&cursor) } catch { throw .body(error) }
}
