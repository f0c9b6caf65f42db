import EventModel
import Sodium
import Storage

/// One file that keeps the root outside the data directory, written in place and locked while open.
///
/// Never renamed, truncated or copied: the file system would leave the old root on the disk. Every
/// write is followed by fsync and read back.
final class RootFile: RootHolder {
  let path: String
  private(set) var header: RootHeader
  let medium: RootMedium
  var file: FileDescriptor

  private init(
    path: String, header: RootHeader, medium: RootMedium, file: consuming FileDescriptor
  ) {
    self.path = path
    self.header = header
    self.medium = medium
    self.file = file
  }

  /// Makes the file with both slots empty; `.rootExists` when there is something.
  static func create(
    path: String, header: RootHeader
  ) throws(KeyringError) -> RootFile {
    TestHooks.crashPoint("root.create.before")
    let file = try createFile(path)
    let medium = try RootMedium(file)
    if let weakness = medium.weakness, !header.isWeakAccepted { throw .weakMedium(weakness) }
    let holder = RootFile(path: path, header: header, medium: medium, file: file)
    try holder.write(header.bytes.span, at: 0)
    do throws(StorageError) {
      try FileDescriptor.open(directory: directory(of: path)).sync()
    } catch { throw .rootUnreadable }
    TestHooks.crashPoint("root.create.after")
    return holder
  }

  static func createFile(_ path: String) throws(KeyringError) -> FileDescriptor {
    do throws(StorageError) {
      let file = try FileDescriptor.create(path: path, size: RootHeader.holderBytes)
      guard try file.tryLock() else { throw .busy(pid: nil) }
      return file
    } catch {
      switch error {
      case .exists: throw .rootExists
      case .busy: throw .holderBusy
      default: throw .rootUnreadable
      }
    }
  }

  /// Opens and checks the file: ours alone, whole, of this store, locked by nobody else.
  ///
  /// With `isReading` it takes no lock and never writes, for tools beside a running daemon.
  static func open(
    path: String, store: StoreID, acceptsWeak: Bool, isReading: Bool
  ) throws(KeyringError) -> RootFile {
    let file = try openFile(path, isReading: isReading)
    guard let header = try readHeader(file) else { throw .rootUnreadable }
    guard header.store == store else { throw .rootOfAnotherStore }
    let medium = try RootMedium(file)
    if let weakness = medium.weakness, !header.isWeakAccepted, !acceptsWeak {
      throw .weakMedium(weakness)
    }
    return RootFile(path: path, header: header, medium: medium, file: file)
  }

  private static func openFile(
    _ path: String, isReading: Bool
  ) throws(KeyringError) -> FileDescriptor {
    do throws(StorageError) {
      let file = try FileDescriptor.open(path: path, isReadOnly: isReading)
      let status = try file.status()
      guard status.isRegular, status.isPrivate, status.links == 1,
        status.size == RootHeader.holderBytes
      else { throw .notPrivate }
      let isOurs = isReading ? true : try file.tryLock()
      guard isOurs else { throw .busy(pid: nil) }
      return file
    } catch {
      switch error {
      case .missing: throw .rootMissing
      case .busy: throw .holderBusy
      default: throw .rootUnreadable
      }
    }
  }

  private static func readHeader(
    _ file: borrowing FileDescriptor
  ) throws(KeyringError) -> RootHeader? {
    let bytes: [UInt8]
    do throws(StorageError) { bytes = try file.bytes(count: RootHeader.bytesCount) } catch {
      throw .rootUnreadable
    }
    return RootHeader(bytes.span)
  }

  /// The slot in which an epoch's root lies or would lie.
  func slot(epoch: UInt64) throws(KeyringError) -> SecretBytes {
    var slot = SecretBytes(zeroes: RootSlot.bytesCount)
    var bytes = slot.mutableBytes
    do { try file.read(into: &bytes, at: RootSlot.offset(epoch: epoch)) } catch {
      throw .rootUnreadable
    }
    return slot
  }

  func write(slot: Span<UInt8>, epoch: UInt64) throws(KeyringError) {
    try write(slot, at: RootSlot.offset(epoch: epoch))
  }

  func write(header: RootHeader) throws(KeyringError) {
    try write(header.bytes.span, at: 0)
    self.header = header
  }

  /// A device that was taken away, or a file under another name, erases nothing any more.
  func probe() throws(KeyringError) {
    do throws(StorageError) {
      guard try FileDescriptor.open(path: path, isReadOnly: true).isSameFile(as: file),
        try file.bytes(count: RootHeader.bytesCount) == header.bytes
      else { throw .missing }
    } catch { throw error == .missing ? .rootMissing : .rootUnreadable }
  }

  private func write(_ bytes: Span<UInt8>, at offset: Int) throws(KeyringError) {
    var again = SecretBytes(zeroes: bytes.count)
    do throws(StorageError) {
      try file.write(bytes, at: offset)
      try file.sync()
      var target = again.mutableBytes
      try file.read(into: &target, at: offset)
    } catch { throw .rootUnreadable }
    guard again.isEqual(to: bytes) else { throw .rootUnreadable }
  }

  private static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
