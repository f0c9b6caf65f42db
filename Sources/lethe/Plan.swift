import ArgumentParser
import Client
import RESP

/// `lethe plan`: shreds that wait for a second user or their day.
struct Plan: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at shreds that wait; approve or cancel them.",
    discussion: """
      A plan names nobody. What it is about is restricted until its day, and comes back when it is \
      cancelled before.

      EXAMPLES
        $ lethe plan list
        $ lethe plan status 17 --json
        $ lethe plan approve 17        # another user than the one who confirmed it
        $ lethe plan cancel 17
      """,
    subcommands: [PlanList.self, PlanStatus.self, PlanApprove.self, PlanCancel.self])

  /// Sends one of `PLAN`'s verbs about a plan, and shows what is answered.
  fileprivate static func act(_ verb: String, _ plan: UInt32, _ options: ConnectionOptions) throws {
    try Output.details(
      options.openAdmin().call(Request("PLAN", verb, String(plan))), isJSON: options.json)
  }
}

/// `lethe plan list`.
struct PlanList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List what waits, and what became of the newest.",
    discussion: """
      EXAMPLES
        $ lethe plan list
        $ lethe plan list --json
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    let shown = ["plan", "tenant", "what", "state", "subjects", "events", "due", "days-left"]
    let reply = try options.openAdmin().call(Request("PLAN", "LIST"))
    guard !options.json, let items = reply.items else {
      return try Output.list(reply, isJSON: options.json)
    }
    let rows = items.map { plan in shown.map { Table.cell(plan[$0] ?? .null) } }
    for line in Table.lines([shown.map { $0.uppercased() }] + rows) { try Output.line(line) }
  }
}

/// `lethe plan status`.
struct PlanStatus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show one plan.",
    discussion: """
      EXAMPLES
        $ lethe plan status 17
        $ lethe plan status 17 --json
      """)

  @Argument(help: "The plan's number.")
  var plan: UInt32

  @OptionGroup var options: ConnectionOptions

  func run() throws { try Plan.act("STATUS", plan, options) }
}

/// `lethe plan approve`.
struct PlanApprove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "approve", abstract: "Let a plan of another user go on.",
    discussion: """
      Needs the role approver. Shows the receipt, or the plan when it waits for its day.

      EXAMPLES
        $ lethe plan status 17
        $ lethe plan approve 17
      """)

  @Argument(help: "The plan's number.")
  var plan: UInt32

  @OptionGroup var options: ConnectionOptions

  func run() throws { try Plan.act("APPROVE", plan, options) }
}

/// `lethe plan cancel`.
struct PlanCancel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Take a plan back before its day.",
    discussion: """
      EXAMPLES
        $ lethe plan list
        $ lethe plan cancel 17
      """)

  @Argument(help: "The plan's number.")
  var plan: UInt32

  @OptionGroup var options: ConnectionOptions

  func run() throws { try Plan.act("CANCEL", plan, options) }
}
