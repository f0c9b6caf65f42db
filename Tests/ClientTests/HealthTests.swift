import Client
import EventModel
import Testing

@testable import lethe

private let sound = [
  "lethe_version": "0.1.0", "loading": "0", "read_only": "0", "device_full": "0",
  "index_tail": "5", "index_failing": "0", "root_holders": "2", "root_holders_weak": "0",
  "root_holders_missing": "0",
  "root_holders_beside_data": "0", "erasure_pending": "0", "memory_locked": "1",
]

private func report(_ changes: [String: String?] = [:]) -> HealthReport {
  var values = sound
  for (name, value) in changes { values[name] = value }
  return HealthReport(
    info: "# Store\r\n" + values.map { "\($0.key):\($0.value)" }.joined(separator: "\r\n"))
}

@Test func `a sound store has no findings`() {
  #expect(report().status == .ok)
  #expect(report().findings.isEmpty)
  #expect(report().value("lethe_version") == "0.1.0")
}

@Test(arguments: [
  ("read_only", "1", "read-only", ProgramStatus.temporaryFailure),
  ("device_full", "1", "device-full", .temporaryFailure),
  ("index_tail", "3000000", "index-behind", .degraded),
  ("index_failing", "1", "index-failing", .degraded),
  ("root_holders_missing", "1", "root-missing", .degraded),
  ("root_holders_weak", "1", "root-weak", .degraded),
  ("root_holders_beside_data", "1", "root-beside-data", .degraded),
  ("erasure_pending", "1", "erasure-pending", .degraded),
  ("memory_locked", "0", "memory-unlocked", .degraded),
])
func `each fault is one finding with its status`(
  name: String, value: String, code: String, status: ProgramStatus
) {
  let report = report([name: value])
  #expect(report.findings.map(\.code) == [code])
  #expect(report.status == status)
  #expect(report.json(milliseconds: 1)["findings"] != .array([]))
}

@Test func `a daemon that tells nothing of its store is not called sound`() {
  #expect(report(["read_only": nil]).findings.map(\.code) == ["unknown"])
}
