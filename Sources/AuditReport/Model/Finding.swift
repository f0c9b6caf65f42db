/// Something that a person has to look at.
package struct Finding: Hashable, Sendable {
  /// How soon somebody has to look.
  package enum Severity: String, Hashable, Sendable, CaseIterable {
    case high, medium, low
  }

  /// What kind of thing it is, for machines: `RET-002`.
  package let code: String
  package let severity: Severity
  package let topic: Topic
  /// One sentence.
  package let text: String
  /// Where: a tenant, a class, an index of the ledger, a file.
  package let place: String
  /// Since when, in milliseconds since 1970, if that is known.
  package let sinceMilliseconds: Int64?

  package init(
    code: String, severity: Severity, topic: Topic, text: String, place: String,
    sinceMilliseconds: Int64? = nil
  ) {
    self.code = code
    self.severity = severity
    self.topic = topic
    self.text = text
    self.place = place
    self.sinceMilliseconds = sinceMilliseconds
  }
}

/// What rules of others ask about, each with the clauses that do.
package enum Topic: String, Hashable, Sendable, CaseIterable {
  case integrity, completeness, retention, erasure, holds, keys, access

  /// What is asked, in a question.
  package var question: String {
    switch self {
    case .integrity: "Can records be changed or removed without being noticed?"
    case .completeness: "Is the list of acts complete and accurate?"
    case .retention: "Is anything kept longer than its limit?"
    case .erasure: "Is what people ask to be erased erased, in time and for good?"
    case .holds: "Is what must be kept kept, and no longer than needed?"
    case .keys: "Are keys replaced in time, and old ones destroyed?"
    case .access: "Who read what?"
    }
  }

  /// The section of the page that answers.
  package var section: String {
    switch self {
    case .integrity: "checks"
    case .completeness: "ledger"
    case .retention, .holds: "retention"
    case .erasure: "erasures"
    case .keys: "keys"
    case .access: "access"
    }
  }

  package var clauses: Clauses {
    switch self {
    case .integrity:
      Clauses(
        gdpr: "5(1)(f), 32(1)(b)", iso27001: "A.5.33, A.8.15", soc2: "CC7.2",
        nist: "SP 800-53 AU-9, AU-10")
    case .completeness:
      Clauses(
        gdpr: "5(2), 33(5)", iso27001: "A.5.28, A.8.15", soc2: "CC4.1, CC7.2",
        nist: "SP 800-53 AU-3, AU-12")
    case .retention:
      Clauses(
        gdpr: "5(1)(e), 25(2), 30(1)(f)", iso27001: "A.8.10", soc2: "C1.2, P4.2",
        nist: "SP 800-53 SI-12")
    case .erasure:
      Clauses(
        gdpr: "12(3), 17(1), 19", iso27001: "A.8.10", soc2: "C1.2, P4.3",
        nist: "SP 800-88 cryptographic erase")
    case .holds:
      Clauses(
        gdpr: "17(3)(b), (e), 18", iso27001: "A.5.31, A.5.33", soc2: "C1.1, P4.2",
        nist: "SP 800-53 SI-12")
    case .keys:
      Clauses(
        gdpr: "32(1)(a)", iso27001: "A.8.24", soc2: "CC6.1",
        nist: "SP 800-57 Part 1: cryptoperiods, key states")
    case .access:
      Clauses(
        gdpr: "15(1)(c), 32(1)(b), 33(3)", iso27001: "A.8.3, A.8.15", soc2: "CC6.1, CC6.3, CC7.2",
        nist: "SP 800-53 AC-6, AU-2")
    }
  }
}

/// The clauses of four rule books that one topic belongs to.
package struct Clauses: Hashable, Sendable {
  package let gdpr: String
  package let iso27001: String
  package let soc2: String
  package let nist: String
}
