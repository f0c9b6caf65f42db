import Glibc

/// What the program asks of the system: to read files, to list a folder, to write a page.
enum SystemCalls {
  /// Opens a regular file that is no link, for reading; its size too.
  static func openFile(_ path: String) -> (descriptor: Int32, bytes: UInt64)? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    var found = stat()
    guard unsafe fstat(descriptor, &found) == 0, found.st_mode & S_IFMT == S_IFREG,
      found.st_size >= 0
    else {
      close(descriptor)
      return nil
    }
    return (descriptor, UInt64(found.st_size))
  }

  static func closeFile(_ descriptor: Int32) { close(descriptor) }

  /// Appends at most `countMax` bytes of a file; how many there were, 0 at the end, nil when it failed.
  static func read(_ descriptor: Int32, into bytes: inout [UInt8], countMax: Int) -> Int? {
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: countMax))
    var count = 0
    repeat {
      count = unsafe bytes.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress! + start, countMax)
      }
    } while count < 0 && errno == EINTR
    bytes.removeLast(countMax - max(0, count))
    return count < 0 ? nil : count
  }

  /// The names in a folder, at most `countMax`; nil when there is none.
  static func names(in folder: String, countMax: Int) -> [String]? {
    guard let stream = unsafe opendir(folder) else { return nil }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while names.count < countMax, let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  /// Milliseconds since 1970.
  static var wallClockMilliseconds: Int64 {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
  }

  /// Writes a file, anew if it is there; false when that failed.
  ///
  /// `-` is standard output.
  static func writeFile(_ path: String, _ bytes: [UInt8]) -> Bool {
    if path == "-" { return write(1, bytes) }
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return false }
    let isWritten = write(descriptor, bytes)
    return close(descriptor) == 0 && isWritten
  }

  /// Writes everything; false when that failed.
  static func write(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress! + sent, bytes.count - sent)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }
}
