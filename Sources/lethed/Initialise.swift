import ArgumentParser
import EventStore
import Keyring

/// `lethed init`: makes a new, empty store and its root.
struct Initialise: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Make a new, empty store and its root.",
    discussion: """
      One holder, or two on two devices (a shred then overwrites both):
        lethed init --data /var/lib/lethe --root /var/lib/lethe-root/root
        lethed init --data /var/lib/lethe --root /mnt/a/root --root /mnt/b/root

      Never makes a root over an existing store, nor a store over an existing root.
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: "A JSON file of settings.")
  var config: String?

  func run() async throws {
    let settings = try await store.settings(config: config)
    do {
      try EventStore.create(
        path: settings.data, holders: settings.holders, now: StoreOptions.clock())
    } catch let error as OpeningError {
      throw Failure(error)
    }
    Output.message("A new store is ready. Keep its root out of every backup.")
  }
}
