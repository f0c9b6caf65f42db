import ArgumentParser
import EventStore
import Storage

/// `lethed check`: verifies a store that no daemon runs on.
struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Verify every record, position and index entry of a store.",
    discussion: """
      Walks every page of the three files first, without trusting it. Opens every event that has its keys and counts those whose keys were destroyed:
        lethed check --data /var/lib/lethe --root /var/lib/lethe-root/root
        lethed check --data /var/lib/lethe --root /var/lib/lethe-root/root --json

      Ends with 0 when all is sound and with 65 when something is not. The daemon must be down.
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: "A JSON file of settings.")
  var config: String?

  @Flag(help: "One line of JSON instead of a table.")
  var json = false

  func run() async throws {
    let settings = try await store.settings(config: config)
    let report: CheckReport
    do {
      report = try EventStore.check(
        path: settings.data, holders: settings.holders, clock: StoreOptions.clock)
    } catch {
      throw Failure(error)
    }
    if json {
      var line = JSONLine()
      line.add("sound", report.isSound)
      line.add(report.log)
      for (name, found) in report.pages { line.add("\(name)Pages", found.pages) }
      line.add("tenants", report.tenants)
      line.add("tenantsWithIndexFaults", report.tenantsWithIndexFaults)
      Output.data(line.text)
    } else {
      for (name, found) in report.pages {
        Output.data(
          "pages of \(name)/".padded(to: 22)
            + "\(found.pages) (\(found.used) used, \(found.free) free, \(found.lost) lost)")
      }
      Output.data(report.log.table)
      Output.data("tenants               \(report.tenants)")
      Output.data("index faults          \(report.tenantsWithIndexFaults)")
    }
    guard report.isSound else { throw Failure(65, "the store is not sound") }
  }
}

extension JSONLine {
  mutating func add(_ log: LogScanReport) {
    add("events", log.records)
    add("opened", log.opened)
    add("erased", log.erased)
    add("expired", log.expired)
    add("purged", log.purged)
    add("damaged", log.damaged)
    add("gaps", log.gaps)
    add("firstFault", log.firstFault)
  }
}

extension LogScanReport {
  /// Lines for a person.
  var table: String {
    """
    events in the log     \(records)
    opened                \(opened)
    erased (no key)       \(erased)
    expired (no key)      \(expired)
    of these purged       \(purged)
    damaged               \(damaged)
    gaps                  \(gaps)
    """
  }
}

extension String {
  /// Filled with spaces up to `count` characters.
  func padded(to count: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, count - self.count))
  }
}
