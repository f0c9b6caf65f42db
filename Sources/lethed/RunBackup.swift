import ArgumentParser
import EventStore
import Storage

/// `lethed backup`: brings a backup up to a store, beside its daemon.
struct RunBackup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Bring a backup up to the store, beside the running daemon.",
    discussion: """
      The first run copies everything, later ones what was appended since:
        lethed backup --data /var/lib/lethe --to /backup/lethe
        lethed backup --data /var/lib/lethe --to /backup/lethe --keyring

      Events are kept for as long as you like: an old backup brings nothing back that was erased. \
      With --keyring the newest keyring takes the place of the one in the backup. The root is never \
      copied; without today's root a backup opens nothing.
      """)

  @Option(help: ArgumentHelp("The data directory.", valueName: "dir"))
  var data: String

  @Option(help: ArgumentHelp("The backup's directory; made if need be.", valueName: "dir"))
  var to: String

  @Flag(help: "Copy the keyring too, after the events.")
  var keyring = false

  @Flag(help: "One line of JSON instead of a table.")
  var json = false

  func run() async throws {
    let report: BackupReport
    do {
      report = try Backup.run(
        data: data, target: to, withKeyring: keyring, now: StoreOptions.clock())
    } catch {
      throw Failure(error)
    }
    if json {
      var line = JSONLine()
      line.add("records", report.log.records)
      line.add("bytes", report.log.bytes)
      line.add("lastSequence", report.log.lastSequence)
      line.add("keyring", report.hasKeyring)
      line.add("registered", report.isRegistered)
      Output.data(line.text)
    } else {
      Output.data("new records           \(report.log.records)")
      Output.data("their bytes           \(report.log.bytes)")
      Output.data("reaches record        \(report.log.lastSequence)")
      Output.data("keyring               \(report.hasKeyring ? "copied" : "not copied")")
      if !report.isRegistered {
        Output.message("the store takes no notes: its certificates will not name this copy")
      }
    }
  }
}
