import ArgumentParser
import Client
import EventModel
import RESP

/// `lethe export datasubject`.
struct ExportSubject: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "datasubject",
    abstract: "Write what there is about a person, for that person (officers).",
    discussion: """
      The person's live events as CloudEvents 1.0, one a line, in a private file (0600). The \
      identifier is read from stdin, or asked for without showing it. Other persons who are named \
      in the same events are masked; look through the payloads before you hand the file out. The \
      ledger keeps that it was made, and the access log what was given out.

      EXAMPLES
        $ lethe export datasubject --tenant acme --output person.ndjson
        $ lethe export datasubject --tenant acme --output person.ndjson <<<'u-42'
      """)

  @Option(
    name: [.short, .long], help: ArgumentHelp("The file; it must not exist.", valueName: "file"))
  var output: String

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    let tenant = try options.requiredTenant()
    var base = Request("EXPORT", "DATASUBJECT", tenant)
    base.append(try Person.one("Data subject to export (not shown)"))
    let session = try options.openAdmin()
    var pages = CursorPages(base: base, cursor: nil, missing: .max)
    // Asked for first: of an unknown person there is no file.
    var events = try pages.next(session, nil)
    let file = try ExportFile(path: output, isResumed: false)
    var count = 0
    while let page = events {
      try file.write(page)
      count += page.count
      events = try pages.next(session, nil)
    }
    try file.finish()
    Output.message("\(count) events written; the plaintext is yours to protect now")
  }
}
