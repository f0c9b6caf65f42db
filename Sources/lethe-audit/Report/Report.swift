import ArgumentParser
import AuditReport

/// `lethe-audit report`.
struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write everything that a bundle shows as one page for people.",
    discussion: """
      The page is one file of HTML without scripts that asks for nothing from elsewhere; it prints. \
      Verdict and scope come first, then findings with the clauses of GDPR, ISO 27001, SOC 2 and NIST \
      that ask about them, every check, and plots of what is kept, erased and replaced. It holds what \
      the bundle holds: no names and no contents. The same bundle gives the same page. The exit status \
      is that of the verdict.

      EXAMPLES
        $ lethe-audit report q4 --key lethe.key --from q3/checkpoints.ndjson --html q4.html
      """)

  @OptionGroup var options: AuditOptions

  @Option(help: ArgumentHelp("The page to write; - is standard output.", valueName: "file"))
  var html: String

  mutating func validate() throws {
    guard !options.json else { throw ValidationError("--json is of the other verbs") }
  }

  func run() throws {
    let audit = options.audit()
    let rows = audit.allRows
    let page = ReportPage(AuditPage(audit: audit, rows: rows, commands: commands).model)
    guard SystemCalls.writeFile(html, page.bytes) else {
      Output.message("the page cannot be written")
      throw ExitCode(73)
    }
    let verdict = rows.map(\.outcome).max() ?? .unknown
    if verdict != .pass { throw ExitCode(verdict.exitCode) }
  }

  /// The lines that lead to the same statements.
  private var commands: [ReportCommand] {
    var words = [Self.quoted(options.bundle)]
    if let key = options.key { words += ["--key", Self.quoted(key)] }
    for path in options.from { words += ["--from", Self.quoted(path)] }
    if options.first { words.append("--first") }
    let line = words.joined(separator: " ")
    return [
      ReportCommand(
        line: "lethe-audit verify \(line)",
        purpose: "Hashes, signatures, contiguity, and what was signed before:"),
      ReportCommand(line: "lethe-audit erasures \(line)", purpose: "Every erasure, a line each:"),
      ReportCommand(
        line: "lethe-audit retention \(line)", purpose: "Every class with its events and limits:"),
      ReportCommand(line: "lethe-audit rotation \(line)", purpose: "Keys and their ages:"),
      ReportCommand(
        line: "lethe-audit report \(line) --html \(Self.quoted(html))", purpose: "This page:"),
      ReportCommand(
        line: "sha256sum \(Self.quoted("\(options.bundle)/MANIFEST.json"))",
        purpose: "The hash of the manifest, which stands under Scope:"),
    ]
  }

  /// A word as a shell reads it.
  private static func quoted(_ word: String) -> String {
    let isPlain =
      !word.isEmpty
      && word.unicodeScalars.allSatisfy { scalar in
        scalar.isASCII
          && (scalar.properties.isAlphabetic
            || "0123456789/._-+=:,@".unicodeScalars.contains(scalar))
      }
    return isPlain
      ? word
      : "'\(word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
  }
}
