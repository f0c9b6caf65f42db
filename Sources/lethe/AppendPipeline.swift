import Client
import RESP

/// Appends that are on their way: many are sent before the first is answered.
///
/// Each has an id, so that after a lost connection all that were not answered can be sent again:
/// the daemon answers what it had stored already as duplicates.
struct AppendPipeline {
  private let session: Session
  private var waiting: [(line: Int, request: Request)] = []
  /// How many at the front of `waiting` were answered.
  private var answered = 0
  private var bytes = 0
  private var mayReconnect = true

  /// Appends that wait for their answers; enough for full group commits, few enough that the
  /// answers fit into the socket's buffers.
  private static let window = 512
  /// Bytes that are kept for being sent again.
  private static let bytesMax = 32 << 20

  init(_ session: Session) { self.session = session }

  /// True when an answer must be taken before the next append.
  var isFull: Bool { count >= Self.window || bytes >= Self.bytesMax }

  /// Appends without an answer.
  var count: Int { waiting.count - answered }

  /// The line whose answer is due first.
  var oldestLine: Int? { answered < waiting.count ? waiting[answered].line : nil }

  /// Sends an append; `line` is given back with its answer.
  mutating func send(_ request: Request, line: Int) throws {
    waiting.append((line, request))
    bytes += Self.size(request)
    do { try session.send(request) } catch let failure as Failure { try recover(failure) }
  }

  /// The oldest answer that is due.
  mutating func receive() throws -> (line: Int, reply: Reply) {
    precondition(count > 0, "no answer is due")
    while true {
      do {
        let reply = try session.receive()
        mayReconnect = true
        let (line, request) = waiting[answered]
        answered += 1
        bytes -= Self.size(request)
        if answered == waiting.count || answered > 4_096 {
          waiting.removeFirst(answered)
          answered = 0
        }
        return (line, reply)
      } catch let failure as Failure { try recover(failure) }
    }
  }

  /// Once after each answer: connects again and sends again what was not answered.
  private mutating func recover(_ failure: Failure) throws {
    guard mayReconnect, failure.isLostConnection else { throw failure }
    mayReconnect = false
    try session.reconnect()
    for (_, request) in waiting[answered...] { try session.send(request) }
  }

  private static func size(_ request: Request) -> Int {
    request.arguments.reduce(0) { $0 + $1.count }
  }
}
