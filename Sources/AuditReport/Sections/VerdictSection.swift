/// The first thing on the page: what the audit came to, and why.
struct VerdictSection {
  let model: ReportModel

  func write(to page: inout Markup) {
    page.element("header", ["id": "verdict", "class": "verdict \(model.verdict.style)"]) { head in
      head.element(
        "p", ["class": "kicker"],
        text: "Evidence report on an event store, "
          + Wording.time(model.scope.takenMilliseconds))
      head.element("h1", text: "\(model.verdict.sign) \(model.verdict.title)")
      head.element(
        "p", ["class": "lead"], text: model.verdict.sentence(findings: model.findings.count))
      let places = decisive
      if !places.isEmpty {
        head.element("ul") { list in
          for check in places.prefix(6) {
            list.element("li") { item in
              item.element("b", text: "\(check.outcome.heading): ")
              item.text("\(check.question) \(check.detail)")
            }
          }
          if places.count > 6 {
            list.element(
              "li", text: "and \(Wording.count(places.count - 6, "further check")) below")
          }
        }
      }
      head.element(
        "p", ["class": "note"],
        text:
          "Store \(model.scope.store). Exit status \(model.verdict.rawValue) of \(model.scope.tool) "
          + "(0 pass, 1 pass with findings, 2 tampering, 3 no conclusion).")
    }
    page.element("nav", ["aria-label": "Parts of this report"]) { list in
      for (id, words) in Self.parts { list.element("a", ["href": "#\(id)"], text: words) }
    }
  }

  /// The checks that made the verdict what it is.
  private var decisive: [Check] {
    let wanted: Outcome
    switch model.verdict {
    case .pass, .findings: return []
    case .tampering: wanted = .fails
    case .inconclusive: wanted = .open
    }
    return model.checks.flatMap(\.checks).filter { $0.outcome == wanted }
  }

  private static let parts = [
    ("scope", "Scope"), ("findings", "Findings"), ("checks", "Checks"), ("retention", "Retention"),
    ("erasures", "Erasures"), ("keys", "Keys"), ("access", "Access"), ("ledger", "Ledger"),
    ("clauses", "Clauses"), ("limits", "Limits"), ("commands", "Commands"), ("words", "Words"),
  ]
}

extension Verdict {
  var title: String {
    switch self {
    case .pass: "Pass"
    case .findings: "Pass with findings"
    case .tampering: "Evidence does not fit together"
    case .inconclusive: "No conclusion"
    }
  }

  var sign: String {
    switch self {
    case .pass: Outcome.holds.sign
    case .findings: Outcome.finding.sign
    case .tampering: Outcome.fails.sign
    case .inconclusive: Outcome.open.sign
    }
  }

  var style: String {
    switch self {
    case .pass: "good"
    case .findings, .inconclusive: "caution"
    case .tampering: "wrong"
    }
  }

  func sentence(findings: Int) -> String {
    switch self {
    case .pass:
      "Everything that was asked for was checked, and everything holds."
    case .findings:
      "Nothing was changed or removed behind the store\u{2019}s back. "
        + "\(Wording.count(findings, "thing is", "things are")) not as the store\u{2019}s rules say."
    case .tampering:
      "Something was changed, removed or forged. Do not rely on this store\u{2019}s records before it is "
        + "explained."
    case .inconclusive:
      "Too little was there to say whether the evidence is sound. This is not a pass."
    }
  }
}
