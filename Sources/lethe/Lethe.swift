import ArgumentParser
import Client
import EventModel

/// `lethe`: the command line client of the daemon.
@main
struct Lethe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lethe",
    abstract: "Append, read and forget events of a Lethe store.",
    discussion: """
      Data goes to stdout, everything else to stderr. Identifiers of persons and payloads are read \
      from stdin, a file descriptor or a prompt, never from the command line, where every user \
      of the machine could see them.

      EXAMPLES
        Store an event of one person, then follow the stream:
          $ lethe append orders order.placed --subject-fd 3 3<<<u-42 <<<'{"total":9}'
          $ lethe tail orders
        Store many events, one JSON object a line:
          $ lethe append orders order.placed --ndjson < events.ndjson
        Find what is known of a person, who is asked for without being shown:
          $ lethe query --subject-prompt --all --json
        Take everything elsewhere, and bring it back:
          $ lethe export range '*' --output all.ndjson
          $ lethe import all.ndjson --tenant copy --impersonal-types '*'
        Erase a person, after looking at what would go:
          $ lethe shred subject --tenant acme --reason art17

      EXIT STATUS
        0 done, 1 degraded (health only), 64 wrong usage, 65 refused data,
        66 no such file, 69 daemon unavailable, 70 not understood,
        73 file is there already, 74 device failed or stored data damaged,
        75 try again later, 77 no permission, 78 wrong setting

      ENVIRONMENT
        LETHE_SOCKET   path of the query socket (/run/lethe/query.sock)
        LETHE_SOCKETS  directory of both sockets; admin.sock is looked for there
        LETHE_TENANT   the tenant, where this user may use several
        LETHE_PURPOSE  what events are read for, where this user may read for several purposes
      """,
    version: Release.version,
    subcommands: [
      Append.self, Read.self, Get.self, Query.self, Count.self, Streams.self, Tail.self,
      Import.self, Export.self, Tenant.self, RetentionVerbs.self, Shred.self, Plan.self,
      Hold.self, GrantVerbs.self, Subject.self, Key.self, CertificateCommand.self,
      CheckpointCommand.self, Proof.self, Audit.self, Bundle.self, Clock.self, Access.self,
      Incident.self, Health.self, ShowLimits.self,
    ])

  /// Runs the command and ends with the status of what went wrong (sysexits.h).
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let failure as Failure {
      Output.message(failure.text)
      exit(withError: ExitCode(failure.status.rawValue))
    } catch {
      exit(withError: error)
    }
  }
}
