import ArgumentParser
import Client
import EventModel
import RESP

/// `lethe read`: events of a stream, or of the whole tenant.
struct Read: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read events of a stream, or of the whole tenant ('*').",
    discussion: """
      Events come by version, those of '*' by position. Erased events keep their place and have no \
      payload; --live-only leaves them out.

      EXAMPLES
        $ lethe read orders --from 10 --count 5
        $ lethe read '*' --reverse --count 20
        $ lethe read orders --all --live-only --json > orders.ndjson
        $ lethe read --position 4711
      """)

  @Argument(help: "The stream, or '*' for all of the tenant's events.")
  var stream: String?

  @Option(help: ArgumentHelp("The lowest version (or position).", valueName: "n"))
  var from: UInt64?

  @Option(help: ArgumentHelp("The highest version (or position).", valueName: "n"))
  var to: UInt64?

  @Flag(help: "Newest first.")
  var reverse = false

  @Option(help: ArgumentHelp("At most this many events.", valueName: "n"))
  var count: UInt64?

  @Flag(help: "All events, however many.")
  var all = false

  @Flag(help: "Leave out erased events.")
  var liveOnly = false

  @Option(help: ArgumentHelp("The one event at this position.", valueName: "n"))
  var position: UInt64?

  @OptionGroup var options: ConnectionOptions

  mutating func validate() throws {
    guard (stream == nil) != (position == nil) else {
      throw ValidationError("name a stream, or a --position")
    }
    guard !all || count == nil else {
      throw ValidationError("--all and --count exclude each other")
    }
    guard (from ?? 1) <= (to ?? .max) else { throw ValidationError("--from is above --to") }
  }

  func run() throws {
    let session = try options.openQuery()
    if let position {
      let event = try session.call(Request("EVENT.GET", "POSITION", String(position)))
      return try EventOutput(isJSON: options.json).show([event], withStream: true)
    }
    try readPages(session, stream: stream ?? "*")
  }

  /// Asks for pages until enough has come; each page begins behind the last event of the one
  /// before.
  private func readPages(_ session: Session, stream: String) throws {
    let isFeed = stream == "*"
    let output = EventOutput(isJSON: options.json)
    var missing = all ? UInt64.max : count ?? UInt64(Limits.countDefault)
    var (low, high) = (max(1, from ?? 1), to ?? Limits.positionMax)
    if !options.json, SystemCalls.isTerminal(1) { Output.message(output.heads(withStream: isFeed)) }
    while missing > 0, low <= high {
      var request = Request("EVENT.RANGE", stream)
      request.append(String(reverse ? high : low))
      request.append(String(reverse ? low : high))
      if reverse { request.append("REV") }
      let asked = min(missing, 1_000)
      request.append("COUNT", String(asked))
      if liveOnly { request.append("LIVEONLY") }
      guard let events = try session.call(request).items else { throw session.unexpectedReply }
      try output.show(events, withStream: isFeed)
      // A page may end early because of its bytes; only an empty one is the end.
      guard let last = events.last else { return }
      guard let place = last[isFeed ? "position" : "version"]?.integer.map(UInt64.init(clamping:))
      else { throw session.unexpectedReply }
      missing -= min(missing, UInt64(events.count))
      if reverse {
        guard place > 1 else { return }
        high = place - 1
      } else {
        low = place + 1
      }
    }
  }
}
