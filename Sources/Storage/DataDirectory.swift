package import EventModel

/// The data directory of one store: its identity, its lock and its three environments' places.
///
/// ```
/// DATA/FORMAT  LOCK  keyring/  log/  index/        0700 and 0600, owned by the daemon's user
/// ```
/// The lock of an open file description is held while the value lives; LMDB alone would let two
/// daemons in, whose caches and keys would drift apart.
package final class DataDirectory: Sendable {
  package let path: String
  /// The store's identity, as `FORMAT` has it.
  package let id: StoreID
  /// True for copies that are looked at: nothing is locked or written.
  package let isReadOnly: Bool
  private let lock: FileDescriptor?

  private init(path: String, id: StoreID, lock: consuming FileDescriptor?) {
    self.path = path
    self.id = id
    isReadOnly = lock == nil
    self.lock = lock
  }

  /// Makes the directory and takes its lock.
  ///
  /// The directory may exist when it is empty and private (`.exists`, `.notPrivate`). `FORMAT` is
  /// written last: a directory that was only half made is refused by ``open(path:isReadOnly:)``.
  package static func create(path: String, id: StoreID) throws(StorageError) -> DataDirectory {
    do { try Linux.makeDirectory(path) } catch {
      guard error == .exists else { throw error }
      guard try FileDescriptor.open(directory: path).status().isPrivate else { throw .notPrivate }
      guard try Linux.isEmptyDirectory(path) else { throw .exists }
    }
    let lock = try FileDescriptor.create(path: path + "/LOCK", size: 0)
    guard try lock.tryLock() else { throw .busy(pid: nil) }
    for name in subdirectories {
      try Linux.makeDirectory(path + "/" + name)
      try FileDescriptor.open(directory: path + "/" + name).sync()
    }
    try FormatFile(.store, id).create(in: path)
    try FileDescriptor.open(directory: path + "/..").sync()
    return DataDirectory(path: path, id: id, lock: lock)
  }

  /// Opens the directory and takes its lock (`.busy` when another process has it).
  ///
  /// Refuses what others may touch (`.notPrivate`) and versions that it does not know
  /// (`.unknownFormat`). With `isReadOnly`, for copies, no lock is taken and nothing is written; a
  /// copy may also be a backup, which is never opened to be written as a store (`.otherKind`).
  package static func open(
    path: String, isReadOnly: Bool = false
  ) throws(StorageError) -> DataDirectory {
    let format = try readFormat(path)
    guard isReadOnly || format.kind == .store else { throw .otherKind }
    guard !isReadOnly else { return DataDirectory(path: path, id: format.id, lock: nil) }
    let lock = try takeLock(path)
    for name in subdirectories { try checkSubdirectory(name, of: path) }
    return DataDirectory(path: path, id: format.id, lock: lock)
  }

  /// Makes a directory of mode 0700, or takes one that is nobody else's.
  package static func makePrivate(_ path: String) throws(StorageError) {
    do { try Linux.makeDirectory(path) } catch {
      guard error == .exists else { throw error }
      guard try FileDescriptor.open(directory: path).status().isPrivate else { throw .notPrivate }
    }
  }

  private static let subdirectories = ["keyring", "log", "index"]

  private static func checkSubdirectory(_ name: String, of path: String) throws(StorageError) {
    let subdirectory = path + "/" + name
    let status: FileStatus
    do { status = try FileDescriptor.open(directory: subdirectory).status() } catch {
      // The index is derived and may be deleted whole.
      guard error == .missing, name == "index" else { throw error }
      try Linux.makeDirectory(subdirectory)
      try FileDescriptor.open(directory: path).sync()
      return
    }
    guard status.isPrivate else { throw .notPrivate }
  }

  private static func readFormat(_ path: String) throws(StorageError) -> FormatFile {
    guard try FileDescriptor.open(directory: path).status().isPrivate else { throw .notPrivate }
    return try FormatFile.read(in: path)
  }

  private static func takeLock(_ path: String) throws(StorageError) -> FileDescriptor {
    let lock = try FileDescriptor.open(path: path + "/LOCK")
    guard try lock.status().isPrivate else { throw .notPrivate }
    guard try lock.tryLock() else { throw .busy(pid: nil) }
    return lock
  }
}

// Backups

extension DataDirectory {
  /// Opens a backup of the store `id` and takes its lock, or makes an empty one.
  ///
  /// ```
  /// BACKUP/FORMAT  LOCK  log/  keyring/
  /// ```
  /// `FORMAT` is written last; what a crash left before that is gone on with. Refuses a directory
  /// that has other files (`.exists`) and a backup of another store (`.otherStore`).
  package static func openBackup(path: String, of id: StoreID) throws(StorageError) -> DataDirectory
  {
    do { try Linux.makeDirectory(path) } catch { guard error == .exists else { throw error } }
    guard try FileDescriptor.open(directory: path).status().isPrivate else { throw .notPrivate }
    if Linux.exists(path + "/FORMAT") {
      let format = try FormatFile.read(in: path)
      guard format.kind == .backup else { throw .otherKind }
      guard format.id == id else { throw .otherStore }
      return DataDirectory(path: path, id: id, lock: try takeLock(path))
    }
    if !Linux.exists(path + "/LOCK") {
      guard try Linux.isEmptyDirectory(path) else { throw .exists }
      _ = try FileDescriptor.create(path: path + "/LOCK", size: 0)
    }
    let lock = try takeLock(path)
    for name in ["log", "keyring"] {
      do { try Linux.makeDirectory(path + "/" + name) } catch {
        guard error == .exists else { throw error }
      }
      try FileDescriptor.open(directory: path + "/" + name).sync()
    }
    TestHooks.crashPoint("backup.format.before")
    try FormatFile(.backup, id).create(in: path)
    TestHooks.crashPoint("backup.format.after")
    try FileDescriptor.open(directory: path + "/..").sync()
    return DataDirectory(path: path, id: id, lock: lock)
  }

  /// Opens a backup to restore from it; its lock is taken where the medium allows it.
  package static func openBackup(path: String) throws(StorageError) -> DataDirectory {
    let format = try readFormat(path)
    guard format.kind == .backup else { throw .otherKind }
    do { return DataDirectory(path: path, id: format.id, lock: try takeLock(path)) } catch {
      // EROFS: nobody else can write to it either.
      guard error == .ioFailure(30) else { throw error }
      return DataDirectory(path: path, id: format.id, lock: nil)
    }
  }
}

// Restoring

extension DataDirectory {
  private static let marker = "/RESTORING"

  /// Makes a directory without `FORMAT`, which nothing opens as a store until ``finishRestoring()``.
  ///
  /// What an earlier restore left half done in it, which a marker tells, is removed first; anything
  /// else that is there is refused (`.exists`).
  package static func beginRestoring(path: String, id: StoreID) throws(StorageError)
    -> DataDirectory
  {
    do { try Linux.makeDirectory(path) } catch { guard error == .exists else { throw error } }
    guard try FileDescriptor.open(directory: path).status().isPrivate else { throw .notPrivate }
    if Linux.exists(path + marker), !Linux.exists(path + "/FORMAT") {
      let lock = try FileDescriptor.open(path: path + marker)
      guard try lock.tryLock() else { throw .busy(pid: nil) }
      try empty(path)
    }
    guard try Linux.isEmptyDirectory(path) else { throw .exists }
    // The marker's lock keeps a second restore from taking this one for a failed one.
    let marker = try FileDescriptor.create(path: path + Self.marker, size: 0)
    guard try marker.tryLock() else { throw .busy(pid: nil) }
    TestHooks.crashPoint("restore.marker.after")
    _ = try FileDescriptor.create(path: path + "/LOCK", size: 0)
    for name in subdirectories {
      try Linux.makeDirectory(path + "/" + name)
      try FileDescriptor.open(directory: path + "/" + name).sync()
    }
    try FileDescriptor.open(directory: path).sync()
    return DataDirectory(path: path, id: id, lock: marker)
  }

  /// Makes the directory a store: the last durable step of a restore.
  package func finishRestoring() throws(StorageError) {
    TestHooks.crashPoint("restore.format.before")
    try FormatFile(.store, id).create(in: path)
    TestHooks.crashPoint("restore.format.after")
    try Linux.remove(path + Self.marker)
    try FileDescriptor.open(directory: path).sync()
    try FileDescriptor.open(directory: path + "/..").sync()
  }

  /// Removes what a refused restore made; the directory itself stays, empty.
  ///
  /// Its tables must be closed. The keys in it are sealed as they are in the copy that they came from.
  package func abandonRestoring() throws(StorageError) { try Self.empty(path) }

  private static func empty(_ path: String) throws(StorageError) {
    for name in subdirectories {
      for file in ["data.mdb", "lock.mdb"] { try Linux.remove("\(path)/\(name)/\(file)") }
      try Linux.removeDirectory("\(path)/\(name)")
    }
    for file in ["/FORMAT.new", "/LOCK", marker] { try Linux.remove(path + file) }
    try FileDescriptor.open(directory: path).sync()
  }
}
