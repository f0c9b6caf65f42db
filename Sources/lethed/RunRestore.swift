import ArgumentParser
import EventStore
import Keyring

/// `lethed restore`: makes a store of a backup, with today's keyring and today's root.
struct RunRestore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Make a store of a backup, with today's keyring and root.",
    discussion: """
      With the keyring that the backup has, when it is the newest, or with the one of the data \
      directory (or of another backup), when that is left:
        lethed restore --from /backup/lethe --data /srv/lethe --root /var/lib/lethe-root/root
        lethed restore --from /backup/old --keyring /var/lib/lethe --data /srv/lethe --root FILE

      What was erased since the backup is not brought back. An older keyring or root is refused. \
      Every tenant begins a new generation: positions behind the backup's last were lost and are \
      given out again, and cursors from before end. Every file is walked before it is opened. The \
      daemon must be down.
      """)

  @Option(help: ArgumentHelp("The backup's directory.", valueName: "dir"))
  var from: String

  @Option(
    help: ArgumentHelp(
      "The data directory or backup that has the newest keyring.", valueName: "dir"))
  var keyring: String?

  @OptionGroup var store: StoreOptions

  @Flag(
    help: """
      Go on although a root holder has a newer root than the keyring: an erasure that was under way \
      when its keyring was lost is not done.
      """)
  var abandonRotation = false

  @Option(help: "A JSON file of settings.")
  var config: String?

  @Flag(help: "One line of JSON instead of a table.")
  var json = false

  func run() async throws {
    let settings = try await store.settings(config: config)
    let report: RestoreReport
    do {
      report = try Restore.run(
        from: from, keyring: keyring, data: settings.data, holders: settings.holders,
        abandonsRotation: abandonRotation, now: StoreOptions.clock())
    } catch {
      throw Self.failure(error)
    }
    if json {
      var line = JSONLine()
      line.add(report.log)
      line.add("tenants", report.tenants)
      line.add("epoch", report.epoch)
      if let lost = report.lost { line.add("lost", lost) }
      Output.data(line.text)
    } else {
      Output.data(report.log.table)
      Output.data("tenants               \(report.tenants), each in a new generation")
      Output.data("epoch                 \(report.epoch)")
      let lost = report.lost.map(String.init) ?? "whatever was appended after the backup"
      Output.data("lost                  \(lost)")
    }
    guard report.log.damaged == 0 else {
      throw Failure(65, "the store is restored, but \(report.log.damaged) records are damaged")
    }
  }

  /// What copies of different ages would undo.
  private static func failure(_ error: OpeningError) -> Failure {
    switch error {
    case .keyring(.storageRolledBack(let storage, let root)):
      Failure(
        82,
        "this keyring is older than the root (epochs \(storage) and \(root)): it would undo "
          + "\(erasures(root - storage)). Bring today's keyring with --keyring.")
    case .keyring(.rootRolledBack(let storage, let root)):
      Failure(
        83,
        "this root is older than the keyring (epochs \(root) and \(storage)): with an old keyring it "
          + "would undo \(erasures(storage - root)). Bring today's root.")
    default: Failure(error)
    }
  }

  private static func erasures(_ count: UInt64) -> String {
    count == 1 ? "1 rotation that erased" : "\(count) rotations that erased"
  }
}
