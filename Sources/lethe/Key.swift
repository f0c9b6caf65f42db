import ArgumentParser
import Client

/// `lethe key`: the keyring.
struct Key: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at the keyring and its root holders.",
    discussion: """
      EXAMPLES
        $ lethe key status
        $ lethe key status --json
      """,
    subcommands: [KeyStatus.self])
}

/// `lethe key status`.
struct KeyStatus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show epoch, version, nodes and root holders.",
    discussion: """
      EXAMPLES
        $ lethe key status
        $ lethe key status --json
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try Output.details(
      options.openAdmin().call(Request("KEY", "STATUS")), isJSON: options.json)
  }
}
