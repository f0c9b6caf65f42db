import CLinux
import Glibc

/// What the doctor asks the system, each call one call wide; nothing here writes.
enum SystemCalls {
  /// What lies at a path.
  struct Entry: Hashable {
    enum Kind: Hashable {
      case file, directory, socket, link, other
    }

    let kind: Kind
    /// Permission bits.
    let mode: UInt32
    let owner: UInt32
    let size: Int64
    let device: UInt64
  }

  static func environmentVariable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  static var ownUID: UInt32 { geteuid() }

  /// What lies there, without following a link (`lstat`); nil when there is nothing or it cannot be
  /// seen.
  static func entry(_ path: String) -> Entry? {
    var found = stat()
    guard unsafe lstat(path, &found) == 0 else { return nil }
    let kind: Entry.Kind =
      switch found.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .directory
      case S_IFSOCK: .socket
      case S_IFLNK: .link
      default: .other
      }
    return Entry(
      kind: kind, mode: UInt32(found.st_mode & 0o7777), owner: found.st_uid,
      size: Int64(found.st_size), device: UInt64(found.st_dev))
  }

  /// The path without links and dots, or nil.
  static func realPath(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  /// The names in a directory; none when it cannot be read.
  static func names(in path: String) -> [String] {
    guard let directory = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe String(cString: $0)
        }
      }
      names.append(name)
    }
    return names
  }

  /// At most 64 KiB of a text file; files of /proc have no size.
  static func text(_ path: String) -> String? {
    let fd = unsafe linux_open(path, O_RDONLY, 0)
    guard fd >= 0 else { return nil }
    defer { linux_close(fd) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    var count = 0
    while count < bytes.count {
      let (start, room) = (count, bytes.count - count)
      let got = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe read(fd, buffer.baseAddress.map { unsafe $0 + start }, room)
      }
      if got <= 0 { break }
      count += got
    }
    return String(decoding: bytes[..<count], as: UTF8.self)
  }

  /// True when a daemon holds the lock of this file, nil when nobody can tell.
  static func isLocked(_ path: String) -> Bool? {
    let fd = unsafe linux_open(path, O_RDONLY, 0)
    guard fd >= 0 else { return nil }
    defer { linux_close(fd) }
    let answer = linux_is_locked(fd)
    return answer < 0 ? nil : answer == 1
  }

  /// Bytes that may still be written there.
  static func availableBytes(_ path: String) -> UInt64? {
    var bytes: UInt64 = 0
    return unsafe linux_available_bytes(path, &bytes) == 0 ? bytes : nil
  }

  static var memoryLockLimit: UInt64 { linux_memory_lock_limit() }

  static var isClockSynchronised: Bool? {
    let answer = linux_clock_is_synchronised()
    return answer < 0 ? nil : answer == 1
  }

  /// True when somebody listens on the socket, nil when this user may not try.
  static func answers(_ path: String) -> Bool? {
    switch unsafe linux_socket_answers(path) {
    case 0, EAGAIN: true
    case EACCES, EPERM: nil
    default: false
    }
  }
}
