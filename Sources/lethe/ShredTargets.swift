import ArgumentParser
import Client

/// `lethe shred events`.
struct ShredEvents: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "Erase single events, by their positions.",
    discussion: """
      A retry of an erased event is refused for eight days when it carries the event's id.

      EXAMPLES
        $ lethe shred events 1042 --tenant acme --reason captured-secret --dry-run
        $ lethe shred events 1042 1043 --tenant acme --reason captured-secret --confirm 5f0c..
      """)

  @Argument(help: "Positions in the tenant's log, at most 1,000.")
  var positions: [UInt64]

  @OptionGroup var shred: ShredOptions
  @OptionGroup var options: ConnectionOptions

  func run() throws {
    var request = Request("SHRED", "EVENTS", try options.requiredTenant())
    for position in positions { request.append(String(position)) }
    let typed = positions.count == 1 ? "erase this event" : "erase \(positions.count) events"
    try shred.carryOut(request, typed: typed, options)
  }
}

/// `lethe shred stream`.
struct ShredStream: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stream", abstract: "Erase a stream with all its events.",
    discussion: """
      A stream of the same name that comes later is another one and begins at version 1.

      EXAMPLES
        $ lethe shred stream user-42 --tenant acme --reason art17 --dry-run
        $ lethe shred stream user-42 --tenant acme --reason art17 --confirm 5f0c..
      """)

  @Argument(help: "The stream.")
  var stream: String

  @OptionGroup var shred: ShredOptions
  @OptionGroup var options: ConnectionOptions

  func run() throws {
    let request = Request("SHRED", "STREAM", try options.requiredTenant(), stream)
    try shred.carryOut(request, typed: stream, options)
  }
}

/// `lethe shred period`.
struct ShredPeriod: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "period", abstract: "Let a day of a retention class expire before its time.",
    discussion: """
      Its events are left out of what is read, as if their retention had ended.

      EXAMPLES
        $ lethe shred period default 2026-11-23 --tenant acme --reason captured-secret --dry-run
        $ lethe shred period default 2026-11-23 --tenant acme --reason captured-secret --confirm 5f0c..
      """)

  @Argument(help: "The retention class.")
  var retentionClass: String

  @Argument(help: "The UTC day on which the events were stored, as 2026-11-23; it must be over.")
  var day: String

  @OptionGroup var shred: ShredOptions
  @OptionGroup var options: ConnectionOptions

  func run() throws {
    let tenant = try options.requiredTenant()
    let request = Request("SHRED", "PERIOD", tenant, retentionClass, day)
    try shred.carryOut(request, typed: day, options)
  }
}
