/// One thing that an operator should know: what, why it matters, what to do.
struct Finding: Hashable, Sendable {
  /// How much it matters; the exit code follows the worst.
  enum Severity: Int, Comparable, Sendable {
    case note
    case warning
    case problem

    static func < (left: Severity, right: Severity) -> Bool { left.rawValue < right.rawValue }

    var name: String {
      switch self {
      case .note: "note"
      case .warning: "warning"
      case .problem: "problem"
      }
    }
  }

  let severity: Severity
  /// Stable, for programs.
  let code: String
  let what: String
  let why: String
  let todo: String

  init(_ severity: Severity, _ code: String, _ what: String, why: String, todo: String) {
    (self.severity, self.code) = (severity, code)
    (self.what, self.why, self.todo) = (what, why, todo)
  }
}

/// All that the doctor found, the worst first, and what it could not look at.
struct Diagnosis: Sendable {
  private(set) var findings: [Finding] = []
  private(set) var skipped: [String] = []
  /// True when a daemon has the store open.
  var isRunning = false

  mutating func add(_ finding: Finding) { findings.append(finding) }

  mutating func add(
    _ severity: Finding.Severity, _ code: String, _ what: String, why: String, todo: String
  ) {
    add(Finding(severity, code, what, why: why, todo: todo))
  }

  /// Says that something was not looked at, and why.
  mutating func skip(_ sentence: String) { skipped.append(sentence) }

  /// The worst first; among equals, in the order of the checks.
  var ordered: [Finding] {
    findings.enumerated().sorted {
      ($1.element.severity, $0.offset) < ($0.element.severity, $1.offset)
    }.map(\.element)
  }

  /// 0 nothing to do, 1 warnings, 2 problems.
  var exitCode: Int32 {
    Int32(findings.map(\.severity.rawValue).max() ?? 0)
  }

  var lines: [String] {
    var lines: [String] = []
    for finding in ordered {
      lines.append("\(finding.severity.name): \(finding.what) [\(finding.code)]")
      lines.append("  why  \(finding.why)")
      lines.append("  do   \(finding.todo)")
    }
    for sentence in skipped { lines.append("skipped: \(sentence)") }
    let counts = [Finding.Severity.problem, .warning, .note].map { severity in
      let count = findings.count { $0.severity == severity }
      return "\(count) \(severity.name)\(count == 1 ? "" : "s")"
    }
    lines.append(counts.joined(separator: ", "))
    return lines
  }

  var json: String {
    let items = ordered.map { finding in
      let members = [
        ("severity", finding.severity.name), ("code", finding.code), ("what", finding.what),
        ("why", finding.why), ("do", finding.todo),
      ]
      return "{" + members.map { "\"\($0)\":\(Self.quoted($1))" }.joined(separator: ",") + "}"
    }
    return "{\"running\":\(isRunning),\"findings\":[" + items.joined(separator: ",")
      + "],\"skipped\":[" + skipped.map(Self.quoted).joined(separator: ",") + "]}"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
