import EventModel

/// The conditions of a cryptographic erase (NIST SP 800-88), over all certificates of a bundle.
struct EraseSummary: Sendable {
  private struct Line: Sendable {
    let basis: Basis
    var passed: UInt64 = 0
    var failed: UInt64 = 0
    /// What the first says that does not hold, else the first of all.
    var example: String
  }

  private var lines: [String: Line] = [:]
  /// In the order in which the conditions are gone through.
  private var codes: [String] = []
  private(set) var certificates: UInt64 = 0

  /// Goes through the conditions of one certificate.
  mutating func add(_ json: JSONValue, _ facts: CertificateFacts) {
    var findings = Findings()
    EraseConditions(json: json, facts: facts).judge(&findings)
    certificates += 1
    for code in Self.order(findings.rows) {
      let rows = findings.rows.filter { $0.code == code }
      guard let worst = rows.max(by: { $0.outcome < $1.outcome }) else { continue }
      if lines[code] == nil { codes.append(code) }
      var line = lines[code] ?? Line(basis: worst.basis, example: worst.sentence)
      if worst.outcome == .pass {
        line.passed += 1
      } else {
        if line.failed == 0 {
          line.example = "ledger entry \(facts.ledgerIndex): \(worst.sentence)"
        }
        line.failed += 1
      }
      lines[code] = line
    }
  }

  /// A row for each condition.
  var rows: [Finding] {
    codes.compactMap { code in
      guard let line = lines[code] else { return nil }
      let isRight = line.failed == 0
      let count = isRight ? line.passed : line.failed
      return Finding(
        code: code, basis: line.basis, outcome: isRight ? .pass : .finding,
        sentence: isRight
          ? "\(count) of \(certificates) certificates; the first: \(line.example)"
          : "not by \(count) of \(certificates) certificates; the first is of \(line.example)")
    }
  }

  private static func order(_ rows: [Finding]) -> [String] {
    rows.reduce(into: []) { codes, row in
      if !codes.contains(row.code) { codes.append(row.code) }
    }
  }
}

extension Audit {
  /// The rows of every verb on a bundle, without those that only list.
  var allRows: [Finding] {
    var found = Findings()
    if let manifest, let tables {
      RetentionJudge(
        audit: self, manifest: manifest, tables: tables, now: manifest.madeMilliseconds
      ).judge(&found)
      ErasureJudge(audit: self).judge(&found)
      RotationJudge(audit: self, rootDays: RotationJudge.rootDaysDefault).judge(&found)
    }
    let lists: Set<String> = ["RET-2", "ERA-3", "KEY-7"]
    return findings.rows + found.rows.filter { !lists.contains($0.code) } + conditions.rows
  }
}
