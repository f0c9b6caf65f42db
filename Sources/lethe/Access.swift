import ArgumentParser
import Client
import RESP

/// `lethe access`: who may do what, and who read what.
struct Access: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at who may do what, and at who read what.",
    discussion: """
      EXAMPLES
        $ lethe access list
        $ lethe access list --json
        $ lethe access log acme
      """,
    subcommands: [AccessList.self, AccessLogList.self])
}

/// `lethe access list`.
struct AccessList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the rules of the access file that is in force.",
    discussion: """
      EXAMPLES
        $ lethe access list
        $ lethe access list --json
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try Output.list(
      options.openAdmin().call(Request("ACCESS", "LIST")), isJSON: options.json)
  }
}

/// `lethe access log`.
struct AccessLogList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "List who read which events of a tenant (officers, auditors).",
    discussion: """
      A line is what one connection got with one verb in one minute, with the positions of the \
      events; it names no person.

      EXAMPLES
        $ lethe access log acme
        $ lethe access log acme --json
      """)

  @Argument(help: "The tenant.")
  var name: String

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    let session = try options.openAdmin()
    var after = "0"
    var lines: [Reply] = []
    repeat {
      let page = try session.call(
        Request("ACCESS", "LOG", name, "AFTER", after, "COUNT", "1000"))
      guard let items = page.items, items.count == 2 else {
        throw Failure(.software, "ACCESS LOG answered something else")
      }
      after = Table.cell(items[0])
      if options.json {
        try Output.list(items[1], isJSON: true)
      } else {
        lines += items[1].items ?? []
      }
      guard case .integer = items[0] else { break }
    } while true
    if !options.json { try Output.list(.array(lines), isJSON: false) }
  }
}
