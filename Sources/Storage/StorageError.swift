import LMDB

/// What can go wrong with the data directory; each case says whose move it is.
package enum StorageError: Error, Hashable, Sendable {
  /// The device, the quota or the map is full; nothing was written. The operator frees space.
  case noSpace
  /// The device failed with this code. Whether the change is on the disk is unknown; the tables
  /// refuse further writes until they are opened again. The operator looks at the device.
  case ioFailure(Int32)
  /// An I/O failure happened before, so nothing is written any more. The operator restarts.
  case readOnly
  /// A file is not what it was when it was written. The operator restores a backup.
  case corrupt
  /// Another process has the directory open, this one if it is known. The operator ends it.
  case busy(pid: Int32?)
  /// A file or directory is not there. The operator's move.
  case missing
  /// The directory is of a version that this program does not know. The operator upgrades.
  case unknownFormat
  /// A backup where a store is wanted, or a store where a backup is. The operator names another.
  case otherKind
  /// A backup belongs to another store. The operator names another.
  case otherStore
  /// A backup belongs to another lineage: the store was restored since, or put back by other means.
  /// The operator begins a new backup.
  case otherLineage
  /// A file or directory is owned by somebody else, may be used by others or is not plain. The
  /// operator's move.
  case notPrivate
  /// There is something already where a new directory or file was to be made. The caller's mistake.
  case exists
}

/// An error that can carry a ``StorageError``, so that a closure inside a transaction throws one
/// type only.
package protocol StorageFailure: Error {
  init(_ storage: StorageError)
}

extension StorageError: StorageFailure {
  package init(_ storage: StorageError) { self = storage }

  /// LMDB's errors are translated here and nowhere else.
  init(_ error: LMDBError) {
    if error.isOutOfSpace {
      self = .noSpace
    } else if Self.corruptCodes.contains(error.code) || error == .keyExists {
      self = .corrupt
    } else if error.code == 2 /* ENOENT */ {
      self = .missing
    } else {
      self = .ioFailure(error.code)
    }
  }

  /// MDB_PAGE_NOTFOUND, MDB_CORRUPTED, MDB_VERSION_MISMATCH, MDB_INVALID, MDB_BAD_VALSIZE.
  private static let corruptCodes: Set<Int32> = [-30797, -30796, -30794, -30793, -30781]
}
