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
      TenantCreate.self, TenantList.self, TenantInfo.self, TenantSet.self,
      TenantSuspend.self, TenantResume.self, TenantOffboard.self, TenantEnrolKey.self,
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
    commandName: "set",
    abstract: "Set what a tenant demands of its events, shreds and access log.",
    discussion: """
      With --ids required, an event without an id of the client's is refused: then no client that \
      sends again by itself can store an event twice. With --grace, confirmed shreds of a kind \
      wait so long (0h to 30d) and can be cancelled until then. With --strict on, nothing is read \
      out before the access log has it on the disk; --access-log is how long that log is kept. With \
      --export-approval required, a grant of bulk export needs a second user.

      EXAMPLES
        $ lethe tenant set acme --ids required
        $ lethe tenant set acme --grace datasubject=72h --grace tenant=14d
        $ lethe tenant set acme --strict on --access-log 90d
        $ lethe tenant set acme --export-approval required
      """)

  /// Whether events must have ids.
  enum Demand: String, CaseIterable, ExpressibleByArgument {
    case required
    case optional
  }

  /// Whether every reply waits for the access log.
  enum Switch: String, CaseIterable, ExpressibleByArgument {
    case on
    case off
  }

  @Argument(help: "The tenant.")
  var name: String

  @Option(help: "required or optional.")
  var ids: Demand?

  @Option(help: "KIND=TIME; datasubject, events, stream, period, tenant or offboarding.")
  var grace: [String] = []

  @Option(help: "on or off.")
  var strict: Switch?

  @Option(help: "Days, as 90d.")
  var accessLog: String?

  @Option(help: "required or optional.")
  var exportApproval: Demand?

  @OptionGroup var options: ConnectionOptions

  func validate() throws {
    guard
      ids != nil || !grace.isEmpty || strict != nil || accessLog != nil || exportApproval != nil
    else {
      throw ValidationError("say --ids, --grace, --strict, --access-log or --export-approval")
    }
  }

  func run() throws {
    let session = try options.openAdmin()
    if let ids {
      _ = try session.call(Request("TENANT", "SET", name, "ids", ids.rawValue))
      Output.message("ids are \(ids.rawValue)")
    }
    for setting in grace {
      let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { throw Failure(.usage, "--grace takes KIND=TIME") }
      _ = try session.call(Request("TENANT", "SET", name, "grace", parts[0], parts[1]))
      Output.message("grace of \(parts[0]) is \(parts[1])")
    }
    if let exportApproval {
      let demand = exportApproval.rawValue
      _ = try session.call(Request("TENANT", "SET", name, "exportapproval", demand))
      Output.message("an approval of grants is \(demand)")
    }
    if let strict {
      _ = try session.call(Request("TENANT", "SET", name, "strict", strict.rawValue))
      Output.message("strict is \(strict.rawValue)")
    }
    if let accessLog {
      _ = try session.call(Request("TENANT", "SET", name, "accesslog", accessLog))
      Output.message("the access log is kept for \(accessLog)")
    }
  }
}

/// `lethe tenant offboard`.
struct TenantOffboard: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "offboard", abstract: "Take no more events of a tenant, and shred it later.",
    discussion: """
      Another user must approve it (lethe plan approve). Until its grace ends, seven days at first, \
      it can be read and exported.

      EXAMPLES
        $ lethe tenant offboard acme --reason offboarding --dry-run
        $ lethe tenant offboard acme --reason offboarding --confirm 5f0c..
        $ lethe plan approve 17                     # the second user
        $ lethe export range '*' --tenant acme --output acme.ndjson
      """)

  @Argument(help: "The tenant.")
  var name: String

  @OptionGroup var shred: ShredOptions
  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try shred.carryOut(Request("TENANT", "OFFBOARD", name), typed: name, options)
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
