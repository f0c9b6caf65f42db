import ArgumentParser
import Client
import EventModel
import RESP

/// `lethe count`: how many events there are, or how many match.
struct Count: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Count events: all, a stream's, or those that match.",
    discussion: """
      Without filters the answer is the newest position, or the stream's newest version: erased and \
      expired events count. With filters, or with --live, live events are counted.

      EXAMPLES
        $ lethe count --tenant acme
        $ lethe count orders --json
        $ lethe count orders --live
        $ lethe count --type order.placed --since 7d
        $ lethe count --subject-prompt                 # asks who, and does not show the answer
      """)

  @Argument(help: "A stream; alone it shows its version and how many of its events have expired.")
  var stream: String?

  @OptionGroup var filter: FilterOptions

  @Flag(help: "Count live events only.")
  var live = false

  @OptionGroup var options: ConnectionOptions

  mutating func validate() throws {
    guard !live || stream != nil || !filter.isEmpty else {
      throw ValidationError("--live goes with a stream or a filter")
    }
  }

  func run() throws {
    let session = try options.openQuery()
    var request = Request("EVENT.COUNT")
    if filter.isEmpty, !live {
      if let stream {
        return try Output.details(
          session.callAgain(Request("EVENT.STREAM", stream)), isJSON: options.json)
      }
    } else {
      try filter.append(to: &request, stream: stream)
    }
    let reply = try session.callAgain(request)
    guard reply.integer != nil else { throw session.unexpectedReply }
    try options.json
      ? Output.json(.object([JSONMember("count", JSONValue(reply))]))
      : Output.line(Table.cell(reply))
  }
}
