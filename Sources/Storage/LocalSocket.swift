import CLinux
import Glibc

/// A connection over a Unix socket, closed with its scope; every transfer is whole, or an error within
/// its time.
package struct LocalSocket: ~Copyable, Sendable {
  private let rawValue: Int32

  private init(_ opened: Int32) throws(StorageError) {
    guard opened >= 0 else {
      switch -opened {
      case ENOENT, ECONNREFUSED, ENOTDIR, ENOTSOCK: throw .missing
      case EADDRINUSE: throw .busy(pid: nil)
      default: throw .ioFailure(-opened)
      }
    }
    rawValue = opened
  }

  deinit { linux_close(rawValue) }

  /// `.missing` when nobody listens there.
  package static func connect(
    path: String, timeoutMilliseconds: UInt32
  ) throws(StorageError) -> LocalSocket {
    try LocalSocket(unsafe linux_socket_connect(path, timeoutMilliseconds))
  }

  /// Listens with mode 0600; `.busy` when somebody else does.
  package static func listen(path: String) throws(StorageError) -> LocalSocket {
    try LocalSocket(unsafe linux_socket_listen(path))
  }

  /// The next connection.
  package borrowing func accept(
    timeoutMilliseconds: UInt32
  ) throws(StorageError) -> LocalSocket {
    try LocalSocket(linux_socket_accept(rawValue, timeoutMilliseconds))
  }

  /// True when the other end is a process of this user, or of root.
  package var isOfOwnUser: Bool {
    var peer = linux_peer()
    guard unsafe linux_peer_credentials(rawValue, &peer) == 0 else { return false }
    let uid = peer.uid
    return uid == geteuid() || uid == 0
  }

  /// Sends all of `bytes`.
  package borrowing func send(_ bytes: Span<UInt8>) throws(StorageError) {
    try Self.check(
      unsafe bytes.withUnsafeBufferPointer {
        unsafe linux_send_all(rawValue, $0.baseAddress, UInt64($0.count))
      })
  }

  /// Fills `bytes`; `.missing` when the other end has hung up.
  package borrowing func receive(into bytes: inout MutableSpan<UInt8>) throws(StorageError) {
    try Self.check(
      unsafe bytes.withUnsafeMutableBufferPointer {
        unsafe linux_receive_all(rawValue, $0.baseAddress, UInt64($0.count))
      })
  }

  /// The number to wait for with ``waitReadable(_:)``; valid while the value lives.
  package var number: Int32 { rawValue }

  /// Waits until one of the sockets can be read; its index, or nil after an interruption.
  package static func waitReadable(_ numbers: [Int32]) -> Int? {
    let found = unsafe numbers.withUnsafeBufferPointer {
      unsafe linux_wait_readable($0.baseAddress, Int32($0.count))
    }
    return found < 0 ? nil : Int(found)
  }

  private static func check(_ code: Int32) throws(StorageError) {
    guard code == 0 else { throw code == ENODATA ? .missing : .ioFailure(code) }
  }
}
