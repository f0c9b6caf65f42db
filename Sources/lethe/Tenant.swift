import ArgumentParser
import Client
import RESP

/// `lethe tenant`: whose events are kept, and for how long.
struct Tenant: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Create, list and suspend tenants (operators).",
    discussion: """
      EXAMPLES
        $ lethe tenant create acme --retention 395d
        $ lethe tenant list
        $ lethe tenant suspend acme
      """,
    subcommands: [
      TenantCreate.self, TenantList.self, TenantInfo.self, TenantSet.self, TenantSuspend.self,
      TenantResume.self,
    ])
}

/// `lethe tenant create`.
struct TenantCreate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Create a tenant.",
    discussion: """
      EXAMPLES
        $ lethe tenant create acme --retention 395d
        $ lethe tenant create metrics --retention 30d
      """)

  @Argument(help: "The name: small letters, digits, '.', '_', '-'; at most 63.")
  var name: String

  @Option(help: "How long events are kept, in days: 395d.")
  var retention: String

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    _ = try options.openAdmin().call(
      Request("TENANT", "CREATE", name, "RETENTION", retention))
    Output.message("tenant created")
  }
}

/// `lethe tenant list`.
struct TenantList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the tenants.",
    discussion: """
      EXAMPLES
        $ lethe tenant list
        $ lethe tenant list --json
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try Output.list(
      options.openAdmin().call(Request("TENANT", "LIST")), isJSON: options.json)
  }
}

/// `lethe tenant info`.
struct TenantInfo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Show one tenant.",
    discussion: """
      EXAMPLES
        $ lethe tenant info acme
        $ lethe tenant info acme --json
      """)

  @Argument(help: "The tenant.")
  var name: String

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try Output.details(
      options.openAdmin().call(Request("TENANT", "INFO", name)), isJSON: options.json)
  }
}

/// `lethe tenant set`.
struct TenantSet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Set what a tenant demands of its events.",
    discussion: """
      With --ids required, an event without an id of the client's is refused: then no client that \
      sends again by itself can store an event twice.

      EXAMPLES
        $ lethe tenant set acme --ids required
        $ lethe tenant set acme --ids optional
      """)

  /// Whether events must have ids.
  enum Demand: String, CaseIterable, ExpressibleByArgument {
    case required
    case optional
  }

  @Argument(help: "The tenant.")
  var name: String

  @Option(help: "required or optional.")
  var ids: Demand

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    _ = try options.openAdmin().call(Request("TENANT", "SET", name, "ids", ids.rawValue))
    Output.message("ids are \(ids.rawValue)")
  }
}

/// `lethe tenant suspend`.
struct TenantSuspend: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "suspend", abstract: "Refuse a tenant's new events; reads go on.",
    discussion: """
      EXAMPLES
        $ lethe tenant suspend acme
        $ lethe tenant resume acme
      """)

  @Argument(help: "The tenant.")
  var name: String

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    _ = try options.openAdmin().call(Request("TENANT", "SUSPEND", name))
    Output.message("tenant suspended")
  }
}

/// `lethe tenant resume`.
struct TenantResume: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Take a suspended tenant's events again.",
    discussion: """
      EXAMPLES
        $ lethe tenant resume acme
        $ lethe tenant info acme
      """)

  @Argument(help: "The tenant.")
  var name: String

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    _ = try options.openAdmin().call(Request("TENANT", "RESUME", name))
    Output.message("tenant resumed")
  }
}
