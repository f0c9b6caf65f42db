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
    let text = formatText(id)
    let format = try FileDescriptor.create(path: path + "/FORMAT", size: text.count)
    try format.write(text.span, at: 0)
    try format.sync()
    try FileDescriptor.open(directory: path).sync()
    try FileDescriptor.open(directory: path + "/..").sync()
    return DataDirectory(path: path, id: id, lock: lock)
  }

  /// Opens the directory and takes its lock (`.busy` when another process has it).
  ///
  /// Refuses what others may touch (`.notPrivate`) and versions that it does not know
  /// (`.unknownFormat`). With `isReadOnly`, for copies, no lock is taken and nothing is written.
  package static func open(
    path: String, isReadOnly: Bool = false
  ) throws(StorageError) -> DataDirectory {
    guard try FileDescriptor.open(directory: path).status().isPrivate else { throw .notPrivate }
    let id = try readFormat(path + "/FORMAT")
    guard !isReadOnly else { return DataDirectory(path: path, id: id, lock: nil) }
    let lock = try FileDescriptor.open(path: path + "/LOCK")
    guard try lock.status().isPrivate else { throw .notPrivate }
    guard try lock.tryLock() else { throw .busy(pid: nil) }
    for name in subdirectories { try checkSubdirectory(name, of: path) }
    return DataDirectory(path: path, id: id, lock: lock)
  }

  private static let subdirectories = ["keyring", "log", "index"]
  private static let formatStart = Array("lethe-store 1\nid ".utf8)

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

  private static func formatText(_ id: StoreID) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    var text = formatStart
    for byte in id.bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    text.append(0x0A)
    return text
  }

  private static func readFormat(_ path: String) throws(StorageError) -> StoreID {
    let file = try FileDescriptor.open(path: path, isReadOnly: true)
    let status = try file.status()
    guard status.isPrivate, status.isRegular else { throw .notPrivate }
    guard status.size == formatStart.count + 33 else { throw .unknownFormat }
    let text = try file.bytes(count: status.size)
    let digits = text.dropFirst(formatStart.count).dropLast()
    var bytes: [UInt8] = []
    for index in stride(from: digits.startIndex, to: digits.endIndex, by: 2) {
      guard let high = hexValue(digits[index]), let low = hexValue(digits[index + 1]) else {
        throw .unknownFormat
      }
      bytes.append(high << 4 | low)
    }
    guard let id = StoreID(bytes: bytes), formatText(id) == text else { throw .unknownFormat }
    return id
  }

  private static func hexValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x61...0x66: digit - 0x61 + 10
    default: nil
    }
  }
}
