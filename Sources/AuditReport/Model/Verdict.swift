/// What an audit comes to; the number is the program's exit status.
package enum Verdict: Int, Hashable, Sendable, CaseIterable {
  /// Everything that was asked for was checked and holds.
  case pass = 0
  /// Nothing was changed behind the store's back, but something is not as its rules say.
  case findings = 1
  /// Something does not fit together that must: changed, missing or forged.
  case tampering = 2
  /// Too little was there to say either.
  case inconclusive = 3
}

/// Who stands for a statement.
package enum Basis: String, Hashable, Sendable, CaseIterable {
  /// The program computed it from the bundle.
  case recomputed
  /// The daemon says so in a table, and signed it.
  case stated
  /// A person says so.
  case attested
}

/// What became of one check.
package enum Outcome: Hashable, Sendable, CaseIterable {
  case holds
  /// It is not as the rules say.
  case finding
  /// It does not fit together.
  case fails
  /// It could not be concluded.
  case open
  /// It is said and not checked.
  case noted
}

/// One check: what was asked, what came of it, who stands for it.
package struct Check: Hashable, Sendable {
  package let question: String
  package let outcome: Outcome
  package let basis: Basis
  /// What was counted or seen, in words.
  package let detail: String

  package init(_ question: String, _ outcome: Outcome, _ basis: Basis, _ detail: String) {
    self.question = question
    self.outcome = outcome
    self.basis = basis
    self.detail = detail
  }
}

/// The checks of one kind, as one subcommand makes them.
package struct CheckGroup: Hashable, Sendable {
  package let title: String
  package let checks: [Check]

  package init(title: String, checks: [Check]) {
    self.title = title
    self.checks = checks
  }
}
