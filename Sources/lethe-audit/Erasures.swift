import ArgumentParser
import EventModel

/// `lethe-audit erasures`.
struct Erasures: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List everything that was erased, and say whether the list is complete.",
    discussion: """
      The acts are those of the ledger, whose entries are contiguous and whose root is signed; with an \
      earlier checkpoint that is the proof that none was left out. With --tickets they are held \
      against the requests that were received, both ways: one ticket a line.

      EXAMPLES
        $ lethe-audit erasures q4 --key lethe.key --from q3/checkpoints.ndjson
        $ lethe-audit erasures q4 --key lethe.key --first --tickets requests.txt
      """)

  @OptionGroup var options: AuditOptions

  @Option(help: ArgumentHelp("A file with the tickets of all requests.", valueName: "file"))
  var tickets: String?

  func run() throws {
    let audit = options.audit()
    var findings = Findings()
    let acts = audit.erasingActs
    ErasureJudge(audit: audit).judge(&findings)
    try compareTickets(acts, &findings)
    try options.end(audit.evidence(of: ["LED", "CER", "ERA"]) + findings.rows, audit)
  }

  private func compareTickets(
    _ acts: [(UInt64, LedgerEntry)], _ findings: inout Findings
  ) throws {
    guard let tickets else { return }
    guard let bytes = BundleFile.small(path: tickets, bytesMax: 64 << 20) else {
      findings.add("TIC-1", .attested, .unknown, "the tickets cannot be read")
      return
    }
    let requested = Set(
      String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init))
    let done = Set(acts.map { String(decoding: $0.1.ticket, as: UTF8.self) }.filter { !$0.isEmpty })
    for ticket in requested.subtracting(done).sorted() {
      findings.add(
        "TIC-1", .attested, .finding, "ticket \(Text.printable(ticket)): no act in the ledger")
    }
    for ticket in done.subtracting(requested).sorted() {
      findings.add(
        "TIC-2", .attested, .finding,
        "ticket \(Text.printable(ticket)): an act in the ledger, and no such request")
    }
    findings.add(
      "TIC-1", .attested, .pass,
      "\(requested.intersection(done).count) of \(requested.count) requests have their act")
  }
}

/// Holds the acts that erased, and what their certificates say, against what was promised.
struct ErasureJudge {
  let audit: Audit

  /// Adds a row of a list for each act, and what there is to say of it.
  func judge(_ findings: inout Findings) {
    for (index, entry) in audit.erasingActs {
      let certificate = audit.certificates[index]
      var words = [
        "ledger \(index)", Text.time(entry.timeMilliseconds), entry.act.certificateKind ?? "",
        "tenant \(entry.tenant.rawValue)", "\(entry.count) events", entry.actor.text,
      ]
      if !entry.ticket.isEmpty {
        words.append("ticket \(Text.printable(String(decoding: entry.ticket, as: UTF8.self)))")
      }
      words.append(certificate.map { "\($0.title) \($0.level)" } ?? "no certificate")
      findings.list("ERA-3", words.joined(separator: "  "))
      judge(index, entry, certificate, &findings)
    }
    findings.add(
      "ERA-4", .recomputed, .pass,
      "\(audit.erasingActs.count) acts that erased, of \(audit.manifest?.ledgerCount ?? 0) ledger entries"
    )
  }

  private func judge(
    _ index: UInt64, _ entry: LedgerEntry, _ certificate: CertificateFacts?,
    _ findings: inout Findings
  ) {
    guard let certificate else { return }
    if certificate.openedAfter ?? 0 > 0 {
      findings.add(
        "ERA-5", .stated, .finding, "ledger \(index): a sample opened after the erasure")
    }
    if certificate.level == "E0" {
      findings.add(
        "ERA-6", .stated, .finding,
        "ledger \(index): class E0, the root's medium may keep what was overwritten")
    }
    // Art. 12(3) GDPR: a month; counted as thirty days from the day on which the request came.
    let received = Int64(entry.receivedDay) * 86_400_000
    if received > 0, entry.timeMilliseconds - received > 31 * 86_400_000 {
      findings.add(
        "ERA-7", .recomputed, .finding,
        "ledger \(index): \(Text.span(entry.timeMilliseconds - received)) after the request came")
    }
  }
}

extension Audit {
  /// Acts that erased events, in their order.
  var erasingActs: [(UInt64, LedgerEntry)] {
    ledger.acts.filter { $0.value.act.certificateKind != nil }.sorted { $0.key < $1.key }
      .map { ($0.key, $0.value) }
  }

  /// The rows on which others stand: all that did not pass, and what was asked for.
  func evidence(of kinds: [String]) -> [Finding] {
    findings.rows.filter { row in
      row.outcome != .pass || kinds.contains { row.code.hasPrefix($0) }
    }
  }
}

extension LedgerEntry.Actor {
  /// Who it was, as certificates write it.
  var text: String {
    switch self {
    case .daemon: "daemon"
    case .uid(let uid): "uid:\(uid)"
    case .socket(let name, _): "socket:\(Text.printable(String(decoding: name, as: UTF8.self)))"
    }
  }
}
