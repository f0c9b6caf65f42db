import ArgumentParser
import CLinux
import EventStore
import Keyring
import Storage

/// Which store: its data directory and its root holders.
struct StoreOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The data directory.", valueName: "dir"))
  var data: String?

  @Option(
    help: ArgumentHelp(
      "A root holder's file; once for every holder that the store has, also one that is missing.",
      valueName: "file"))
  var root: [String] = []

  @Option(
    help: ArgumentHelp(
      "A passphrase that the root is sealed under; - is standard input.", valueName: "file"))
  var passphraseFile: String?

  @Option(help: ArgumentHelp("A key file that the root is sealed under.", valueName: "file"))
  var keyFile: String?

  @Option(
    help: ArgumentHelp(
      "The name of a systemd credential that the root is sealed under.", valueName: "name"))
  var credential: String?

  @Flag(
    help: """
      Take a root on a medium that cannot erase (copy-on-write, network, memory). Recorded in the \
      ledger and said on every receipt.
      """)
  var acceptWeakErasure = false

  /// Milliseconds since 1970.
  #if DEBUG
    static let clock: @Sendable () -> Int64 = {
      linux_wall_clock_milliseconds() + TestHooks.clockOffsetMilliseconds
    }
  #else
    static let clock: @Sendable () -> Int64 = { linux_wall_clock_milliseconds() }
  #endif

  static let clocks = MachineClocks(
    wall: clock, boot: { linux_boot_clock_milliseconds() },
    isSynchronized: { linux_clock_is_synchronised() == 1 })

  /// The settings with environment and file behind the options.
  func settings(config: String?) async throws -> ServeSettings {
    try await ServeSettings.read(options: self, sockets: nil, access: nil, config: config)
  }
}
