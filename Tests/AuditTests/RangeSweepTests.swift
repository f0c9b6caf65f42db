import Testing

@testable import lethe_audit

@Test func `ranges in any order, also within one another, are found by ascending positions`() {
  var sweep = RangeSweep([8...9, 2...6, 3...4, 6...7, 20...20])
  let found = (1...21).filter { sweep.contains(UInt64($0)) }
  #expect(found == [2, 3, 4, 5, 6, 7, 8, 9, 20])
}

@Test func `an audit without rows concludes nothing, and the worst row decides`() {
  var findings = Findings()
  #expect(findings.verdict.exitCode == 3)
  findings.add("A", .recomputed, .pass, "well")
  #expect(findings.verdict.exitCode == 0)
  findings.add("A", .stated, .finding, "less well")
  #expect(findings.verdict.exitCode == 1)
  findings.add("A", .attested, .unknown, "who knows")
  #expect(findings.verdict.exitCode == 3)
  findings.add("A", .recomputed, .tampered, "forged")
  #expect(findings.verdict.exitCode == 2)
}

@Test func `a million rows of one kind are counted, not kept`() {
  var findings = Findings()
  for _ in 0..<100_000 { findings.add("LOG-2", .recomputed, .tampered, "another hash") }
  findings.add("BUN-1", .recomputed, .pass, "signed")
  #expect(findings.rows.count == Findings.sameMax + 2)
  #expect(findings.rows[Findings.sameMax].sentence == "more of this kind: 99980")
}
