import ArgumentParser
import Client
import RESP

/// `lethe get`: one event.
struct Get: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show one event, by its position or by its id.",
    discussion: """
      On a terminal the whole event is shown, a line for each of its members.

      EXAMPLES
        $ lethe get 4711
        $ lethe get --id 019ab6fc-1c00-7b2e-9d3c-0f6a5f0a1b2c --json
        $ lethe get --id 17 --source https://shop.example --format ce
      """)

  @Argument(help: "The event's position in the tenant.")
  var position: UInt64?

  @Option(help: "The id that it was stored with.")
  var id: String?

  @Option(help: ArgumentHelp("The source that it was stored with.", valueName: "uri"))
  var source: String?

  @OptionGroup var form: FormatOption

  @OptionGroup var options: ConnectionOptions

  mutating func validate() throws {
    guard (position == nil) != (id == nil) else {
      throw ValidationError("name a position, or an --id")
    }
    guard source == nil || id != nil else { throw ValidationError("--source goes with --id") }
  }

  func run() throws {
    var request = Request("EVENT.GET")
    if let position { request.append("POSITION", String(position)) }
    if let id { request.append("ID", id) }
    if let source { request.append("SOURCE", source) }
    let output = form.output(isJSON: options.json)
    output.append(to: &request)
    let event = try options.openQuery().callAgain(request)
    if output.format == .table { return try Output.details(event, isJSON: false) }
    try output.show([event], withStream: true)
  }
}
