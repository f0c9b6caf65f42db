import CLinux
import Glibc
package import RESP

/// A blocking connection to one of the daemon's sockets, in RESP3.
///
/// Requests may be pipelined: ``send(_:)`` buffers, ``receive()`` sends what is buffered and waits
/// for the oldest answer that is due. While it writes, it reads too, so that neither side can
/// wait for the other for ever. After an error other than ``ClientError/refused(_:)`` the
/// connection is of no use.
package final class Connection {
  /// What the daemon said of itself in `HELLO`.
  package private(set) var greeting: Reply = .null
  /// Requests whose answers are due.
  package private(set) var pending = 0

  private let fd: Int32
  private let timeoutMilliseconds: UInt64
  private var parser = ReplyParser()
  private var outgoing: [UInt8] = []
  private var sent = 0
  private var incoming: [UInt8] = []
  private var consumed = 0
  private var hasEnded = false

  /// Bytes that one read asks for.
  private static let chunkBytes = 1 << 16
  /// Bytes that are buffered before they go out without being asked for.
  private static let outgoingBytesMax = 1 << 16

  /// Connects to the socket at `path`, says hello, and binds to `tenant` if one is named.
  package init(path: String, tenant: String?, timeoutMilliseconds: UInt64) throws(ClientError) {
    self.timeoutMilliseconds = timeoutMilliseconds
    switch SystemCalls.connectUnix(path) {
    case .success(let fd): self.fd = fd
    case .failure(let error):
      switch error.errno {
      case EACCES, EPERM: throw .forbidden
      case ENAMETOOLONG: throw .badPath
      default: throw .unreachable(errno: error.errno)
      }
    }
    var hello = Request("HELLO", "3")
    if let tenant {
      hello.append("AUTH")
      hello.append(tenant)
      // The kernel's peer credentials decide; clients that insist on a password send this one.
      hello.append("peer")
    }
    hello.append("SETNAME", "lethe")
    greeting = try call(hello)
  }

  /// Takes over a connected socket, as tests make them; says no hello.
  package init(connected fd: Int32, timeoutMilliseconds: UInt64) {
    self.fd = fd
    self.timeoutMilliseconds = timeoutMilliseconds
  }

  deinit { SystemCalls.closeFile(fd) }

  /// Sends a request and waits for its answer; an error reply is thrown.
  ///
  /// `extraMilliseconds` is what the daemon was asked to wait for.
  package func call(
    _ request: Request, extraMilliseconds: UInt64 = 0
  ) throws(ClientError) -> Reply {
    try send(request)
    let reply = try receive(extraMilliseconds: extraMilliseconds)
    if case .error(let text) = reply { throw .refused(Refusal(text)) }
    return reply
  }

  /// Queues a request; it goes out when enough is queued or an answer is waited for.
  package func send(_ request: Request) throws(ClientError) {
    request.encode(to: &outgoing)
    pending += 1
    if outgoing.count - sent >= Self.outgoingBytesMax { try flush() }
  }

  /// The oldest answer that is due.
  ///
  /// Error replies are returned, not thrown.
  package func receive(extraMilliseconds: UInt64 = 0) throws(ClientError) -> Reply {
    precondition(pending > 0, "no answer is due")
    try flush()
    let deadline = self.deadline(extraMilliseconds: extraMilliseconds)
    while true {
      if let reply = try parse() {
        if case .push = reply { continue }
        pending -= 1
        return reply
      }
      guard !hasEnded else { throw .closed }
      guard SystemCalls.wait(fd, forWriting: false, milliseconds: try rest(deadline)).isReadable
      else { continue }
      fill()
    }
  }

  /// Sends everything that is queued.
  package func flush() throws(ClientError) {
    let deadline = self.deadline(extraMilliseconds: 0)
    while sent < outgoing.count {
      switch SystemCalls.send(fd, outgoing, from: sent) {
      case .moved(let count): sent += count
      case .ended, .failed:
        // A refusal may have come before the daemon closed: it says more than the broken pipe.
        fill()
        sent = outgoing.count
      case .wouldBlock:
        let ready = SystemCalls.wait(fd, forWriting: true, milliseconds: try rest(deadline))
        if ready.isReadable { fill() }
        if hasEnded { sent = outgoing.count }
      }
    }
    outgoing.removeAll(keepingCapacity: true)
    sent = 0
  }
}

extension Connection {
  private func parse() throws(ClientError) -> Reply? {
    guard consumed < incoming.count else { return nil }
    let bytes = incoming
    let rest = bytes.span.extracting(consumed..<bytes.count)
    let step: ReplyParser.Step
    do { step = try parser.parse(rest) } catch { throw .malformed(error) }
    consumed += step.count
    if consumed == incoming.count {
      incoming.removeAll(keepingCapacity: true)
      consumed = 0
    } else if consumed > Self.chunkBytes {
      incoming.removeFirst(consumed)
      consumed = 0
    }
    return step.reply
  }

  private func fill() {
    switch SystemCalls.read(fd, into: &incoming, countMax: Self.chunkBytes) {
    case .moved, .wouldBlock: return
    case .ended, .failed: hasEnded = true
    }
  }

  private func deadline(extraMilliseconds: UInt64) -> UInt64 {
    linux_monotonic_nanoseconds() / 1_000_000 + timeoutMilliseconds + extraMilliseconds
  }

  private func rest(_ deadline: UInt64) throws(ClientError) -> Int32 {
    let now = linux_monotonic_nanoseconds() / 1_000_000
    guard now < deadline else { throw .timedOut }
    return Int32(clamping: deadline - now)
  }
}
