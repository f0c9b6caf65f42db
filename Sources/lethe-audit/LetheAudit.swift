import ArgumentParser
import EventModel

/// `lethe-audit`: checks what a store says of itself, without keys and without the store.
@main
struct LetheAudit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lethe-audit",
    abstract: "Check a bundle of a Lethe store offline, without keys.",
    discussion: """
      A bundle (lethe bundle) has no names, no plaintext and no keys. Every row of an answer says \
      whether it was recomputed here, is stated by the daemon, or attested by a person.

      EXAMPLES
        The first audit, with the key that the store's operator gave before:
          $ lethe-audit verify q3 --key lethe.key --first
        The next, with what the first one saw:
          $ lethe-audit verify q4 --key lethe.key --from q3/checkpoints.ndjson

      EXIT STATUS
        0 everything passed, 1 something is not as it should be, 2 something was changed, taken away \
        or forged, 3 it cannot be concluded (a gap, no key from elsewhere, no earlier checkpoint), \
        64 wrong usage
      """,
    version: Release.version,
    subcommands: [
      Verify.self, Erasures.self, RetentionVerb.self, Rotation.self, CertificateVerb.self,
      CryptographicErase.self, Report.self,
    ])
}

/// What every verb takes.
struct AuditOptions: ParsableArguments {
  @Argument(help: "The bundle's folder.")
  var bundle: String

  @Option(
    help: ArgumentHelp(
      "The store's key, had from elsewhere: as text, or a file with it.", valueName: "key"))
  var key: String?

  @Option(
    help: ArgumentHelp(
      "Checkpoints that were kept of an earlier audit; may be repeated.", valueName: "file"))
  var from: [String] = []

  @Flag(help: "There was no audit before this one.")
  var first = false

  @Flag(help: "JSON for machines.")
  var json = false

  mutating func validate() throws {
    guard !first || from.isEmpty else {
      throw ValidationError("--first and --from exclude each other")
    }
  }

  /// Reads the bundle.
  func audit() -> Audit {
    var input = AuditInput(folder: bundle)
    input.key = key.map(Self.text)
    input.earlier = from
    input.isFirst = first
    return Audit(input)
  }

  /// Shows rows and ends with their verdict.
  func end(_ rows: [Finding], _ audit: Audit) throws {
    Output.write(rows, audit, isJSON: json)
    let verdict = rows.map(\.outcome).max() ?? .unknown
    if verdict != .pass { throw ExitCode(verdict.exitCode) }
  }

  /// The text of a file of this name, or the text itself.
  static func text(_ value: String) -> String {
    guard let bytes = BundleFile.small(path: value, bytesMax: 4_096) else { return value }
    let text = String(decoding: bytes, as: UTF8.self)
    return String(text.prefix { !$0.isWhitespace })
  }
}

/// `lethe-audit verify`.
struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check hashes, signatures, contiguity and everything that was signed before.",
    discussion: """
      Hashes every record again, computes the roots of all logs and of the ledger, and compares them \
      with the signed checkpoints, those of earlier audits included; looks for the certificate of \
      every act that erased events, and for the act of every certificate.

      EXAMPLES
        $ lethe-audit verify q3 --key lethe.key --first
        $ lethe-audit verify q4 --key lethe.key --from q3/checkpoints.ndjson --json
      """)

  @OptionGroup var options: AuditOptions

  func run() throws {
    let audit = options.audit()
    try options.end(audit.findings.rows, audit)
  }
}
