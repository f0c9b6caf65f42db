import ArgumentParser
import Server

/// `lethed doctor`: what an operator should know of this store and this machine.
struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what is wrong or risky with a store and its machine, the worst first.",
    discussion: """
      Changes nothing, and works beside a running daemon; what it then cannot look at, it names:
        lethed doctor --data /var/lib/lethe --root /var/lib/lethe-root/root --sockets /run/lethe
        lethed doctor --data /var/lib/lethe --root /mnt/a/root --root /mnt/b/root --json

      Run it as the daemon's user or as root. Ends with 0 when there is nothing to do, with 1 when \
      there are warnings, and with 2 when there are problems; notes do not count.
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("The directory of the sockets.", valueName: "dir"))
  var sockets: String?

  @Option(help: ArgumentHelp("The access file (JSON).", valueName: "file"))
  var access: String?

  @Option(help: "A JSON file of settings.")
  var config: String?

  @Flag(help: "One JSON object.")
  var json = false

  func run() async throws {
    let settings = try await ServeSettings.read(
      options: store, sockets: sockets, access: access, config: config)
    var diagnosis = Diagnosis()
    StoreChecks(data: settings.data, holders: settings.holders).run(&diagnosis)
    let owner = SystemCalls.entry(settings.data)?.owner ?? SystemCalls.ownUID
    AccessChecks(access: settings.access, sockets: settings.sockets, owner: owner)
      .run(&diagnosis)
    MachineChecks(.current(data: settings.data)).run(&diagnosis)
    if json {
      Output.data(diagnosis.json)
    } else {
      for line in diagnosis.lines { Output.data(line) }
    }
    Output.exit(diagnosis.exitCode)
  }
}
