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
    ("inline-command", Limits.inlineBytesMax, "bytes"),
    ("command-time", Limits.commandSecondsMax, "seconds"),
    ("unbound-time", Limits.unauthenticatedSecondsMax, "seconds before a tenant is said"),
    ("unbound-arguments", Limits.unauthenticatedArgumentsMax, "before a tenant is said"),
    ("unbound-argument", Limits.unauthenticatedBulkBytesMax, "bytes, before a tenant is said"),
    ("count-default", Limits.countDefault, "events per reply"),
    ("count", Limits.countMax, "events per reply"),
    ("reply", Limits.replyBytesMax, "bytes"),
    ("block", Int(Limits.blockMillisecondsMax), "milliseconds"),
    ("read-streams", Limits.readStreamsMax, "per command"),
    ("tenant-name", Limits.tenantNameBytesMax, "bytes"),
    ("tenants", Limits.tenantsMax, "per store"),
    ("connections", Limits.connectionsMax, "per daemon"),
    ("connections-per-user", Limits.connectionsPerUserMax, "per user"),
    ("connections-admin", Limits.connectionsKept, "more on admin.sock"),
    ("descriptors", Limits.descriptorsKept, "beside connections"),
    ("in-flight", Limits.inFlightAppendsMax, "appends per connection"),
    ("untaken-time", Limits.outputSecondsMax, "seconds"),
    ("untaken-least", Limits.outputBytesMin, "bytes in that time"),
    ("user-memory", Limits.userBytesMax, "bytes per user"),
    ("unfinished-commands", Limits.unfinishedBytesMax, "bytes per daemon"),
    ("unfetched-replies", Limits.unfetchedBytesMax, "bytes per daemon"),
    ("writer-queue", Limits.writerQueueBytesMax, "bytes per daemon"),
    ("index-tail", Limits.tailPostingsMax, "postings"),
    ("shred-flush", Limits.shredFlushMilliseconds, "milliseconds"),
    ("device-reserve", Int(Limits.reserveBytes), "bytes left free"),
    ("suppression", Limits.suppressionDays, "days"),
    ("plan", Int(Limits.planMilliseconds), "milliseconds"),
    ("plans", Limits.plansMax, "waiting"),
    ("shred-events", Limits.shredEventsMax, "positions per command"),
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
