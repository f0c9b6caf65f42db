import AuditReport
import EventModel
import Testing

@testable import lethe_report_sample

/// The samples that are quickly written.
private let small: [Sample] = [.busy, .clean, .forged, .empty]

private func page(_ model: ReportModel) -> String {
  String(decoding: ReportPage(model).bytes, as: UTF8.self)
}

private func model(_ change: (inout ReportModel) -> Void = { _ in }) -> ReportModel {
  var model = ReportModel(
    verdict: .pass, scope: SampleModels.scope(tenants: 1),
    ledger: LedgerContinuity(size: 0, present: [], checkpoints: [], days: [:], acts: []))
  change(&model)
  return model
}

@Test(arguments: small)
func `the same audit gives the same bytes`(_ sample: Sample) {
  let isSame = ReportPage(sample.model).bytes == ReportPage(sample.model).bytes
  #expect(isSame)
}

@Test(arguments: small)
func `a page has no script, no link out and a policy that forbids both`(_ sample: Sample) {
  let text = page(sample.model)
  #expect(text.contains("default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;"))
  for word in ["<script", "<img", "<link", "<iframe", "src=\"", "href=\"http", "url(", "@import"] {
    #expect(!text.contains(word), "\(word)")
  }
}

@Test(arguments: small)
func `verdict, scope and findings come first`(_ sample: Sample) throws {
  let text = page(sample.model)
  let places = try ["id=\"verdict\"", "id=\"scope\"", "id=\"findings\"", "id=\"checks\""].map {
    try #require(text.firstRange(of: $0)).lowerBound
  }
  #expect(places == places.sorted())
}

@Test func `the page of a large store is small, and the same each time`() {
  let model = Sample.large.model
  let bytes = ReportPage(model).bytes
  let isSame = bytes == ReportPage(model).bytes
  #expect(isSame)
  #expect(bytes.count < 1_000_000)
}

@Test func `what a bundle says never becomes markup`() {
  let text = page(model { $0.scope.store = "<b>&\"'\u{0}\u{202E}\u{2028}x" })
  #expect(text.contains("&lt;b&gt;&amp;&quot;&#39;\u{FFFD}\u{FFFD}\u{FFFD}x"))
}

@Test func `a text of any length is cut`() {
  let long = String(repeating: "long", count: 100_000)
  #expect(page(model { $0.limits = [long] }).utf8.count < 30_000)
}

@Test(arguments: [
  (Verdict.pass, "\u{2713} Pass"), (.findings, "! Pass with findings"),
  (.tampering, "\u{2717} Evidence does not fit together"), (.inconclusive, "? No conclusion"),
])
func `each verdict has a heading of its own`(_ verdict: Verdict, _ heading: String) {
  let text = page(model { $0.verdict = verdict })
  #expect(text.contains("<h1>\(heading)</h1>"))
  #expect(text.contains("Exit status \(verdict.rawValue) of"))
}

@Test func `checks that decide a bad verdict stand beside it`() throws {
  let text = page(
    model {
      $0.verdict = .tampering
      $0.checks = [
        CheckGroup(
          title: "Integrity",
          checks: [
            Check("Nothing is changed.", .fails, .recomputed, "Record 7 is."),
            Check("Signatures are right.", .holds, .recomputed, "3 of 3"),
          ])
      ]
    })
  let header = try #require(text.split(separator: "</header>").first)
  #expect(header.contains("<b>Does not hold: </b>Nothing is changed. Record 7 is."))
  #expect(!header.contains("Signatures are right."))
}

@Test func `a finding stands with the clauses of its topic`() {
  let text = page(
    model {
      $0.findings = [
        Finding(code: "RET-001", severity: .high, topic: .retention, text: "Old.", place: "class 0")
      ]
    })
  #expect(text.contains("Findings (1)"))
  #expect(text.contains("5(1)(e), 25(2), 30(1)(f)"))
  #expect(text.contains("<a href=\"#retention\">RET-001</a>"))
}

@Test func `a key that the bundle itself brought is not taken for a proof`() {
  let text = page(model { $0.scope.isKeyIndependent = false })
  #expect(text.contains("whoever forged the bundle may have forged it"))
}

@Test func `more rows than fit are counted`() {
  let text = page(
    model {
      $0.limits = []
      $0.findings = (0..<203).map { number in
        Finding(
          code: "RET-001", severity: .low, topic: .retention, text: "Old.", place: "class \(number)"
        )
      }
    })
  #expect(text.contains("3 further rows are not shown here"))
  #expect(text.contains("Findings (203)"))
}
