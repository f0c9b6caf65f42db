import Client
import Glibc
import Synchronization

/// A daemon of canned replies behind one end of a socket pair; records what it was sent.
final class FakeDaemon: Sendable {
  /// The client's end.
  let clientEnd: Int32
  private let serverEnd: Int32
  private let heard = Mutex<[UInt8]>([])

  /// Sends `replies` one after the other, `pauseMilliseconds` apart, then closes or stays.
  init(replies: [[UInt8]], pauseMilliseconds: UInt32 = 0, closes: Bool = true) {
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let status = unsafe socketpair(AF_UNIX, type, 0, &ends)
    precondition(status == 0, "no socket pair")
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    (clientEnd, serverEnd) = (ends[0], ends[1])
    let end = serverEnd
    Self.detach {
      for reply in replies {
        usleep(pauseMilliseconds * 1_000)
        _ = SystemCalls.writeAll(end, reply)
      }
      if closes { shutdown(end, Int32(SHUT_WR)) }
      var bytes: [UInt8] = []
      while case .moved = SystemCalls.read(end, into: &bytes, countMax: 4_096) {
        self.heard.withLock { $0 = bytes }
      }
      SystemCalls.closeFile(end)
    }
  }

  /// What has been sent to it so far, once `count` bytes are there or two seconds are over.
  func heard(count: Int) -> [UInt8] {
    for _ in 0..<400 {
      let bytes = heard.withLock { $0 }
      if bytes.count >= count { return bytes }
      usleep(5_000)
    }
    return heard.withLock { $0 }
  }

  /// The reading end of a pipe that holds `bytes`.
  static func pipe(_ bytes: [UInt8]) -> Int32 {
    var ends: [Int32] = [-1, -1]
    let status = unsafe Glibc.pipe(&ends)
    precondition(status == 0, "no pipe")
    let writer = ends[1]
    detach {
      _ = SystemCalls.writeAll(writer, bytes)
      SystemCalls.closeFile(writer)
    }
    return ends[0]
  }

  /// Runs `body` on a thread of its own.
  static func detach(_ body: @escaping @Sendable () -> Void) {
    let box = Box(body)
    var thread = pthread_t()
    let pointer = unsafe Unmanaged.passRetained(box).toOpaque()
    let status = unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
        return nil
      }, pointer)
    precondition(status == 0, "no thread")
    pthread_detach(thread)
  }

  private final class Box: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}

/// Bytes of a text with `\n` for CRLF, to write replies legibly.
func wire(_ text: String) -> [UInt8] {
  Array(text.utf8).flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
}
