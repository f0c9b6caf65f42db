import LMDB

/// A table's key made of a number: eight bytes, most significant first, so that LMDB's order is
/// the numbers'.
struct NumberKey {
  let bytes: InlineArray<8, UInt8>

  init(_ number: UInt64) {
    var bytes = InlineArray<8, UInt8>(repeating: 0)
    for index in 0..<8 {
      bytes[index] = UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * index))
    }
    self.bytes = bytes
  }
}

/// Calls `body` with entries from `key` (nil: the first) on, until it returns false.
func scan(
  _ transaction: borrowing ReadTransaction, _ table: Table, from key: Span<UInt8>?,
  _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Bool
) throws(StorageError) {
  do {
    try transaction.withCursor(table) { cursor throws(LMDBError) in
      var goesOn: Bool
      if let key { goesOn = try cursor.seek(key) } else { goesOn = try cursor.first() }
      while goesOn, body(cursor.key, cursor.value) { goesOn = try cursor.next() }
    }
  } catch { throw StorageError(error.lmdb) }
}
