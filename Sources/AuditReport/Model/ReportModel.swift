/// All that one report says: what was checked, what was found, and the figures behind the plots.
///
/// A value without a reader's conclusions of its own: whoever fills it has read the bundle and done the
/// checks. Numbers and texts may come from a bundle that somebody forged, so the page takes any.
package struct ReportModel: Hashable, Sendable {
  package var verdict: Verdict
  package var scope: ReportScope
  package var findings: [Finding]
  package var checks: [CheckGroup]
  package var classes: [ClassAges]
  package var holds: [HeldMatter]
  package var erasures: [ErasureAct]
  package var keys: [KeyHistory]
  /// Nil when the bundle does not say who read.
  package var access: AccessTable?
  package var ledger: LedgerContinuity
  /// What nobody can check in a bundle, in sentences.
  package var limits: [String]
  package var commands: [ReportCommand]

  package init(verdict: Verdict, scope: ReportScope, ledger: LedgerContinuity) {
    self.verdict = verdict
    self.scope = scope
    self.ledger = ledger
    findings = []
    checks = []
    classes = []
    holds = []
    erasures = []
    keys = []
    limits = []
    commands = []
  }
}

/// A command that leads to the same statements again.
package struct ReportCommand: Hashable, Sendable {
  package let line: String
  /// What it shows, in a sentence.
  package let purpose: String

  package init(line: String, purpose: String) {
    self.line = line
    self.purpose = purpose
  }
}
