import ArgumentParser
import Client

/// `lethe key`: the keyring.
struct Key: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at the keyring and its root holders, and rotate keys.",
    discussion: """
      EXAMPLES
        $ lethe key status
        $ lethe key rotate-root
        $ lethe key rotate-tenant acme
        $ lethe key rewrap acme
      """,
    subcommands: [KeyStatus.self, KeyRotateRoot.self, KeyRotateTenant.self, KeyRewrap.self])
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

/// `lethe key rotate-root`.
struct KeyRotateRoot: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate-root",
    abstract: "Replace the root: no copy of the keyring that was taken before opens then.",
    discussion: """
      No event is lost. Take a new backup of the keyring afterwards.

      EXAMPLES
        $ lethe key rotate-root
        $ lethe key rotate-root --json
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try Output.details(
      options.openAdmin().call(Request("KEY", "ROTATE", "ROOT")), isJSON: options.json)
  }
}

/// `lethe key rotate-tenant`.
struct KeyRotateTenant: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate-tenant",
    abstract: "Seal what a tenant stores from now on under new keys, and replace the root.",
    discussion: """
      What was stored before stays readable, and as protected as it was: the answer says how many events \
      that concerns. After a compromise follow with 'lethe key rewrap'. Take a new backup of the keyring \
      afterwards.

      EXAMPLES
        $ lethe key rotate-tenant acme
        $ lethe key rotate-tenant acme --compromised
        $ lethe key rotate-tenant acme --json
      """)

  @Argument(help: "The tenant.")
  var tenant: String

  @Flag(help: "Somebody may have the keys until now; KEY STATUS calls them compromised then.")
  var compromised = false

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    var request = Request("KEY", "ROTATE", "TENANT", tenant)
    if compromised { request.append("REASON", "compromise") }
    try Output.details(options.openAdmin().call(request), isJSON: options.json)
  }
}

/// `lethe key rewrap`.
struct KeyRewrap: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rewrap",
    abstract: "Give every node of a tenant a fresh key, and replace the root.",
    discussion: """
      For when somebody may have read the keys of nodes. No event is lost. Appends wait meanwhile: for
      a million persons some seconds. Take a new backup of the keyring afterwards.

      EXAMPLES
        $ lethe key rewrap acme
        $ lethe key rewrap acme --json
      """)

  @Argument(help: "The tenant.")
  var tenant: String

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try Output.details(
      options.openAdmin().call(Request("KEY", "REWRAP", "TENANT", tenant)), isJSON: options.json)
  }
}
