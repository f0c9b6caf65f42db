import ArgumentParser
import Client
import EventModel
import RESP

/// `lethe streams`: the tenant's streams.
struct Streams: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the tenant's streams, in the order in which they came to be.",
    discussion: """
      A stream of which no event can be opened any more has no name ('-').

      EXAMPLES
        $ lethe streams
        $ lethe streams --count 20
        $ lethe streams --json | jq -r .stream
      """)

  @Option(help: ArgumentHelp("At most this many streams.", valueName: "n"))
  var count: UInt64?

  @Option(help: "Go on where another listing ended.")
  var cursor: String?

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    let session = try options.openQuery()
    var pages = CursorPages(
      base: Request("EVENT.STREAMS"), cursor: cursor, missing: count ?? .max)
    var hasHeads = options.json
    while let page = try pages.next(session, nil) {
      if options.json {
        try Output.lines(page.map { JSONValue($0).bytes })
        continue
      }
      var rows = page.map { item in
        ["version", "stored", "stream"].map { Table.cell(item[$0] ?? .null) }
      }
      if !hasHeads { rows.insert(["VERSION", "STORED", "STREAM"], at: 0) }
      hasHeads = true
      for line in Table.lines(rows) { try Output.line(line) }
    }
    if let cursor = pages.cursor { Output.message("there may be more: --cursor \(cursor)") }
  }
}
