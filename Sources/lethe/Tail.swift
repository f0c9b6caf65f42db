import ArgumentParser
import Client
import EventModel
import RESP

/// `lethe tail`: follows streams as events come.
struct Tail: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Follow streams, or the whole tenant ('*'), as events come.",
    discussion: """
      Ends with Ctrl-C, or after --count events. Without --after it begins with what comes next. \
      A lost connection is made again and nothing is missed or repeated; when the daemon stays \
      away, the message says with which --after to go on.

      EXAMPLES
        $ lethe tail orders
        $ lethe tail '*' --after 0 --json | my-projection
        $ lethe tail orders invoices --after 117 --after 20
        $ lethe tail orders --count 10 --format ce
      """)

  @Argument(help: "Streams, or '*'.")
  var streams: [String]

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Begin behind this version (or position): once for all streams, or once for each.",
      valueName: "n"))
  var after: [UInt64] = []

  @Option(help: ArgumentHelp("End after this many events.", valueName: "n"))
  var count: UInt64?

  @Option(help: ArgumentHelp("How long to try when the daemon is away.", valueName: "seconds"))
  var patience: UInt32 = 60

  @OptionGroup var form: FormatOption

  @OptionGroup var options: ConnectionOptions

  mutating func validate() throws {
    guard !streams.isEmpty, streams.count <= Limits.readStreamsMax else {
      throw ValidationError("name 1 to \(Limits.readStreamsMax) streams")
    }
    guard Set(streams).count == streams.count else { throw ValidationError("a stream twice") }
    guard after.count <= 1 || after.count == streams.count else {
      throw ValidationError("--after once for all streams, or once for each")
    }
  }

  func run() throws {
    let session = try options.openQuery()
    var follower = try Follower(session, streams: streams, after: after, limit: count ?? .max)
    let output = form.output(isJSON: options.json)
    do {
      while let events = try next(&follower, output) {
        try output.show(events, withStream: streams.count > 1 || streams == ["*"])
      }
    } catch let failure as Failure where failure.error != nil {
      let places = follower.places.map { "--after \($0)" }.joined(separator: " ")
      throw failure.adding("go on with: \(places)")
    }
  }

  /// The next events, after as many reconnections as patience has.
  private func next(_ follower: inout Follower, _ output: EventOutput) throws -> [Reply]? {
    while true {
      do { return try follower.next(output) } catch let failure as Failure where failure.isPassing {
        guard patience > 0 else { throw failure }
        Output.message("the connection was lost; trying again")
        try follower.session.reconnect(patienceMilliseconds: UInt64(patience) * 1_000)
      }
    }
  }
}

/// Waits for events behind a place in each stream; what it has handed out it does not ask for again.
struct Follower {
  let session: Session
  let streams: [String]
  /// The version (or position) of the last event handed out of each stream.
  private(set) var places: [UInt64]
  private var missing: UInt64

  /// How long the daemon holds one question open.
  private static let blockMilliseconds: UInt64 = 10_000

  /// `$` would miss what comes between two questions, so without `after` the newest places are
  /// asked for once.
  init(_ session: Session, streams: [String], after: [UInt64], limit: UInt64) throws {
    (self.session, self.streams, missing) = (session, streams, limit)
    places = []
    for (index, stream) in streams.enumerated() {
      let place = after.count == 1 ? after[0] : index < after.count ? after[index] : nil
      places.append(try place ?? Self.newest(session, stream))
    }
  }

  /// Events of one stream, empty when none came for a while, nil after as many as were wanted.
  mutating func next(_ output: EventOutput) throws -> [Reply]? {
    guard missing > 0 else { return nil }
    var request = Request("EVENT.READ")
    request.append("COUNT", String(min(missing, 1_000)))
    request.append("BLOCK", String(Self.blockMilliseconds))
    output.append(to: &request)
    request.append("STREAMS")
    for stream in streams { request.append(stream) }
    for place in places { request.append(String(place)) }
    let reply = try session.call(request, extraMilliseconds: Self.blockMilliseconds)
    guard let lists = Self.lists(reply) else { throw session.unexpectedReply }
    var found: [Reply] = []
    // Kept only when all of it was understood, so that nothing is passed over after a failure.
    var (reached, left) = (places, missing)
    for (stream, events) in lists {
      let shown = Array(events.prefix(Int(clamping: left)))
      guard let last = shown.last else { continue }
      guard let index = streams.firstIndex(of: stream),
        let place = output.place(of: last, isFeed: stream == "*")
      else { throw session.unexpectedReply }
      found += shown
      reached[index] = place
      left -= UInt64(shown.count)
    }
    (places, missing) = (reached, left)
    return found
  }

  private static func newest(_ session: Session, _ stream: String) throws -> UInt64 {
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
