import Client
import EventModel
import RESP

/// Lines of JSON from stdin, read as events.
struct EventLines {
  private var reader = LineReader(0)
  private let stream: String?
  private let type: String?
  /// The number of the line that was read last, from 1.
  private(set) var number = 0

  init(stream: String?, type: String?) {
    self.stream = stream
    self.type = type
  }

  /// The next event, or nil at the end.
  ///
  /// Empty lines are passed over.
  mutating func next() throws -> EventDraft? {
    while true {
      number += 1
      switch reader.next() {
      case .end: return nil
      case .tooLong: throw Failure(.dataError, "line \(number) is too long")
      case .failed(let code):
        throw Failure(.ioError, "stdin: \(SystemCalls.describe(errno: code))")
      case .line(let line):
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
        do {
          return try EventLine.parse(line, stream: stream, type: type)
        } catch {
          throw Failure(.dataError, "line \(number): \(error.text)")
        }
      }
    }
  }
}

/// Stores events from lines: in a pipeline, or as one batch.
struct AppendMany {
  private let session: Session
  private let options: ConnectionOptions

  init(_ session: Session, _ options: ConnectionOptions) {
    self.session = session
    self.options = options
  }

  /// Sends without waiting for each answer.
  ///
  /// The first refusal, or the first line that is no event,
  /// ends it, after the answers of what was sent already; the message says how far it came.
  func pipeline(_ lines: inout EventLines) throws {
    var pipeline = AppendPipeline(session)
    var stored = 0
    var stop: Failure?
    func settle() throws {
      let (line, reply) = try pipeline.receive()
      if case .error(let text) = reply {
        let failure = Failure(.refused(Refusal(text)), path: session.path)
        stop = stop ?? Failure(failure.status, "line \(line): \(failure.text)")
        return
      }
      stored += 1
      if options.json { try Output.json(JSONValue(reply)) }
      if stored % 1_000 == 0 { Output.progress("\(stored) events stored") }
    }
    do {
      while stop == nil, let draft = try lines.next() {
        try pipeline.send(draft.appendRequest, line: lines.number)
        if pipeline.isFull { try settle() }
      }
    } catch let failure as Failure where pipeline.count > 0 && failure.status == .dataError {
      stop = failure
    }
    while pipeline.count > 0 { try settle() }
    Output.endProgress()
    Output.message("\(stored) events stored")
    if let stop { throw stop }
  }

  /// Stores all lines or none.
  func batch(_ lines: inout EventLines) throws {
    var drafts: [EventDraft] = []
    while let draft = try lines.next() {
      drafts.append(draft)
      guard drafts.count <= Limits.batchEventsMax else {
        throw Failure(.dataError, "a batch has at most \(Limits.batchEventsMax) events")
      }
    }
    guard !drafts.isEmpty else { throw Failure(.dataError, "stdin holds no event") }
    let reply = try session.callAgain(EventDraft.batchRequest(drafts))
    if options.json { try Output.list(reply, isJSON: true) }
    Output.message("\(drafts.count) events stored together")
  }
}
