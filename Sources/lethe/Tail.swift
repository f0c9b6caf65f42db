import ArgumentParser
import Client
import EventModel
import RESP

/// `lethe tail`: follows streams as events come.
struct Tail: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Follow streams, or the whole tenant ('*'), as events come.",
    discussion: """
      Ends with Ctrl-C, or after --count events. Without --after it begins with what comes next.

      EXAMPLES
        $ lethe tail orders
        $ lethe tail '*' --after 0 --json | my-projection
        $ lethe tail orders invoices --count 10
      """)

  @Argument(help: "Streams, or '*'.")
  var streams: [String]

  @Option(help: ArgumentHelp("Begin behind this version (or position).", valueName: "n"))
  var after: UInt64?

  @Option(help: ArgumentHelp("End after this many events.", valueName: "n"))
  var count: UInt64?

  @OptionGroup var options: ConnectionOptions

  /// How long the daemon holds one question open.
  private static let blockMilliseconds: UInt64 = 10_000

  mutating func validate() throws {
    guard !streams.isEmpty, streams.count <= Limits.readStreamsMax else {
      throw ValidationError("name 1 to \(Limits.readStreamsMax) streams")
    }
    guard Set(streams).count == streams.count else { throw ValidationError("a stream twice") }
  }

  func run() throws {
    let session = try options.openQuery()
    // `$` would miss what comes between two questions, so it is asked for once, as a number.
    var places = try streams.map { try after ?? newest(session, $0) }
    var missing = count ?? .max
    let output = EventOutput(isJSON: options.json)
    while missing > 0 {
      var request = Request("EVENT.READ")
      request.append("COUNT", String(min(missing, 1_000)))
      request.append("BLOCK", String(Self.blockMilliseconds))
      request.append("STREAMS")
      for stream in streams { request.append(stream) }
      for place in places { request.append(String(place)) }
      let reply = try session.call(request, extraMilliseconds: Self.blockMilliseconds)
      for (stream, events) in try Self.lists(reply) ?? { throw session.unexpectedReply }() {
        guard let index = streams.firstIndex(of: stream), let last = events.last,
          let place = last[stream == "*" ? "position" : "version"]?.integer
        else { throw session.unexpectedReply }
        places[index] = UInt64(clamping: place)
        let shown = events.prefix(Int(clamping: missing))
        try output.show(Array(shown), withStream: stream == "*" || streams.count > 1)
        missing -= UInt64(shown.count)
      }
    }
  }

  private func newest(_ session: Session, _ stream: String) throws -> UInt64 {
    let reply = try session.call(
      stream == "*" ? Request("EVENT.COUNT") : Request("EVENT.STREAM", stream))
    let number = stream == "*" ? reply.integer : reply["version"]?.integer ?? 0
    guard let number else { throw session.unexpectedReply }
    return UInt64(clamping: number)
  }

  /// The streams of an answer with their events; none at the timeout, nil for another shape.
  static func lists(_ reply: Reply) -> [(stream: String, events: [Reply])]? {
    switch reply {
    case .null: return []
    case .map(let pairs):
      let lists = pairs.compactMap { pair in
        pair.key.text.flatMap { text in pair.value.items.map { (stream: text, events: $0) } }
      }
      return lists.count == pairs.count ? lists.filter { !$0.events.isEmpty } : nil
    default: return nil
    }
  }
}
