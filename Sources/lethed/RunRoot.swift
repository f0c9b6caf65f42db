import ArgumentParser
import EventStore
import Keyring

/// `lethed root`: looks at the root's holders and changes them.
struct RunRoot: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "root", abstract: "Look at the root's holders, replace the root, change holders.",
    discussion: """
      Any one holder opens the store; every holder must confirm an erasure:
        lethed root status --data /var/lib/lethe --root /mnt/a/root --root /mnt/b/root
        lethed root add /mnt/c/root --data /var/lib/lethe --root /mnt/a/root

      The daemon must be down, but for `status`. Start it with every holder afterwards.
      """,
    subcommands: [
      RootStatus.self, RootRotate.self, RootAdd.self, RootRemove.self, RootRewrap.self,
    ],
    defaultSubcommand: RootStatus.self)
}

/// What the verbs of `lethed root` have in common.
struct RootOptions: ParsableArguments {
  @OptionGroup var store: StoreOptions

  @Option(help: "A JSON file of settings.")
  var config: String?

  @Flag(help: "One line of JSON instead of a table.")
  var json = false

  /// Opens the keyring, also when holders are not named or missing, and does what `body` does.
  func change(
    _ body: (RootAdministration) throws(KeyringError) -> Void
  ) async throws {
    let settings = try await store.settings(config: config)
    do {
      let root = try RootAdministration.open(
        path: settings.data, holders: settings.holders, uid: SystemCalls.ownUID,
        now: StoreOptions.clock())
      try body(root)
      report(root.status)
    } catch let error as KeyringError {
      guard error == .erasureUnconfirmed else { throw Failure(error) }
      throw Failure(
        75,
        "done, but a holder is missing: what it has is overwritten when it is back. Until then no "
          + "erasure is confirmed.")
    } catch let error as OpeningError {
      throw Failure(error)
    }
  }

  func report(_ status: RootStatusReport) {
    guard json else {
      Output.data("epoch                 \(status.epoch)")
      Output.data("holders               \(status.count)")
      for holder in status.holders {
        let number = holder.number.map(String.init) ?? "?"
        Output.data("holder \(number)".padded(to: 22) + "\(holder.path): \(holder.sentence)")
      }
      for number in status.unnamed {
        Output.data("holder \(number)".padded(to: 22) + "not named, or missing")
      }
      Output.data("erasure               \(status.isPending ? "unconfirmed" : "confirmed by all")")
      return
    }
    var line = JSONLine()
    line.add("epoch", status.epoch)
    line.add("holders", UInt64(status.count))
    line.add("present", UInt64(status.holders.count(where: \.isPresent)))
    line.add("weak", UInt64(status.holders.count { $0.isPresent && $0.medium.weakness != nil }))
    line.add("pending", status.isPending)
    Output.data(line.text)
  }
}

extension HolderStatus {
  fileprivate var sentence: String {
    guard isPresent else {
      switch failure {
      case .factorNeeded?: return "sealed, and its factor was not given"
      case .factorWrong?: return "sealed, and its factor does not match"
      default: return "missing"
      }
    }
    let seal =
      switch factor {
      case nil: ""
      case .passphrase?: ", under a passphrase"
      case .keyFile?: ", under a key file"
      case .credential?: ", under a credential"
      }
    let medium = medium.weakness.map { "cannot erase (\($0.rawValue))" } ?? "erases in place"
    return medium + seal + (isOnDataFileSystem ? ", on the data's file system" : "")
  }
}

struct RootStatus: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show the epoch and every holder; changes nothing.",
    discussion: """
      Works beside the running daemon:
        lethed root status --data /var/lib/lethe --root /var/lib/lethe-root/root --json
      """)

  @OptionGroup var options: RootOptions

  func run() async throws {
    let settings = try await options.store.settings(config: options.config)
    do {
      options.report(
        try RootAdministration.look(path: settings.data, holders: settings.holders))
    } catch { throw Failure(error) }
  }
}

struct RootRotate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate", abstract: "Replace the root, overwriting the old one everywhere.",
    discussion: """
      After a root may have been seen; nothing is destroyed, and old copies of the data open no more:
        lethed root rotate --data /var/lib/lethe --root /var/lib/lethe-root/root
      """)

  @OptionGroup var options: RootOptions

  func run() async throws {
    try await options.change { (root) throws(KeyringError) in try root.rotate() }
  }
}

struct RootAdd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Make one more holder, which gets today's root.",
    discussion: """
      On a device of its own, outside every backup:
        lethed root add /mnt/b/root --data /var/lib/lethe --root /mnt/a/root
      """)

  @Argument(help: ArgumentHelp("The new holder's file.", valueName: "file"))
  var holder: String

  @OptionGroup var options: RootOptions

  func run() async throws {
    let holder = holder
    try await options.change { (root) throws(KeyringError) in try root.add(holder) }
  }
}

struct RootRemove: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Take a holder out: overwritten, or lost for good.",
    discussion: """
      A holder that is there is overwritten; then its file can be deleted:
        lethed root remove /mnt/b/root --data /var/lib/lethe --root /mnt/a/root --root /mnt/b/root

      One that nobody can bring any more is named by its number, which `root status` tells. The root is \
      replaced, and the ledger says for ever that what it has was not overwritten:
        lethed root remove --lost 1 --data /var/lib/lethe --root /mnt/a/root
      """)

  @Argument(help: ArgumentHelp("The holder's file.", valueName: "file"))
  var holder: String?

  @Option(help: ArgumentHelp("The number of a holder that is lost.", valueName: "number"))
  var lost: UInt8?

  @OptionGroup var options: RootOptions

  func validate() throws {
    guard (holder == nil) != (lost == nil) else {
      throw ValidationError("say the holder's file, or --lost with its number")
    }
  }

  func run() async throws {
    let (holder, lost) = (holder, lost)
    try await options.change { (root) throws(KeyringError) in
      if let holder { try root.remove(holder) }
      if let lost { try root.removeLost(lost) }
    }
  }
}

struct RootRewrap: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rewrap",
    abstract: "Seal a holder's root under a passphrase, a key file or a credential.",
    discussion: """
      Whoever takes the holder alone then has no root. Replaces the root; what an earlier factor opened is \
      overwritten:
        systemd-ask-password | lethed root rewrap /mnt/a/root --new-passphrase-file - --data DIR --root \
      /mnt/a/root
        lethed root rewrap /mnt/a/root --no-factor --passphrase-file old.txt --data DIR --root /mnt/a/root

      Every later start needs the factor (--passphrase-file, --key-file or --credential). Who forgets it \
      loses the holder: keep another.
      """)

  @Argument(help: ArgumentHelp("The holder.", valueName: "file"))
  var holder: String

  @Option(help: ArgumentHelp("The new passphrase; - is standard input.", valueName: "file"))
  var newPassphraseFile: String?

  @Option(help: ArgumentHelp("The new key file.", valueName: "file"))
  var newKeyFile: String?

  @Option(help: ArgumentHelp("The name of the new systemd credential.", valueName: "name"))
  var newCredential: String?

  @Flag(help: "Let the root lie as it is.")
  var noFactor = false

  @OptionGroup var options: RootOptions

  private var given: [(RootFactor, String)] {
    let all: [(RootFactor, String?)] = [
      (.passphrase, newPassphraseFile), (.keyFile, newKeyFile), (.credential, newCredential),
    ]
    return all.compactMap { kind, file in file.map { (kind, $0) } }
  }

  func validate() throws {
    guard given.count + (noFactor ? 1 : 0) == 1 else {
      throw ValidationError(
        "say one of --new-passphrase-file, --new-key-file, --new-credential, --no-factor")
    }
  }

  func run() async throws {
    let holder = holder
    let next = try given.first.map { kind, file in (kind, try ServeSettings.path(kind, file)) }
    try await options.change { (root) throws(KeyringError) in
      try root.rewrap(holder, next?.0, file: next?.1)
    }
  }
}
