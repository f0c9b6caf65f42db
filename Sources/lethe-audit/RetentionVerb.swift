import ArgumentParser
import EventModel

/// `lethe-audit retention`.
struct RetentionVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retention",
    abstract: "Say whether anything lives past its maximum, and which holds are overdue.",
    discussion: """
      Counts the events of every class by what is stated of them, and computes from the stated \
      policies when each day's events had to be gone. The moment is that of the bundle, or --at.

      EXAMPLES
        $ lethe-audit retention q4 --key lethe.key --from q3/checkpoints.ndjson
        $ lethe-audit retention q4 --key lethe.key --first --at 2026-12-31T23:59:59Z --json
      """)

  @OptionGroup var options: AuditOptions

  @Option(help: ArgumentHelp("The moment that is judged (RFC 3339).", valueName: "time"))
  var at: String?

  mutating func validate() throws {
    if let at, Timestamp.milliseconds(Array(at.utf8).span) == nil {
      throw ValidationError("--at takes a time as 2026-12-31T23:59:59Z")
    }
  }

  func run() throws {
    let audit = options.audit()
    var findings = Findings()
    if let manifest = audit.manifest, let tables = audit.tables {
      let moment = at.flatMap { Timestamp.milliseconds(Array($0.utf8).span) }
      let judge = RetentionJudge(
        audit: audit, manifest: manifest, tables: tables, now: moment ?? manifest.madeMilliseconds)
      judge.judge(&findings)
    } else {
      findings.add("RET-1", .stated, .unknown, "there are no tables: nothing is known of classes")
    }
    try options.end(audit.evidence(of: ["LOG", "TAB"]) + findings.rows, audit)
  }
}

/// Holds what is stated of events against what is stated of their classes.
struct RetentionJudge {
  let audit: Audit
  let manifest: Manifest
  let tables: Tables
  let now: Int64

  /// What one class of one log adds up to.
  struct Line: Sendable {
    var counts = PeriodCounts()
    /// Events that are live or restricted past their maximum, and not under a hold.
    var overdue: UInt64 = 0
    /// The same under a hold.
    var held: UInt64 = 0
    var oldestOverdue: Period?
    /// The end of the oldest events that live on.
    var nextExpiry: Int64?
  }

  /// Expiry runs once an hour; what is over for a shorter time than two hours is not overdue yet.
  private static let patience: Int64 = 2 * 3_600_000

  func judge(_ findings: inout Findings) {
    for (number, log) in manifest.logs.enumerated().map({ ($0.offset + 1, $0.element) }) {
      guard let tenant = tables.tenants[log.tenant] else {
        findings.add("RET-1", .stated, .tampered, "log \(number): no table of its tenant")
        continue
      }
      for (classNumber, line) in lines(number, tenant) {
        say(number, tenant, classNumber, line, &findings)
      }
      judge(tenant.holds, number, &findings)
    }
  }

  /// By class number, ascending; nil: nobody knows any more.
  func lines(_ number: Int, _ tenant: Tables.Tenant) -> [(UInt8?, Line)] {
    var lines: [UInt8?: Line] = [:]
    for (key, counts) in audit.logs.periods where key.log == number {
      var line = lines[key.classNumber] ?? Line()
      line.counts.add(counts)
      let alive = counts.live + counts.restricted
      if alive > 0, let found = key.classNumber, let policy = tenant.classes[found]?.policy {
        let expiry = policy.expiryMilliseconds(of: key.period.index, now: now)
        line.nextExpiry = min(line.nextExpiry ?? expiry, expiry)
        if expiry + Self.patience < now {
          if tenant.holds.contains(where: { $0.concerns(found) }) {
            line.held += alive
          } else {
            line.overdue += alive
            if key.period.index < line.oldestOverdue?.index ?? .max {
              line.oldestOverdue = key.period
            }
          }
        }
      }
      lines[key.classNumber] = line
    }
    return lines.sorted { ($0.key ?? 255) < ($1.key ?? 255) }.map { ($0.key, $0.value) }
  }

  private func say(
    _ number: Int, _ tenant: Tables.Tenant, _ classNumber: UInt8?, _ line: Line,
    _ findings: inout Findings
  ) {
    guard let classNumber else {
      return findings.list(
        "RET-2", "log \(number)  class not known any more  \(line.counts.purged) purged")
    }
    guard let found = tenant.classes[classNumber] else {
      return findings.add(
        "RET-1", .stated, .finding,
        "log \(number): events of class \(classNumber), which is unknown")
    }
    let name = Text.printable(found.name)
    var words = [
      "log \(number)", "class \(name)", "maximum \(found.policy.retention.text)",
      "\(line.counts.live) live", "\(line.counts.restricted) restricted",
      "\(line.counts.erased) erased", "\(line.counts.expired) expired",
      "\(line.counts.purged) purged",
    ]
    if let next = line.nextExpiry { words.append("the next expire \(Text.time(next))") }
    findings.list("RET-2", words.joined(separator: "  "))
    if line.held > 0 {
      findings.add(
        "RET-3", .stated, .pass,
        "log \(number), class \(name): \(line.held) events live past their maximum under a hold")
    }
    guard line.overdue > 0, let oldest = line.oldestOverdue else { return }
    findings.add(
      "RET-3", .stated, .finding,
      "log \(number), class \(name): \(line.overdue) events live past their maximum, the oldest of "
        + Text.time(oldest.startMilliseconds))
  }

  private func judge(_ holds: [Tables.Hold], _ number: Int, _ findings: inout Findings) {
    for hold in holds {
      let isOverdue = hold.reviewMilliseconds <= now
      findings.add(
        "RET-4", .stated, isOverdue ? .finding : .pass,
        "log \(number): hold \(hold.number) on a \(Text.printable(hold.scope)), reason "
          + "\(Text.printable(hold.reason)), review \(isOverdue ? "was due" : "is due") "
          + Text.time(hold.reviewMilliseconds).prefix(10))
    }
  }
}
