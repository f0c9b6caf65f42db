import CLMDB

/// An error code of LMDB or of the operating system below it.
///
/// A raw-code struct and not an enum: the set of codes is open. Storage translates it.
package struct LMDBError: Error, Hashable, Sendable {
  /// `MDB_*` codes are negative, errno values positive.
  package let code: Int32

  package init(code: Int32) { self.code = code }

  /// The map has reached its size (`MDB_MAP_FULL`).
  package static let mapFull = LMDBError(code: MDB_MAP_FULL)
  /// The key exists (`MDB_KEYEXIST`), or is not the greatest where appending was asked for.
  package static let keyExists = LMDBError(code: MDB_KEYEXIST)
  /// A page is not what its number says (`MDB_CORRUPTED`, `MDB_PAGE_NOTFOUND`).
  package static let corrupted = LMDBError(code: MDB_CORRUPTED)
  /// A fatal error happened before; the environment must be reopened (`MDB_PANIC`).
  package static let panic = LMDBError(code: MDB_PANIC)

  /// No room on the device, in the quota or in the map: clean, and may pass.
  package var isOutOfSpace: Bool {
    self == .mapFull || code == 28 /* ENOSPC */ || code == 122 /* EDQUOT */
      || code == 27 /* EFBIG */
  }
}

/// Calls C and throws what is not zero.
func check(_ code: Int32) throws(LMDBError) {
  guard code == 0 else { throw LMDBError(code: code) }
}
