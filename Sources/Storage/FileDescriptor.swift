import CLinux
import Glibc

/// An open file, closed with its scope; every transfer is whole or an error.
///
/// The only file of this module that calls C. Nothing of this type renames or truncates: root holders
/// are written in place, since a rename leaves the old bytes on the disk.
package struct FileDescriptor: ~Copyable, Sendable {
  /// The number that C calls take; valid while the value lives.
  package let rawValue: Int32

  private init(rawValue: Int32) { self.rawValue = rawValue }

  deinit { linux_close(rawValue) }

  /// Opens an existing file; a symbolic link is `.notPrivate`, an absent file `.missing`.
  package static func open(
    path: String, isReadOnly: Bool = false
  ) throws(StorageError) -> FileDescriptor {
    try open(path, flags: (isReadOnly ? O_RDONLY : O_RDWR) | O_NOFOLLOW)
  }

  /// Standard input, whatever it is.
  package static func standardInput() throws(StorageError) -> FileDescriptor {
    let copy = fcntl(0, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { throw failure(errno) }
    return FileDescriptor(rawValue: copy)
  }

  /// Reads from where the file is, also from a pipe, until its end or until `bytes` are full.
  ///
  /// Returns how many were read.
  package borrowing func readStream(into bytes: inout MutableSpan<UInt8>) throws(StorageError)
    -> Int
  {
    var count = 0
    while count < bytes.count {
      let start = count
      let got = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
        unsafe Glibc.read(
          rawValue, buffer.baseAddress.map { unsafe $0 + start }, buffer.count - start)
      }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw failure(errno) }
      if got == 0 { break }
      count += got
    }
    return count
  }

  /// Opens an existing directory, to look at it or to sync it.
  package static func open(directory path: String) throws(StorageError) -> FileDescriptor {
    try open(path, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  }

  /// Makes a new file of `size` zero bytes with mode 0600; `.exists` when there is something.
  ///
  /// The zeroes are written, not merely allocated, so that writing in place later changes no
  /// metadata; they are synced before this returns, the directory entry is not.
  package static func create(
    path: String, size: Int
  ) throws(StorageError) -> FileDescriptor {
    let file = try open(path, flags: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW)
    let zeroes = [UInt8](repeating: 0, count: min(size, 1 << 16))
    var offset = 0
    while offset < size {
      let count = min(zeroes.count, size - offset)
      try file.write(zeroes.span.extracting(0..<count), at: offset)
      offset += count
    }
    try file.sync()
    return file
  }

  /// Fills `bytes` from `offset`; a file that ends before is `.corrupt` (`pread`).
  package borrowing func read(
    into bytes: inout MutableSpan<UInt8>, at offset: Int
  ) throws(StorageError) {
    let code = unsafe bytes.withUnsafeMutableBufferPointer {
      unsafe linux_pread_all(rawValue, $0.baseAddress, UInt64($0.count), Int64(offset))
    }
    if code == ENODATA { throw .corrupt }
    try check(code)
  }

  /// `count` bytes from `offset`, which must not be secret.
  package borrowing func bytes(count: Int, at offset: Int = 0) throws(StorageError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var span = bytes.mutableSpan
    try read(into: &span, at: offset)
    return bytes
  }

  /// Writes all of `bytes` at `offset` (`pwrite`); durable only after ``sync()``.
  package borrowing func write(_ bytes: Span<UInt8>, at offset: Int) throws(StorageError) {
    try check(
      unsafe bytes.withUnsafeBufferPointer {
        unsafe linux_pwrite_all(rawValue, $0.baseAddress, UInt64($0.count), Int64(offset))
      })
  }

  /// Makes what was written durable (`fsync`).
  ///
  /// A failure must never be retried: the kernel may have dropped the bytes and reports that once.
  package borrowing func sync() throws(StorageError) { try check(linux_sync(rawValue)) }

  /// Locks the whole file for this description without waiting; false when somebody else has it.
  package borrowing func tryLock() throws(StorageError) -> Bool {
    var holder: Int32 = 0
    let code = unsafe linux_try_lock(rawValue, &holder)
    if code == EAGAIN { return false }
    try check(code)
    return true
  }

  /// What the file is and who may use it (`fstat`).
  package borrowing func status() throws(StorageError) -> FileStatus {
    var found = stat()
    guard unsafe fstat(rawValue, &found) == 0 else { throw .ioFailure(errno) }
    return FileStatus(
      mode: found.st_mode & 0o7777, owner: found.st_uid, links: Int(found.st_nlink),
      size: Int(found.st_size), isRegular: found.st_mode & S_IFMT == S_IFREG)
  }

  /// True when both are descriptors of one file.
  package borrowing func isSameFile(as other: borrowing FileDescriptor) throws(StorageError) -> Bool
  {
    var (left, right) = (stat(), stat())
    guard unsafe fstat(rawValue, &left) == 0, unsafe fstat(other.rawValue, &right) == 0 else {
      throw .ioFailure(errno)
    }
    return left.st_dev == right.st_dev && left.st_ino == right.st_ino
  }

  /// Lengthens the file with zeroes (`fallocate`); never shortens it.
  ///
  /// Where the file system cannot (NFS), `ftruncate` may do it, but only when nobody else writes:
  /// between looking and truncating the file could have grown.
  borrowing func extend(to size: Int, isLocked: Bool) throws(StorageError) {
    guard try status().size < size else { return }
    let code = linux_extend(rawValue, Int64(size))
    guard code == EOPNOTSUPP, isLocked else { return try check(code) }
    guard ftruncate(rawValue, off_t(size)) == 0 else { throw .ioFailure(errno) }
  }

  private static func open(_ path: String, flags: Int32) throws(StorageError) -> FileDescriptor {
    let opened = unsafe linux_open(path, flags, 0o600)
    guard opened >= 0 else {
      // With O_NOFOLLOW a symbolic link is ELOOP.
      if -opened == ELOOP { throw .notPrivate }
      throw failure(-opened)
    }
    return FileDescriptor(rawValue: opened)
  }
}

/// What ``FileDescriptor/status()`` tells.
package struct FileStatus: Sendable {
  /// Permission bits, including set-id and sticky.
  package let mode: UInt32
  package let owner: UInt32
  /// Names that the file has.
  package let links: Int
  /// Bytes.
  package let size: Int
  package let isRegular: Bool

  /// True when it belongs to this process's user and nobody else may do anything with it.
  package var isPrivate: Bool { owner == geteuid() && mode & 0o077 == 0 }
}

/// Calls on directories and the process.
enum Linux {
  /// Bytes that may still be written on the file system of `path`; all there are when it cannot tell.
  static func availableBytes(_ path: String) -> UInt64 {
    var bytes: UInt64 = 0
    return unsafe linux_available_bytes(path, &bytes) == 0 ? bytes : .max
  }

  /// Makes a directory with mode 0700 (`mkdir`); `.exists` when there is something.
  static func makeDirectory(_ path: String) throws(StorageError) {
    guard unsafe mkdir(path, 0o700) == 0 else { throw failure(errno) }
  }

  /// Puts the file at `path` in the place of what is at `target` (`rename`); never for root holders.
  static func rename(_ path: String, to target: String) throws(StorageError) {
    guard unsafe Glibc.rename(path, target) == 0 else { throw failure(errno) }
  }

  /// Takes a name of a file away (`unlink`); nothing happens when it is not there.
  static func remove(_ path: String) throws(StorageError) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else { throw failure(errno) }
  }

  /// Takes an empty directory away (`rmdir`); nothing happens when it is not there.
  static func removeDirectory(_ path: String) throws(StorageError) {
    guard unsafe rmdir(path) == 0 || errno == ENOENT else { throw failure(errno) }
  }

  /// True when there is something, a link included (`lstat`).
  static func exists(_ path: String) -> Bool {
    var found = stat()
    return unsafe lstat(path, &found) == 0
  }

  /// True when the directory has no entries.
  static func isEmptyDirectory(_ path: String) throws(StorageError) -> Bool {
    guard let directory = unsafe opendir(path) else { throw failure(errno) }
    defer { unsafe closedir(directory) }
    // `.` and `..` are entries too.
    for _ in 0..<2 where unsafe readdir(directory) == nil { return true }
    return unsafe readdir(directory) == nil
  }

  /// The names of a directory's entries, in no order.
  static func entries(ofDirectory path: String) throws(StorageError) -> [String] {
    guard let directory = unsafe opendir(path) else { throw failure(errno) }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  static func sleep(milliseconds: UInt32) { usleep(milliseconds * 1_000) }

  #if DEBUG
    static func environmentVariable(_ name: String) -> String? {
      guard let value = unsafe getenv(name) else { return nil }
      return unsafe String(cString: value)
    }

    static func killSelf() { linux_kill_self() }

    static func appendLine(_ line: String, to path: String) {
      let file = unsafe linux_open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
      guard file >= 0 else { return }
      defer { linux_close(file) }
      let bytes = Array((line + "\n").utf8)
      _ = unsafe bytes.withUnsafeBufferPointer {
        unsafe Glibc.write(file, $0.baseAddress, $0.count)
      }
    }
  #endif
}

/// The error of an errno value.
private func failure(_ code: Int32) -> StorageError {
  switch code {
  case ENOENT, ENOTDIR: .missing
  case EEXIST: .exists
  case ENOSPC, EDQUOT, EFBIG: .noSpace
  default: .ioFailure(code)
  }
}

private func check(_ code: Int32) throws(StorageError) {
  guard code == 0 else { throw failure(code) }
}
