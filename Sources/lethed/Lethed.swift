import ArgumentParser
import CLinux
import EventModel

/// The daemon's program: whatever needs keys is a subcommand of it.
@main
struct Lethed: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lethed",
    abstract: "The event store that can forget: daemon and offline tools that need keys.",
    discussion: """
      A new store, then a daemon on it:
        lethed init --data /var/lib/lethe --root /var/lib/lethe-root/root
        lethed serve --data /var/lib/lethe --root /var/lib/lethe-root/root --sockets /run/lethe

      The root must lie on another file system than the data, one that overwrites in place (ext4, \
      XFS), outside every backup: whoever has an old root and an old copy of the data has what was \
      erased since.
      """,
    version: LetheVersion.text,
    subcommands: [
      Initialise.self, Serve.self, Check.self, Doctor.self, RunDrill.self, RunBackup.self,
      RunRestore.self, RunRoot.self, RunHolder.self,
    ])

  static func main() async {
    Hardening.apply()
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let failure as Failure {
      Output.message("lethed: \(failure.sentence)")
      Output.exit(failure.exitCode)
    } catch {
      // A wrong call ends with 64, as sysexits has it; help and version end with 0.
      let code = exitCode(for: error)
      let text = fullMessage(for: error)
      if code == .success { Output.data(text) } else { Output.message(text) }
      Output.exit(code == .success ? 0 : 64)
    }
  }
}

/// The version that programs and protocol state.
enum LetheVersion {
  static let text = Release.version
}
