import CLinux
import Glibc

// The only file of this module with `unsafe`: calls that take pointers, each one call wide.

/// Calls of the operating system that neither Swift nor NIO has.
enum SystemCalls {
  /// Who is at the other end of the connected socket `descriptor`; nil when the kernel does not say.
  static func peer(of descriptor: Int32) -> Peer? {
    var credentials = linux_peer()
    guard unsafe linux_peer_credentials(descriptor, &credentials) == 0 else { return nil }
    let count = min(Int(credentials.group_count), 64)
    let groups = unsafe withUnsafeBytes(of: credentials.groups) { bytes in
      unsafe Array(bytes.bindMemory(to: UInt32.self).prefix(count))
    }
    return Peer(uid: credentials.uid, gid: credentials.gid, groups: groups)
  }

  static var processID: Int32 { getpid() }

  /// The user that the daemon runs as.
  static var ownUID: UInt32 { geteuid() }

  /// How many file descriptors the process may have.
  static var descriptorsMax: Int {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return 1_024
    }
    return Int(clamping: limit.rlim_cur)
  }

  /// Sets the mask for new files and sockets; returns the old one.
  static func setFileMask(_ mask: UInt32) -> UInt32 { umask(mask) }

  /// One burst of large replies must not stay in memory for good.
  static func returnLargeBuffers() { linux_return_large_blocks() }

  /// What lies at a path, without following a symbolic link.
  enum Occupant: Hashable {
    case nothing
    /// A socket, by device and inode.
    case socket(device: UInt64, inode: UInt64)
    case directory
    case other
  }

  static func occupant(of path: String) -> Occupant {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return .nothing }
    switch status.st_mode & S_IFMT {
    case S_IFSOCK: return .socket(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    case S_IFDIR: return .directory
    default: return .other
    }
  }

  static func remove(_ path: String) { _ = unsafe unlink(path) }

  /// Returns false when the mode could not be set.
  static func setMode(_ path: String, _ mode: UInt32) -> Bool { unsafe chmod(path, mode) == 0 }

  /// A small file together with who could have written it.
  struct OwnedFile {
    let bytes: [UInt8]
    let owner: UInt32
    let mode: UInt32
  }

  /// Reads a regular file of at most `bytesMax` bytes; otherwise says why not.
  static func read(_ path: String, bytesMax: Int) -> Result<OwnedFile, AccessFileError> {
    let descriptor = unsafe linux_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
    guard descriptor >= 0 else { return .failure(.file("it cannot be opened")) }
    defer { linux_close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      return .failure(.file("it is not a regular file"))
    }
    let count = Int(status.st_size)
    guard count <= bytesMax else { return .failure(.file("it is larger than \(bytesMax) bytes")) }
    var bytes = [UInt8](repeating: 0, count: count)
    let code = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe linux_pread_all(descriptor, buffer.baseAddress, UInt64(count), 0)
    }
    guard code == 0 else { return .failure(.file("it cannot be read")) }
    return .success(
      OwnedFile(bytes: bytes, owner: status.st_uid, mode: UInt32(status.st_mode)))
  }
}
