import ArgumentParser
import Client
import RESP

/// `lethe retention`: how long a tenant's events are kept.
struct RetentionVerbs: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retention",
    abstract: "Set how long events are kept, and let them expire (operators).",
    discussion: """
      EXAMPLES
        $ lethe retention set invoices --tenant acme --max 3650d --min 2190d --purpose tax
        $ lethe retention map invoice.sent invoices --tenant acme
        $ lethe retention list --tenant acme
        $ lethe retention run --dry-run
        $ lethe retention status
      """,
    subcommands: [
      RetentionSet.self, RetentionMap.self, RetentionList.self, RetentionRun.self,
      RetentionStatus.self,
    ])
}

/// `lethe retention set`.
struct RetentionSet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Make a class, or change what is promised of its events.",
    discussion: """
      A shorter maximum is looked at first (--dry-run) and confirmed with the token; it is in force \
      after seven days, or at once when another user, an approver, confirms it. A longer one holds \
      for events from tomorrow on.

      EXAMPLES
        $ lethe retention set clicks --tenant acme --max 30d --purpose analytics
        $ lethe retention set clicks --tenant acme --max 14d --dry-run
        $ lethe retention set clicks --tenant acme --max 14d --confirm 5f0c..
      """)

  @Argument(help: "The class: small letters, digits, '.', '_', '-'; at most 31.")
  var name: String

  @Option(help: "How long its events are kept at most: 395d or 36h.")
  var max: String?

  @Option(help: "How long they are kept at least, whatever the person asks for.")
  var min: String?

  @Option(help: "Why they are kept: a code of letters, digits and '-'.")
  var purpose: String?

  @Option(help: "governance, or compliance: then nobody takes the minimum back.")
  var mode: String?

  @Option(help: "When a person asks for erasure: erase, or restrict until expiry.")
  var onRequest: String?

  @Flag(help: "Only show what would change, and the token to confirm it with.")
  var dryRun = false

  @Option(help: "The token of a dry run.")
  var confirm: String?

  @OptionGroup var options: ConnectionOptions

  mutating func validate() throws {
    guard !dryRun || confirm == nil else {
      throw ValidationError("--dry-run and --confirm exclude each other")
    }
  }

  func run() throws {
    var request = Request("RETENTION", "SET", try options.requiredTenant(), name)
    let given = [
      ("MAX", max), ("MIN", min), ("PURPOSE", purpose), ("MODE", mode), ("ONREQUEST", onRequest),
      ("CONFIRM", confirm),
    ]
    for case (let word, let value?) in given { request.append(word, value) }
    if dryRun { request.append("DRYRUN") }
    try Output.details(options.openAdmin().call(request), isJSON: options.json)
  }
}

/// `lethe retention map`.
struct RetentionMap: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "map", abstract: "Put new events of a type into a class.",
    discussion: """
      Holds for events whose writer says no class. Map a type to default to take it back.

      EXAMPLES
        $ lethe retention map invoice.sent invoices --tenant acme
        $ lethe retention map page.viewed default --tenant acme
      """)

  @Argument(help: "The events' type.")
  var type: String

  @Argument(help: "The class.")
  var name: String

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    let tenant = try options.requiredTenant()
    try Output.details(
      options.openAdmin().call(Request("RETENTION", "MAP", tenant, type, name)),
      isJSON: options.json)
  }
}

/// `lethe retention list`.
struct RetentionList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List a tenant's classes.",
    discussion: """
      EXAMPLES
        $ lethe retention list --tenant acme
        $ lethe retention list --tenant acme --json
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try Output.list(
      options.openAdmin().call(Request("RETENTION", "LIST", try options.requiredTenant())),
      isJSON: options.json)
  }
}
