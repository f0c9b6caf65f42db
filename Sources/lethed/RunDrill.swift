import ArgumentParser
import EventStore
import Keyring

/// `lethed drill`: what an old copy of the files gives to somebody with today's root.
struct RunDrill: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drill",
    abstract: "Open an old copy of the data directory with today's root and say what opens.",
    discussion: """
      Works beside the running daemon and changes nothing:
        lethed drill --old /backup/lethe --data /var/lib/lethe --root /var/lib/lethe-root/root

      The old copy's own keyring is sealed under an erased root, so the events are tried with \
      today's keyring too: everything live opens, everything erased since does not.
      """)

  @Option(help: ArgumentHelp("The old copy of the data directory.", valueName: "dir"))
  var old: String

  @OptionGroup var store: StoreOptions

  @Option(help: "A JSON file of settings.")
  var config: String?

  @Flag(help: "One line of JSON instead of a table.")
  var json = false

  func run() async throws {
    let settings = try await store.settings(config: config)
    let report: DrillReport
    do {
      report = try Drill.run(old: old, data: settings.data, holders: settings.holders)
    } catch {
      throw Failure(error)
    }
    if json {
      var line = JSONLine()
      line.add(report.log)
      line.add("copyOpens", report.copyOpens)
      line.add("oldNodes", report.oldNodes)
      line.add("oldNodesOpened", report.oldNodesOpened)
      Output.data(line.text)
    } else {
      Output.data(report.log.table)
      Output.data("copy's own keyring    \(report.copyOpens ? "opens" : "does not open")")
      Output.data("its key nodes         \(report.oldNodes), opened \(report.oldNodesOpened)")
    }
    guard report.log.isSound else { throw Failure(65, "the old copy is damaged") }
  }
}
