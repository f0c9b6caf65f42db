import ArgumentParser
import Client

/// `lethe access`: who may do what.
struct Access: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at who may do what.",
    discussion: """
      EXAMPLES
        $ lethe access list
        $ lethe access list --json
      """,
    subcommands: [AccessList.self])
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
