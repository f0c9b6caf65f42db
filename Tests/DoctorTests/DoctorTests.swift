import Testing

@testable import lethed

private func findings(_ change: (inout MachineFacts) -> Void) -> [String] {
  var facts = MachineFacts(memoryLockBytes: .max, corePattern: "core", isClockSynchronised: true)
  change(&facts)
  var diagnosis = Diagnosis()
  MachineChecks(facts).run(&diagnosis)
  return diagnosis.findings.map(\.code)
}

@Test func `a machine as it should be has no findings`() {
  #expect(findings { _ in } == [])
}

@Test func `each fault of the machine is one finding`() {
  #expect(findings { $0.memoryLockBytes = 8 << 20 } == ["memory-lock"])
  #expect(findings { $0.swaps = ["/dev/sda2", "/dev/zram0"] } == ["swap"])
  #expect(findings { $0.swaps = ["/dev/zram0"] } == [])
  #expect(findings { $0.canHibernate = true } == ["hibernation"])
  #expect(findings { $0.hasCrashKernel = true } == ["crash-kernel"])
  #expect(findings { $0.isClockSynchronised = false } == ["clock"])
  #expect(findings { $0.isClockSynchronised = nil } == [])
  #expect(findings { $0.corePattern = "|/usr/lib/collector %P" } == ["core-pattern"])
}

@Test func `the hard limit is the second number of its line`() {
  let line = "Max locked memory         65536                8388608              bytes     "
  #expect(MachineFacts.hardLimit(inLine: line[...]) == 8_388_608)
  let most = "Max locked memory         unlimited            unlimited            bytes     "
  #expect(MachineFacts.hardLimit(inLine: most[...]) == .max)
}

@Test func `the worst comes first, and equals in the order of the checks`() {
  var diagnosis = Diagnosis()
  #expect(diagnosis.exitCode == 0)
  diagnosis.add(.note, "n", "a", why: "b", todo: "c")
  #expect(diagnosis.exitCode == 0)
  diagnosis.add(.warning, "w1", "a", why: "b", todo: "c")
  #expect(diagnosis.exitCode == 1)
  diagnosis.add(.problem, "p", "a", why: "b", todo: "c")
  diagnosis.add(.warning, "w2", "a", why: "b", todo: "c")
  #expect(diagnosis.exitCode == 2)
  #expect(diagnosis.ordered.map(\.code) == ["p", "w1", "w2", "n"])
  #expect(diagnosis.lines.last == "1 problem, 2 warnings, 1 note")
}

@Test func `a diagnosis is JSON whatever stands in a path`() {
  var diagnosis = Diagnosis()
  diagnosis.add(.problem, "p", "a \"b\" \\ \n", why: "c", todo: "d")
  diagnosis.skip("e")
  #expect(
    diagnosis.json == #"{"running":false,"findings":[{"severity":"problem","code":"p","#
      + #""what":"a \"b\" \\ \u000a","why":"c","do":"d"}],"skipped":["e"]}"#)
}
