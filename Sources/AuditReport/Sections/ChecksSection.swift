/// Every check with its outcome and who stands for it.
struct ChecksSection {
  let groups: [CheckGroup]

  func write(to page: inout Markup) {
    let all = groups.flatMap(\.checks)
    page.section("checks", "Checks (\(all.count))", "") { section in
      section.element("p", text: Self.summary(all))
      for group in groups {
        DataTable(
          caption: group.title,
          columns: [.init("Checked"), .init("Outcome"), .init("Stands for it"), .init("Counted")],
          rows: group.checks.map { check in
            [
              .text(check.question), .outcome(check.outcome), .basis(check.basis),
              .text(check.detail),
            ]
          }
        ).write(to: &section)
      }
    }
  }

  private static func summary(_ checks: [Check]) -> String {
    let parts = Outcome.allCases.compactMap { outcome -> String? in
      let count = checks.count { $0.outcome == outcome }
      return count == 0
        ? nil : "\(Wording.number(UInt64(count))) \(count == 1 ? outcome.word : outcome.plural)"
    }
    return parts.isEmpty ? "None was made." : "Of all checks: \(parts.joined(separator: ", "))."
  }
}
