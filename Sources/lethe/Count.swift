import ArgumentParser
import Client
import RESP

/// `lethe count`: how many events a tenant has ever stored.
struct Count: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Count the tenant's events, or look at one stream.",
    discussion: """
      Erased and expired events count: the number is the newest position.

      EXAMPLES
        $ lethe count --tenant acme
        $ lethe count orders --json
      """)

  @Argument(help: "A stream: shows its version and how many of its events have expired.")
  var stream: String?

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    let session = try options.openQuery()
    if let stream {
      return try Output.details(
        session.call(Request("EVENT.STREAM", stream)), isJSON: options.json)
    }
    let reply = try session.call(Request("EVENT.COUNT"))
    guard reply.integer != nil else { throw session.unexpectedReply }
    try options.json
      ? Output.json(.object([JSONMember("count", JSONValue(reply))]))
      : Output.line(Table.cell(reply))
  }
}
