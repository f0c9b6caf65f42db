/// What a person has to look at, each with the clauses that ask about it.
struct FindingsSection {
  let findings: [Finding]

  func write(to page: inout Markup) {
    page.section("findings", "Findings (\(findings.count))", "") { section in
      guard !findings.isEmpty else {
        return section.element("p", text: "None: nothing here asks for somebody\u{2019}s action.")
      }
      DataTable(
        caption:
          "What somebody has to look at, the gravest first, and the clauses that ask about it",
        columns: [
          .init("Code"), .init("Severity"), .init("What"), .init("Where", .code),
          .init("Since", .date),
          .init("GDPR article"), .init("ISO/IEC 27001:2022"), .init("SOC 2 criteria"),
          .init("NIST"),
        ], rows: ordered.map(Self.row)
      ).write(to: &section)
    }
  }

  private var ordered: [Finding] {
    Finding.Severity.allCases.flatMap { severity in findings.filter { $0.severity == severity } }
  }

  private static func row(_ finding: Finding) -> [DataTable.Cell] {
    let clauses = finding.topic.clauses
    return [
      .link(finding.code, to: finding.topic.section), .severity(finding.severity),
      .text(finding.text), .text(finding.place),
      .text(finding.sinceMilliseconds.map(Wording.day) ?? ""), .text(clauses.gdpr),
      .text(clauses.iso27001), .text(clauses.soc2), .text(clauses.nist),
    ]
  }
}

/// Which clauses each part of the report speaks to, with or without findings.
struct ClauseSection {
  let model: ReportModel

  func write(to page: inout Markup) {
    page.section(
      "clauses", "Clauses",
      "Where an auditor finds what a rule book asks about. The mapping is help for finding one\u{2019}s way, "
        + "not legal advice; whether a clause is met depends on more than one store."
    ) { section in
      DataTable(
        caption: "Questions, the parts of this report that answer them, and clauses",
        columns: [
          .init("Question"), .init("See"), .init("Findings here", .number), .init("GDPR article"),
          .init("ISO/IEC 27001:2022"), .init("SOC 2 criteria"), .init("NIST"),
        ],
        rows: Topic.allCases.map { topic in
          let clauses = topic.clauses
          let count = model.findings.count { $0.topic == topic }
          return [
            .text(topic.question), .link(topic.section, to: topic.section),
            .text(Wording.number(UInt64(count))), .text(clauses.gdpr), .text(clauses.iso27001),
            .text(clauses.soc2), .text(clauses.nist),
          ]
        }
      ).write(to: &section)
    }
  }
}
