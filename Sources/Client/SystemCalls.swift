import CLinux
import Glibc

/// The system calls of the client, each one call wide: the only file here with unsafe memory.
///
/// Every call hides EINTR; the others' errors come back as `errno`.
package enum SystemCalls {
  /// What a call that moves bytes did.
  package enum Transfer: Hashable, Sendable {
    case moved(Int)
    /// The other side has closed, or the file has ended.
    case ended
    case wouldBlock
    case failed(errno: Int32)
  }

  /// Longest path of a Unix socket: `sun_path` without its terminator.
  package static let socketPathBytesMax = 107

  /// Opens a stream socket to `path`, nonblocking and closed on exec; returns errno on failure.
  ///
  /// Connecting to a Unix socket does not wait for the other side to accept, except when its queue
  /// is full: then this is EAGAIN.
  package static func connectUnix(_ path: String) -> Result<Int32, SystemError> {
    let bytes = Array(path.utf8)
    guard bytes.count <= socketPathBytesMax, !bytes.isEmpty, !bytes.contains(0) else {
      return .failure(SystemError(errno: ENAMETOOLONG))
    }
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let fd = socket(AF_UNIX, type | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard fd >= 0 else { return .failure(SystemError(errno: errno)) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { field in
      for (index, byte) in bytes.enumerated() { unsafe field[index] = byte }
    }
    let status = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard status == 0 else {
      let code = errno
      close(fd)
      return .failure(SystemError(errno: code))
    }
    return .success(fd)
  }

  /// Waits until `fd` can be read (and, if asked, written) or the time is over.
  ///
  /// A hang-up counts as readable: reading then says what happened.
  package static func wait(
    _ fd: Int32, forWriting: Bool, milliseconds: Int32
  ) -> (isReadable: Bool, isWritable: Bool) {
    var entry = pollfd(
      fd: fd, events: Int16(POLLIN) | (forWriting ? Int16(POLLOUT) : 0), revents: 0)
    let count = unsafe poll(&entry, 1, milliseconds)
    guard count > 0 else { return (false, false) }
    let happened = Int32(entry.revents)
    return (happened & (POLLIN | POLLHUP | POLLERR) != 0, happened & POLLOUT != 0)
  }

  /// Sends what goes without waiting of `bytes` from `offset` on; never raises SIGPIPE.
  package static func send(_ fd: Int32, _ bytes: [UInt8], from offset: Int) -> Transfer {
    unsafe bytes.withUnsafeBytes { buffer in
      repeating {
        unsafe Glibc.send(
          fd, buffer.baseAddress.map { unsafe $0 + offset }, buffer.count - offset,
          Int32(MSG_NOSIGNAL))
      }
    }
  }

  /// Reads at most `countMax` bytes and appends them.
  package static func read(_ fd: Int32, into bytes: inout [UInt8], countMax: Int) -> Transfer {
    var transfer = Transfer.ended
    let chunk = unsafe [UInt8](unsafeUninitializedCapacity: countMax) { buffer, count in
      transfer = repeating { unsafe Glibc.read(fd, buffer.baseAddress, countMax) }
      if case .moved(let moved) = transfer { count = moved }
    }
    bytes.append(contentsOf: chunk)
    return transfer
  }

  /// Writes all of `bytes`; 0 or errno.
  package static func writeAll(_ fd: Int32, _ bytes: [UInt8]) -> Int32 {
    var offset = 0
    while offset < bytes.count {
      let transfer = unsafe bytes.withUnsafeBytes { buffer in
        repeating {
          unsafe Glibc.write(
            fd, buffer.baseAddress.map { unsafe $0 + offset }, buffer.count - offset)
        }
      }
      switch transfer {
      case .moved(let count): offset += count
      case .ended: return EIO
      case .wouldBlock: _ = wait(fd, forWriting: true, milliseconds: 1_000)
      case .failed(let code): return code
      }
    }
    return 0
  }

  /// Opens the terminal of the process for a question, even when stdin is a pipe; nil if none.
  package static func openTerminal() -> Int32? {
    let fd = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC)
    return fd >= 0 ? fd : nil
  }

  /// Opens a file for reading.
  package static func openInput(_ path: String) -> Result<Int32, SystemError> {
    opened(linuxOpen(path, O_RDONLY))
  }

  /// Opens a private file for writing at its end: a new one, or with `mayExist` also one there.
  package static func openOutput(_ path: String, mayExist: Bool) -> Result<Int32, SystemError> {
    opened(linuxOpen(path, O_RDWR | O_APPEND | O_CREAT | (mayExist ? 0 : O_EXCL)))
  }

  /// Makes a private folder that was not there; 0 or errno.
  package static func makeFolder(_ path: String) -> Int32 {
    unsafe mkdir(path, 0o700) == 0 ? 0 : errno
  }

  private static func linuxOpen(_ path: String, _ flags: Int32) -> Int32 {
    unsafe linux_open(path, flags, 0o600)
  }

  private static func opened(_ result: Int32) -> Result<Int32, SystemError> {
    result >= 0 ? .success(result) : .failure(SystemError(errno: -result))
  }

  /// Bytes of an open file; 0 for what has no size.
  package static func size(_ fd: Int32) -> Int64 {
    var found = stat()
    return unsafe fstat(fd, &found) == 0 ? Int64(found.st_size) : 0
  }

  /// `count` bytes of a file from `offset`, or nil.
  package static func read(_ fd: Int32, at offset: Int64, count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    let code = unsafe bytes.withUnsafeMutableBufferPointer {
      unsafe linux_pread_all(fd, $0.baseAddress, UInt64($0.count), offset)
    }
    return code == 0 ? bytes : nil
  }

  /// Cuts a file; 0 or errno.
  package static func truncate(_ fd: Int32, to size: Int64) -> Int32 {
    ftruncate(fd, off_t(size)) == 0 ? 0 : errno
  }

  /// Makes a file durable; 0 or errno.
  package static func sync(_ fd: Int32) -> Int32 { linux_sync(fd) }

  /// Sleeps.
  package static func pause(milliseconds: UInt64) { usleep(UInt32(clamping: milliseconds * 1_000)) }

  /// A clock that only goes forward.
  package static var monotonicMilliseconds: UInt64 { linux_monotonic_nanoseconds() / 1_000_000 }

  /// Milliseconds since 1970.
  package static var wallClockMilliseconds: Int64 { linux_wall_clock_milliseconds() }

  /// Closes a descriptor; nothing can be done when that fails.
  package static func closeFile(_ fd: Int32) { close(fd) }

  /// True when a person may sit at the other end.
  package static func isTerminal(_ fd: Int32) -> Bool { isatty(fd) == 1 }

  /// Turns the echo of a terminal on or off; false when it is none.
  package static func setEcho(_ fd: Int32, _ isOn: Bool) -> Bool {
    var settings = termios()
    guard unsafe tcgetattr(fd, &settings) == 0 else { return false }
    if isOn {
      settings.c_lflag |= tcflag_t(ECHO)
    } else {
      settings.c_lflag &= ~tcflag_t(ECHO)
    }
    return unsafe tcsetattr(fd, TCSAFLUSH, &settings) == 0
  }

  /// The value of an environment variable, if it is set and not empty.
  package static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
  }

  /// The system's sentence for an error number.
  package static func describe(errno code: Int32) -> String {
    var bytes = [CChar](repeating: 0, count: 256)
    guard unsafe strerror_r(code, &bytes, bytes.count) == 0 else { return "error \(code)" }
    let end = bytes.firstIndex(of: 0) ?? bytes.count
    return String(decoding: bytes[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func repeating(_ call: () -> Int) -> Transfer {
    while true {
      let count = call()
      if count > 0 { return .moved(count) }
      if count == 0 { return .ended }
      let code = errno
      if code == EINTR { continue }
      if code == EAGAIN || code == EWOULDBLOCK { return .wouldBlock }
      return .failed(errno: code)
    }
  }
}

/// What the system said no with.
package struct SystemError: Error, Hashable, Sendable {
  package let errno: Int32
}
