import AuditReport
import EventModel
import Testing
import TransparencyLog

@testable import lethe_audit

@Test func `every code stands for one question`() {
  let codes = Question.all.map(\.code)
  #expect(Set(codes).count == codes.count)
  #expect(Question.of("LOG-2").topic == .integrity)
  #expect(Question.of("XYZ-9").text == "Check XYZ-9")
}

@Test func `acts are written in words`() {
  #expect(LedgerEntry.Act.subjectShredded.words == "subject shredded")
  #expect(LedgerEntry.Act.rootHolderAdded.words == "root holder added")
}

@Test func `entries that are missing leave ranges`() {
  var history = LedgerHistory()
  #expect(history.present(of: 3) == [1...3])
  for index: UInt64 in [1, 4, 5, 9] { history.noteMissing(index) }
  #expect(history.present(of: 9) == [2...3, 6...8])
  #expect(history.present(of: 12) == [2...3, 6...8, 10...12])
  #expect(history.present(of: 0).isEmpty)
}

@Test func `missing entries of a forged ledger are bounded`() {
  var history = LedgerHistory()
  for index in 0..<UInt64(LedgerHistory.missingMax + 100) { history.noteMissing(index + 1) }
  #expect(history.missing.count == LedgerHistory.missingMax)
}

@Test func `a bundle that is not there gives a page that concludes nothing`() {
  let audit = Audit(AuditInput(folder: "/nowhere/at/all"))
  let model = AuditPage(audit: audit, rows: audit.findings.rows, commands: []).model
  #expect(model.verdict == .inconclusive)
  #expect(model.checks.flatMap(\.checks).map(\.outcome) == [.open])
  let page = String(decoding: ReportPage(model).bytes, as: UTF8.self)
  #expect(page.contains("This is not a pass."))
}
