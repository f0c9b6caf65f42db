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
        $ lethe read orders --format ce
        $ lethe read --position 4711
      """)

  @Argument(help: "The stream, or '*' for all of the tenant's events.")
  var stream: String?

  @Option(help: ArgumentHelp("The lowest version (or position).", valueName: "n"))
  var from: UInt64?

  @Option(help: ArgumentHelp("The highest version (or position).", valueName: "n"))
  var to: UInt64?

  @OptionGroup var amount: AmountOptions

  @Flag(help: "Leave out erased events.")
  var liveOnly = false

  @Option(help: ArgumentHelp("The one event at this position.", valueName: "n"))
  var position: UInt64?

  @OptionGroup var form: FormatOption

  @OptionGroup var options: ConnectionOptions

  mutating func validate() throws {
    guard (stream == nil) != (position == nil) else {
      throw ValidationError("name a stream, or a --position")
    }
    guard (from ?? 1) <= (to ?? .max) else { throw ValidationError("--from is above --to") }
  }

  func run() throws {
    let session = try options.openQuery()
    let output = form.output(isJSON: options.json)
    if let position {
      var request = Request("EVENT.GET", "POSITION", String(position))
      output.append(to: &request)
      return try output.show([session.callAgain(request)], withStream: true)
    }
    let isFeed = stream == "*"
    var pages = RangePages(
      stream: stream ?? "*", low: max(1, from ?? 1), high: to ?? Limits.positionMax,
      isReversed: amount.reverse, isLiveOnly: liveOnly, missing: amount.most)
    output.showHeads(withStream: isFeed)
    while let events = try pages.next(session, output) {
      try output.show(events, withStream: isFeed)
    }
  }
}

/// Asks for events by version, or by position, until enough has come; each page begins behind the
/// last event of the one before.
struct RangePages {
  let stream: String
  private(set) var low: UInt64
  private(set) var high: UInt64
  let isReversed: Bool
  let isLiveOnly: Bool
  private var missing: UInt64

  /// The most that is asked for at once.
  private static let pageEvents: UInt64 = 1_000

  init(
    stream: String, low: UInt64, high: UInt64, isReversed: Bool, isLiveOnly: Bool, missing: UInt64
  ) {
    (self.stream, self.low, self.high) = (stream, low, high)
    (self.isReversed, self.isLiveOnly, self.missing) = (isReversed, isLiveOnly, missing)
  }

  /// True when numbers are positions in the tenant, not versions of a stream.
  var isFeed: Bool { stream == "*" }

  /// The next page, or nil at the end; a page may end early because of its bytes, so only an empty
  /// one is the end.
  mutating func next(_ session: Session, _ output: EventOutput) throws -> [Reply]? {
    guard missing > 0, low <= high else { return nil }
    var request = Request("EVENT.RANGE", stream)
    request.append(String(isReversed ? high : low))
    request.append(String(isReversed ? low : high))
    if isReversed { request.append("REV") }
    request.append("COUNT", String(min(missing, Self.pageEvents)))
    output.append(to: &request)
    if isLiveOnly { request.append("LIVEONLY") }
    guard let events = try session.callAgain(request).items else { throw session.unexpectedReply }
    guard let last = events.last else { return nil }
    guard let place = output.place(of: last, isFeed: isFeed) else {
      throw session.unexpectedReply
    }
    missing -= min(missing, UInt64(events.count))
    if isReversed { high = place - 1 } else { low = place + 1 }
    return events
  }
}
