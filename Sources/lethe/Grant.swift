import ArgumentParser
import Client
import RESP

/// `lethe grant`: who may take events out in bulk.
struct GrantVerbs: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "grant",
    abstract: "Let somebody take a tenant's events out in bulk, to the end of a day.",
    discussion: """
      EVENT.EXPORT is for users and named sockets with the role exporter, and only while a grant of \
      an officer is in force. Where the tenant asks for it (lethe tenant set, EXPORTAPPROVAL), \
      another user with the role approver must approve.

      EXAMPLES
        $ lethe grant set --tenant acme --uid 1201 --until 2026-12-31
        $ lethe grant list
        $ lethe grant approve 1-1      # another user than the one who set it
        $ lethe grant revoke 1-1
      """,
    subcommands: [GrantSet.self, GrantList.self, GrantApprove.self, GrantRevoke.self])

  /// Sends one of `GRANT`'s verbs about a grant, and shows what is answered.
  fileprivate static func act(_ verb: String, _ grant: String, _ options: ConnectionOptions) throws
  {
    try Output.details(
      options.openAdmin().call(Request("GRANT", verb, grant)), isJSON: options.json)
  }
}

/// `lethe grant set`.
struct GrantSet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Grant bulk export to a user or a named socket (officers).",
    discussion: """
      EXAMPLES
        $ lethe grant set --tenant acme --uid 1201 --until 2026-12-31
        $ lethe grant set --tenant acme --named-socket web-7 --until 2026-12-31 --json
      """)

  @Option(help: "The number of the user.")
  var uid: UInt32?

  @Option(help: ArgumentHelp("The socket of the access file.", valueName: "name"))
  var namedSocket: String?

  @Option(help: "The last day, as 2026-12-31, at most a year ahead.")
  var until: String

  @OptionGroup var options: ConnectionOptions

  mutating func validate() throws {
    guard (uid == nil) != (namedSocket == nil) else {
      throw ValidationError("either --uid or --named-socket")
    }
  }

  func run() throws {
    var request = Request("GRANT", "SET", try options.requiredTenant())
    if let uid { request.append("UID", String(uid)) }
    if let namedSocket { request.append("SOCKET", namedSocket) }
    request.append("UNTIL", until)
    try Output.details(options.openAdmin().call(request), isJSON: options.json)
  }
}

/// `lethe grant list`.
struct GrantList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the grants that have not ended.",
    discussion: """
      EXAMPLES
        $ lethe grant list
        $ lethe grant list --json
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try Output.list(options.openAdmin().call(Request("GRANT", "LIST")), isJSON: options.json)
  }
}

/// `lethe grant approve`.
struct GrantApprove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "approve", abstract: "Let another user's grant come into force (approvers).",
    discussion: """
      EXAMPLES
        $ lethe grant approve 1-1
        $ lethe grant approve 1-1 --json
      """)

  @Argument(help: "The grant, as lethe grant list shows it.")
  var grant: String

  @OptionGroup var options: ConnectionOptions

  func run() throws { try GrantVerbs.act("APPROVE", grant, options) }
}

/// `lethe grant revoke`.
struct GrantRevoke: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "End a grant at once.",
    discussion: """
      EXAMPLES
        $ lethe grant revoke 1-1
        $ lethe grant revoke 1-1 --json
      """)

  @Argument(help: "The grant, as lethe grant list shows it.")
  var grant: String

  @OptionGroup var options: ConnectionOptions

  func run() throws { try GrantVerbs.act("REVOKE", grant, options) }
}
