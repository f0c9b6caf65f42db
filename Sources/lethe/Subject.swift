import ArgumentParser
import Client

/// `lethe subject`: data subjects that were erased and come back.
struct Subject: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Take events of an erased person again.",
    discussion: """
      EXAMPLES
        $ lethe subject enrol --tenant acme <<<'u-42'
        $ lethe subject enrol --tenant acme            # asks, and does not show the answer
      """,
    subcommands: [SubjectEnrol.self])
}

/// `lethe subject enrol`.
struct SubjectEnrol: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enrol", abstract: "Lift the mark of an erased person.",
    discussion: """
      New events get a new key; what was erased stays erased. The identifier is read from stdin, \
      or asked for without showing it.

      EXAMPLES
        $ lethe subject enrol --tenant acme <<<'u-42'
        $ lethe subject enrol --tenant acme < one-identifier.txt
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    var request = Request("SUBJECT", "ENROL", try options.requiredTenant())
    request.append(try Person.one("Data subject to enrol (not shown)"))
    _ = try options.openAdmin().call(request)
    Output.message("the person's events are taken again")
  }
}
