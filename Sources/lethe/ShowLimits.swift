import ArgumentParser
import Client
import EventModel

/// `lethe limits`: every bound on what comes in.
struct ShowLimits: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "limits", abstract: "Show every limit of the protocol.",
    discussion: """
      EXAMPLES
        $ lethe limits
        $ lethe limits --json
      """)

  @Flag(help: "One JSON object.")
  var json = false

  /// Name, value, unit.
  static let rows: [(name: String, value: Int, unit: String)] = [
    ("event", Limits.dataBytesMax, "bytes"),
    ("event-envelope", Limits.envelopeBytesMax, "bytes"),
    ("name", Limits.nameBytesMax, "bytes"),
    ("attribute", Limits.attributeBytesMax, "bytes"),
    ("attributes", Limits.attributesMax, "per event"),
    ("data-subjects", Limits.subjectsMax, "per event"),
    ("batch", Limits.batchEventsMax, "events"),
    ("command", Limits.commandBytesMax, "bytes"),
    ("arguments", Limits.argumentsMax, "per command"),
    ("count-default", Limits.countDefault, "events per reply"),
    ("count", Limits.countMax, "events per reply"),
    ("reply", Limits.replyBytesMax, "bytes"),
    ("block", Int(Limits.blockMillisecondsMax), "milliseconds"),
    ("read-streams", Limits.readStreamsMax, "per command"),
    ("tenant-name", Limits.tenantNameBytesMax, "bytes"),
    ("tenants", Limits.tenantsMax, "per store"),
    ("connections", Limits.connectionsMax, "per daemon"),
    ("connections-per-user", Limits.connectionsPerUserMax, "per user"),
    ("in-flight", Limits.inFlightAppendsMax, "appends per connection"),
    ("suppression", Limits.suppressionDays, "days"),
    ("plan", Int(Limits.planMilliseconds), "milliseconds"),
    ("plans", Limits.plansMax, "waiting"),
    ("retention", Limits.retentionDaysMax, "days"),
  ]

  func run() throws {
    if json {
      return try Output.json(
        .object(Self.rows.map { JSONMember($0.name, .integer(Int64($0.value))) }))
    }
    for line in Table.lines(Self.rows.map { [$0.name, String($0.value), $0.unit] }) {
      try Output.line(line)
    }
  }
}
