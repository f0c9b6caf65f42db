import AuditReport
import EventModel
import TransparencyLog

/// An audit as the value that a page is made of.
struct AuditPage {
  let audit: Audit
  /// The rows that decide, of all verbs.
  let rows: [Finding]
  let commands: [ReportCommand]

  var model: ReportModel {
    var model = ReportModel(verdict: verdict, scope: scope, ledger: ledger)
    model.checks = checks
    model.findings = findings
    model.classes = classes
    model.holds = holds
    model.erasures = erasures
    model.keys = keys
    model.limits = limits
    model.commands = commands
    return model
  }

  private var verdict: Verdict {
    switch rows.map(\.outcome).max() ?? .unknown {
    case .pass: .pass
    case .finding: .findings
    case .tampered: .tampering
    case .unknown: .inconclusive
    }
  }

  private var limits: [String] {
    var limits = [
      "Which persons or contents the events have: nothing in a bundle can be read.",
      "How many events are in which class and state is stated by the store; only their number and their "
        + "hashes are recomputed.",
      "Why events that are not named by an act were erased, once the store tells it no more.",
    ]
    if audit.manifest?.challenge != nil {
      limits.append("Whether records that were not drawn for the sample are unchanged.")
    }
    return limits
  }
}

// MARK: how much was looked at

extension AuditPage {
  private var scope: ReportScope {
    guard let manifest = audit.manifest else {
      return ReportScope(
        store: "unknown", takenMilliseconds: 0, manifestHash: "unknown",
        tool: "lethe-audit \(Release.version)", tenants: 0, verifierKey: "none",
        isKeyIndependent: false)
    }
    var scope = ReportScope(
      store: manifest.store.bytes.hexadecimal, takenMilliseconds: made,
      manifestHash: audit.manifestHash, tool: "lethe-audit \(Release.version)",
      tenants: manifest.logs.count, verifierKey: manifest.key.text,
      isKeyIndependent: rows.contains { $0.code == "KEY-1" && $0.outcome == .pass })
    if audit.ledger.lastMilliseconds > 0 {
      scope.covered = .init(first: audit.ledger.firstMilliseconds, last: made)
    }
    let events = manifest.logs.reduce(UInt64(0)) { $0 &+ $1.events }
    scope.records = .init(audit.logs.rehashed, of: events - min(events, audit.logs.purged))
    scope.ledgerEntries = .init(
      manifest.ledgerCount - min(manifest.ledgerCount, audit.ledger.unreadable),
      of: manifest.ledgerCount)
    let right = 1 + audit.checkpoints.heads.values.joined().count + audit.certificates.count
    let wrong = rows.count { ["CHK-1", "CER-1"].contains($0.code) && $0.outcome == .tampered }
    scope.signatures = .init(UInt64(right), of: UInt64(right + wrong))
    scope.sample = manifest.challenge.map {
      "\($0.count) records of each tenant\u{2019}s log, drawn by the auditor\u{2019}s word \u{201C}\($0.seed)\u{201D}"
    }
    scope.earlierCheckpoint = earlier
    return scope
  }

  private var earlier: String? {
    if audit.input.isFirst {
      return "none: the auditor says that there was no audit before this one"
    }
    let heads = audit.checkpoints.heads.values.joined().filter(\.isEarlier)
    guard
      let newest = heads.max(by: { $0.checkpoint.timeMilliseconds < $1.checkpoint.timeMilliseconds }
      )
    else { return nil }
    return
      "\(heads.count) checkpoints that the auditor kept, the newest signed "
      + "\(Text.time(newest.checkpoint.timeMilliseconds))"
  }

  /// The rows as checks: those of one kind together, in the order in which they were made.
  private var checks: [CheckGroup] {
    var names: [String] = []
    var found: [String: [Check]] = [:]
    for row in rows {
      let question = Question.of(row.code)
      if found[question.group] == nil { names.append(question.group) }
      found[question.group, default: []].append(
        Check(
          "\(row.code)  \(question.text)", row.isAnswerOnly ? .noted : row.outcome.onPage,
          row.basis.onPage,
          Text.sentence(row.sentence)))
    }
    return names.map { CheckGroup(title: $0, checks: found[$0] ?? []) }
  }

  private var findings: [AuditReport.Finding] {
    rows.filter { $0.outcome != .pass }.map { row in
      // Sentences begin with the place, if they have one.
      let parts = row.sentence.split(separator: ": ", maxSplits: 1).map(String.init)
      let isPlace = parts.count == 2 && parts[0].contains { $0.isNumber || $0 == "." }
      let place = isPlace || parts.first == "the ledger" ? parts[0] : ""
      return AuditReport.Finding(
        code: row.code, severity: row.outcome == .finding ? .medium : .high,
        topic: Question.of(row.code).topic,
        text: Text.sentence(place.isEmpty ? row.sentence : parts[parts.count - 1]), place: place)
    }
  }

  private var ledger: LedgerContinuity {
    let history = audit.ledger.history
    let count = audit.manifest?.ledgerCount ?? 0
    return LedgerContinuity(
      size: count, present: history.present(of: count),
      checkpoints: history.checkpoints.map { head, isRight in
        .init(
          milliseconds: head.checkpoint.timeMilliseconds, size: head.checkpoint.size,
          isSound: isRight)
      },
      days: history.days,
      acts: history.acts.map { act, count in .init(name: act.words, done: count) }
        + history.refusals.map { verb, count in
          .init(name: "command \(verb)", done: 0, refused: count)
        })
  }
}

extension Outcome {
  fileprivate var onPage: AuditReport.Outcome {
    switch self {
    case .pass: .holds
    case .finding: .finding
    case .unknown: .open
    case .tampered: .fails
    }
  }
}

extension Basis {
  fileprivate var onPage: AuditReport.Basis {
    switch self {
    case .recomputed: .recomputed
    case .stated: .stated
    case .attested: .attested
    }
  }
}

extension Finding {
  /// True when the row gives an answer that is neither right nor wrong.
  fileprivate var isAnswerOnly: Bool { outcome == .pass && ["CE-10", "KEY-3"].contains(code) }
}

extension LedgerEntry.Act {
  /// `subject shredded`.
  var words: String {
    String(describing: self).reduce(into: "") { text, letter in
      text += letter.isUppercase ? " \(letter.lowercased())" : String(letter)
    }
  }
}

extension Text {
  /// With a capital at its beginning and a full stop at its end.
  static func sentence(_ text: String) -> String {
    guard let first = text.first else { return text }
    return first.uppercased() + text.dropFirst() + (text.last == "." ? "" : ".")
  }
}
