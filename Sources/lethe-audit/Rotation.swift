import ArgumentParser
import EventModel

/// `lethe-audit rotation`.
struct Rotation: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show how old keys are, and how often the root was replaced.",
    discussion: """
      Generations of the root are counted from the ledger, where every entry names the one that it was \
      written under. What is said of holders and tenants is stated.

      EXAMPLES
        $ lethe-audit rotation q4 --key lethe.key --from q3/checkpoints.ndjson
        $ lethe-audit rotation q4 --key lethe.key --first --root-days 30
      """)

  @OptionGroup var options: AuditOptions

  @Option(help: ArgumentHelp("Days after which a root counts as old.", valueName: "days"))
  var rootDays = RotationJudge.rootDaysDefault

  mutating func validate() throws {
    guard (1...36_500).contains(rootDays) else {
      throw ValidationError("--root-days takes 1 to 36500")
    }
  }

  func run() throws {
    let audit = options.audit()
    var findings = Findings()
    RotationJudge(audit: audit, rootDays: rootDays).judge(&findings)
    try options.end(audit.evidence(of: ["LED"]) + findings.rows, audit)
  }

}

/// Holds the ages of keys against their limits, and what is stated of the root's holders.
struct RotationJudge {
  /// Days after which a root counts as old, unless somebody says otherwise.
  static let rootDaysDefault: Int64 = 365

  let audit: Audit
  let rootDays: Int64

  func judge(_ findings: inout Findings) {
    guard let manifest = audit.manifest else { return }
    let ledger = audit.ledger
    let age = manifest.madeMilliseconds - ledger.epochMilliseconds
    let isOld = age > rootDays * 86_400_000
    findings.add(
      "KEY-2", .recomputed, isOld ? .finding : .pass,
      "root of generation \(ledger.epoch), \(Text.span(age)) old, replaced \(ledger.rotations) times"
    )
    findings.add(
      "KEY-3", .recomputed, .pass,
      "the longest that one root was in use: "
        + Text.span(max(ledger.longestEpochMilliseconds, age)))
    guard let tables = audit.tables else { return }
    // Acts may have come while the bundle was made.
    if ledger.unreadable == 0, tables.epoch < ledger.epoch {
      findings.add(
        "KEY-4", .stated, .finding,
        "the daemon states generation \(tables.epoch), the ledger has \(ledger.epoch)")
    }
    if tables.isErasurePending {
      findings.add(
        "KEY-5", .stated, .finding, "an old root may still be in a holder: an erasure is pending")
    }
    for (index, holder) in tables.holders.enumerated() {
      judge(holder, index + 1, &findings)
    }
    for (number, tenant) in tables.tenants.sorted(by: { $0.key < $1.key }) {
      findings.list(
        "KEY-7",
        "tenant \(number.rawValue)  generation \(tenant.generation)  created "
          + Text.time(tenant.createdMilliseconds))
    }
  }

  private func judge(_ holder: Tables.Holder, _ number: Int, _ findings: inout Findings) {
    var words = ["root holder \(number), a \(Text.printable(holder.kind))"]
    if !holder.isPresent { words.append("missing") }
    if let weakness = holder.weakness {
      words.append("its medium may keep what is overwritten (\(Text.printable(weakness)))")
    }
    if holder.isBesideData { words.append("on the data's file system") }
    let isSound = holder.isPresent && holder.weakness == nil
    findings.add(
      "KEY-6", .stated, isSound ? .pass : .finding, words.joined(separator: ": "))
  }
}
