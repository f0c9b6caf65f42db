import ArgumentParser
import Client
import EventModel
import RESP

/// `lethe health`: whether the daemon answers and its store is sound, for people and monitors.
struct Health: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say whether the daemon answers, and what its store lacks.",
    discussion: """
      One line for each finding. Ends with 0 when all is well, with 1 when it works but not as it \
      should, with 75 when it takes nothing at present, and with 69 when it does not answer.

      EXAMPLES
        $ lethe health
        $ lethe health --json --timeout 2
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    let start = SystemCalls.monotonicMilliseconds
    let session = try options.openQuery()
    guard try session.call(Request("PING")).text == "PONG" else { throw session.unexpectedReply }
    let reply = try session.call(Request("INFO"))
    guard let text = reply.text else { throw session.unexpectedReply }
    let report = HealthReport(info: text)
    let took = SystemCalls.monotonicMilliseconds - start
    if options.json {
      try Output.json(report.json(milliseconds: took))
    } else {
      try Output.line("ok: answers in \(took) ms, version \(report.value("lethe_version") ?? "-")")
      for finding in report.findings { try Output.line("\(finding.state): \(finding.sentence)") }
    }
    guard report.status == .ok else { throw ExitCode(report.status.rawValue) }
  }
}

/// What `INFO` says, judged.
struct HealthReport {
  /// One thing that is not as it should be.
  struct Finding: Hashable {
    /// Stable, for programs.
    let code: String
    let state: State
    let sentence: String
  }

  /// How bad a finding is.
  enum State: String {
    /// Works, but not as it should.
    case degraded
    /// Takes nothing at present.
    case failing
  }

  private let values: [String: String]
  let findings: [Finding]

  /// Postings in memory that are more than two full flushes: the index cannot keep up.
  static let indexTailMax = 2_500_000

  init(info: String) {
    var values: [String: String] = [:]
    for line in info.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      values[String(line[..<colon])] = String(line[line.index(after: colon)...])
    }
    self.values = values
    findings = Self.judge(values)
  }

  func value(_ name: String) -> String? { values[name] }

  var status: ProgramStatus {
    if findings.contains(where: { $0.state == .failing }) { return .temporaryFailure }
    return findings.isEmpty ? .ok : .degraded
  }

  func json(milliseconds: UInt64) -> JSONValue {
    let state = status == .ok ? "ok" : status == .degraded ? "degraded" : "failing"
    return .object([
      JSONMember("state", .string(state)),
      JSONMember("milliseconds", .number(String(milliseconds))),
      JSONMember("version", value("lethe_version").map { .string($0) } ?? .null),
      JSONMember(
        "findings",
        .array(
          findings.map { finding in
            .object([
              JSONMember("code", .string(finding.code)),
              JSONMember("state", .string(finding.state.rawValue)),
              JSONMember("sentence", .string(finding.sentence)),
            ])
          })),
    ])
  }

  private static func judge(_ values: [String: String]) -> [Finding] {
    func number(_ name: String) -> Int { values[name].flatMap { Int($0) } ?? 0 }
    var findings: [Finding] = []
    func add(_ isSo: Bool, _ code: String, _ state: State, _ sentence: String) {
      if isSo { findings.append(Finding(code: code, state: state, sentence: sentence)) }
    }
    add(number("loading") > 0, "loading", .failing, "the daemon is still starting")
    add(
      number("read_only") > 0, "read-only", .failing,
      "a device failed: nothing is written until the daemon is restarted")
    add(
      number("device_full") > 0, "device-full", .failing,
      "the data device is full: appends are refused until there is room")
    add(
      number("index_failing") > 0, "index-failing", .degraded,
      "the index cannot be written: memory fills until appends wait")
    add(
      number("index_tail") > indexTailMax, "index-behind", .degraded,
      "the index is behind: a restart would take longer")
    add(
      number("erasure_pending") > 0, "erasure-pending", .degraded,
      "an old root may still be in a holder that cannot be written: erasures are not complete")
    add(
      number("root_holders_missing") > 0, "root-missing", .degraded,
      "a root holder is missing: shreds answer PENDING, and fewer losses are survived")
    add(
      number("root_holders_weak") > 0, "root-weak", .degraded,
      "a root holder's medium cannot erase: receipts are of class E0")
    add(
      number("root_holders_beside_data") > 0, "root-beside-data", .degraded,
      "a root holder is on the data's file system: both are lost, and stolen, together")
    add(
      values["memory_locked"] == "0", "memory-unlocked", .degraded,
      "keys may be swapped to a disk: raise LimitMEMLOCK")
    add(
      values["read_only"] == nil, "unknown", .degraded,
      "the daemon does not tell how its store is doing; its version is older than this program")
    return findings
  }
}
