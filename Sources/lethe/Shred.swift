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

  @Option(help: "The day on which the request came, as 2026-11-24.")
  var received: String?

  @OptionGroup var confirmation: ConfirmOptions

  /// Completes `request`, which names what is to be destroyed, and carries it out.
  ///
  /// `typed` is what the operator must type at the terminal.
  func carryOut(_ request: Request, typed: String, _ options: ConnectionOptions) throws {
    var request = request
    request.append("REASON", reason)
    if let ticket { request.append("TICKET", ticket) }
    if let received { request.append("RECEIVED", received) }
    try confirmation.carryOut(
      request, question: "This cannot be undone. Type \"\(typed)\" to destroy the keys",
      typed: typed, options)
  }
}

/// `lethe shred subject`.
struct ShredSubject: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "subject", abstract: "Erase a person, or many at once.",
    discussion: """
      The person's identifier is read from stdin, or asked for without showing it. With --stdin \
      stdin has one identifier a line, at most 10,000, which are erased together.

      EXAMPLES
        $ lethe shred subject --tenant acme --reason art17 --dry-run <<<'u-42'
        $ lethe shred subject --tenant acme --reason art17 --confirm 5f0c.. <<<'u-42'
        $ lethe shred subject --tenant acme --reason art17 --ticket DPO-981 --received 2026-11-20
        $ lethe shred subject --tenant acme --reason other --stdin --dry-run < leavers.txt
      """)

  @Flag(help: "Erase all persons whose identifiers stdin has, one a line.")
  var stdin = false

  @OptionGroup var shred: ShredOptions
  @OptionGroup var options: ConnectionOptions

  func run() throws {
    let tenant = try options.requiredTenant()
    var request = Request("SHRED", "DATASUBJECT", tenant)
    guard stdin else {
      request.append(try Person.one("Data subject to erase (not shown)"))
      return try shred.carryOut(request, typed: "erase this person", options)
    }
    let persons = try Person.many()
    for (index, person) in persons.enumerated() {
      if index > 0 { request.append("DATASUBJECT") }
      request.append(person)
    }
    try shred.carryOut(request, typed: "erase \(persons.count) persons", options)
  }
}

/// `lethe shred tenant`.
struct ShredTenant: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tenant", abstract: "Erase a tenant with all its events.",
    discussion: """
      Another user must approve it (lethe plan approve); then it is closed, and shredded after the \
      tenant's grace, seven days at first.

      EXAMPLES
        $ lethe shred tenant acme --reason offboarding --dry-run
        $ lethe shred tenant acme --reason offboarding --confirm 5f0c..     # answers the plan's number
        $ lethe plan approve 17                                             # the second user
      """)

  @Argument(help: "The tenant.")
  var name: String

  @OptionGroup var shred: ShredOptions
  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try shred.carryOut(Request("SHRED", "TENANT", name), typed: name, options)
  }
}
