/// How much was looked at, with which key, and what no report on a bundle can say.
struct ScopeSection {
  let model: ReportModel

  private var scope: ReportScope { model.scope }

  func write(to page: inout Markup) {
    page.section(
      "scope", "Scope",
      "Lethe is a store of events about people. Every person and every day has keys of its own; data "
        + "is erased by destroying its keys, and each such act is entered in a signed ledger. An audit "
        + "bundle is a copy of that evidence in which nothing can be read. This report says what a "
        + "program without keys found in one."
    ) { section in
      section.tiles([
        tile(scope.records, "encrypted events were hashed again"),
        tile(scope.ledgerEntries, "signed ledger entries were checked"),
        tile(scope.signatures, "signatures are right"),
        (Wording.number(UInt64(max(0, scope.tenants))), "tenants (separate customers)", "plain"),
      ])
      section.element("dl", ["class": "facts"]) { list in
        for (name, value) in facts {
          list.element("dt", text: name)
          list.element("dd", text: value)
        }
      }
      writeBases(to: &section)
    }
  }

  private func tile(
    _ portion: ReportScope.Portion, _ words: String
  ) -> (value: String, counts: String, style: String) {
    (
      Wording.number(portion.checked),
      "of \(Wording.number(portion.all)) \(words) (\(Wording.percent(portion.checked, of: portion.all)))",
      portion.all > 0 && portion.checked >= portion.all ? "good" : "caution"
    )
  }

  private var facts: [(String, String)] {
    var facts = [
      ("Asked for", scope.requested?.words ?? "all that the store has"),
      ("Covered", scope.covered?.words ?? "nothing"),
      ("Bundle made", Wording.time(scope.takenMilliseconds)),
    ]
    if let sample = scope.sample { facts.append(("Sample", sample)) }
    facts += [
      (
        "Signatures checked with",
        "\(scope.verifierKey) (\(scope.isKeyIndependent ? "brought by the auditor" : "taken from the bundle itself: whoever forged the bundle may have forged it"))"
      ),
      (
        "Compared with an earlier state",
        scope.earlierCheckpoint
          ?? "none was brought: a store that was rolled back as a whole would not be noticed"
      ),
      ("Manifest, SHA-256", scope.manifestHash), ("Store", scope.store), ("Checked by", scope.tool),
    ]
    return facts
  }

  private func writeBases(to section: inout Markup) {
    section.element("p") { line in
      line.text("Each statement below says who stands for it: ")
      line.element("i", ["class": "basis"], text: Basis.recomputed.rawValue)
      line.text(" was computed by this program from the bundle; ")
      line.element("i", ["class": "basis"], text: Basis.stated.rawValue)
      line.text(" is what the store says and signed; ")
      line.element("i", ["class": "basis"], text: Basis.attested.rawValue)
      line.text(" is what a person says. Times are UTC; ages count up to the day of the bundle.")
    }
  }
}

extension ReportScope.Range {
  var words: String { "\(Wording.time(first)) to \(Wording.time(last))" }
}
