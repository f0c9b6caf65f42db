import ArgumentParser
import Client
import RESP

/// `lethe hold`: what is not destroyed, whoever asks and whatever has ended.
struct Hold: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Hold what a dispute or an inquiry needs against erasure (officers).",
    discussion: """
      What is under a hold is not destroyed: shreds of it answer HELD. When something else goes that \
      its events need (their day, somebody named beside), their own keys are kept: they are shown \
      to nobody but officers (lethe hold export). A hold shows no person and no stream.

      EXAMPLES
        $ lethe hold set subject --tenant acme --reason litigation --review 2027-06-30 <<<'u-42'
        $ lethe hold set class invoices --tenant acme --reason audit --review 2027-01-01
        $ lethe hold list
        $ lethe hold export 2-1 --output held.ndjson
        $ lethe hold release 2-1
      """,
    subcommands: [HoldSet.self, HoldList.self, HoldExport.self, HoldRelease.self])
}

/// What a hold is about.
enum HoldWhat: String, CaseIterable, ExpressibleByArgument {
  case subject
  case stream
  case `class`
  case tenant
}

/// `lethe hold set`.
struct HoldSet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Hold a person, a stream, a class or a whole tenant.",
    discussion: """
      A person's identifier is read from stdin, or asked for without showing it. Shows the hold's \
      number. The review is the day on which somebody must look whether it is needed still; the \
      hold does not end by itself.

      EXAMPLES
        $ lethe hold set subject --tenant acme --reason litigation --review 2027-06-30 <<<'u-42'
        $ lethe hold set stream user-42 --tenant acme --reason investigation --review 2027-01-01
        $ lethe hold set class invoices --tenant acme --reason audit --review 2027-01-01
        $ lethe hold set tenant --tenant acme --reason litigation --review 2027-06-30 --json
      """)

  @Argument(help: "subject, stream, class or tenant.")
  var what: HoldWhat

  @Argument(help: "The stream or the class; of a person and a tenant nothing.")
  var name: String?

  @Option(help: "litigation, investigation, audit or other.")
  var reason: String

  @Option(help: "The day of its review, as 2027-06-30.")
  var review: String

  @OptionGroup var options: ConnectionOptions

  mutating func validate() throws {
    switch (what, name) {
    case (.subject, .some):
      throw ValidationError("a person's identifier is read from stdin or a prompt")
    case (.tenant, .some): throw ValidationError("the tenant is named by --tenant")
    case (.stream, nil), (.class, nil): throw ValidationError("name the \(what.rawValue)")
    default: break
    }
  }

  func run() throws {
    var request = Request("HOLD", "SET", try options.requiredTenant())
    switch what {
    case .subject:
      request.append("DATASUBJECT")
      request.append(try Person.one("Data subject to hold (not shown)"))
    case .stream: request.append("STREAM", name ?? "")
    case .class: request.append("CLASS", name ?? "")
    case .tenant: request.append("TENANT")
    }
    request.append("REASON", reason)
    request.append("REVIEW", review)
    try Output.details(options.openAdmin().call(request), isJSON: options.json)
  }
}

/// `lethe hold list`.
struct HoldList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the holds in force.",
    discussion: """
      EXAMPLES
        $ lethe hold list
        $ lethe hold list --json
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    let shown = ["id", "tenant", "scope", "name", "reason", "review", "overdue", "set", "ends"]
    let reply = try options.openAdmin().call(Request("HOLD", "LIST"))
    guard !options.json, let items = reply.items else {
      return try Output.list(reply, isJSON: options.json)
    }
    let rows = items.map { hold in shown.map { Table.cell(hold[$0] ?? .null) } }
    for line in Table.lines([shown.map { $0.uppercased() }] + rows) { try Output.line(line) }
  }
}

/// `lethe hold release`.
struct HoldRelease: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "release", abstract: "End a hold.",
    discussion: """
      Looks first (a dry run), shows the hold, and goes on only with the dry run's token: typed \
      confirmation at a terminal, or --confirm. The hold ends after seven days, or at once when \
      another user, an approver, confirms. From then on others may destroy what it kept.

      EXAMPLES
        $ lethe hold release 2-1
        $ lethe hold release 2-1 --dry-run
        $ lethe hold release 2-1 --confirm 5f0c..     # as a second user: at once
      """)

  @Argument(help: "The hold, as lethe hold list shows it.")
  var hold: String

  @OptionGroup var confirmation: ConfirmOptions
  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try confirmation.carryOut(
      Request("HOLD", "RELEASE", hold),
      question: "What it keeps may be destroyed afterwards. Type \"\(hold)\" to release it",
      typed: hold, options)
  }
}
