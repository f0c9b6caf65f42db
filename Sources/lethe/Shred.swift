import ArgumentParser
import Client
import RESP

/// `lethe shred`: destroys keys, so that what they sealed cannot be read again, in no copy.
struct Shred: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Destroy the keys of a person, of events, a stream, a day or a tenant, for ever.",
    discussion: """
      Looks first (a dry run), shows what would be destroyed, and goes on only with the dry run's \
      token: typed confirmation at a terminal, or --confirm.

      EXAMPLES
        $ lethe shred subject --tenant acme --reason art17
        $ lethe shred events 17 18 --tenant acme --reason captured-secret
        $ lethe shred stream user-42 --tenant acme --reason art17
        $ lethe shred period default 2026-11-23 --tenant acme --reason captured-secret
        $ lethe shred tenant acme --reason offboarding
      """,
    subcommands: [
      ShredSubject.self, ShredEvents.self, ShredStream.self, ShredPeriod.self, ShredTenant.self,
    ])
}

/// What both kinds of shredding take.
struct ShredOptions: ParsableArguments {
  @Option(help: "art17, consent, objection, captured-secret, offboarding, retention or other.")
  var reason: String

  @Option(help: "The ticket of the request: letters, digits and '-', at most 32.")
  var ticket: String?

  @Flag(help: "Only show what would be destroyed, and the token to confirm it with.")
  var dryRun = false

  @Option(help: "Go on without asking, with the token of a dry run.")
  var confirm: String?

  mutating func validate() throws {
    guard !dryRun || confirm == nil else {
      throw ValidationError("--dry-run and --confirm exclude each other")
    }
  }

  /// Completes `request`, which names what is to be destroyed, and carries it out.
  ///
  /// `typed` is what the operator must type at the terminal.
  func carryOut(_ request: Request, typed: String, _ options: ConnectionOptions) throws {
    let session = try options.openAdmin()
    var request = request
    request.append("REASON", reason)
    if let ticket { request.append("TICKET", ticket) }
    if let confirm { return try destroy(request, token: confirm, session, options) }
    var dry = request
    dry.append("DRYRUN")
    let plan = try session.call(dry)
    guard let token = plan["confirm"]?.text else { throw session.unexpectedReply }
    if dryRun { return try Output.details(plan, isJSON: options.json) }
    guard case .map(let pairs) = plan else { throw session.unexpectedReply }
    for line in Table.lines(pairs.map { [Table.cell($0.key), Table.cell($0.value)] }) {
      Output.message(line)
    }
    let question = "This cannot be undone. Type \"\(typed)\" to destroy the keys"
    guard let answer = try Terminal.ask(question, isHidden: false) else {
      throw Failure(.usage, "without a terminal say --dry-run, then --confirm TOKEN")
    }
    guard String(decoding: answer, as: UTF8.self) == typed else {
      throw Failure(.usage, "not confirmed; nothing was destroyed")
    }
    try destroy(request, token: token, session, options)
  }

  private func destroy(
    _ request: Request, token: String, _ session: Session, _ options: ConnectionOptions
  ) throws {
    var request = request
    request.append("CONFIRM", token)
    try Output.details(session.call(request), isJSON: options.json)
  }
}

/// `lethe shred subject`.
struct ShredSubject: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "subject", abstract: "Erase a person.",
    discussion: """
      The person's identifier is read from stdin, or asked for without showing it.

      EXAMPLES
        $ lethe shred subject --tenant acme --reason art17 --dry-run <<<'u-42'
        $ lethe shred subject --tenant acme --reason art17 --confirm 5f0c.. <<<'u-42'
        $ lethe shred subject --tenant acme --reason art17 --ticket DPO-981
      """)

  @OptionGroup var shred: ShredOptions
  @OptionGroup var options: ConnectionOptions

  func run() throws {
    let tenant = try options.requiredTenant()
    var request = Request("SHRED", "DATASUBJECT", tenant)
    request.append(try Person.one("Data subject to erase (not shown)"))
    try shred.carryOut(request, typed: "erase this person", options)
  }
}

/// `lethe shred tenant`.
struct ShredTenant: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tenant", abstract: "Erase a tenant with all its events.",
    discussion: """
      The confirmation must come from another user than the dry run.

      EXAMPLES
        $ lethe shred tenant acme --reason offboarding --dry-run
        $ lethe shred tenant acme --reason offboarding --confirm 5f0c..     # the second user
      """)

  @Argument(help: "The tenant.")
  var name: String

  @OptionGroup var shred: ShredOptions
  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try shred.carryOut(Request("SHRED", "TENANT", name), typed: name, options)
  }
}
