/// How a row is known.
enum Basis: String, Sendable {
  /// By this program, from hashes, signatures and counts.
  case recomputed
  /// The daemon says so, and signed it; nothing here shows that it is true.
  case stated
  /// A person says so: whoever runs this program, or who acted.
  case attested
}

/// What a row means for the verdict, worst last.
enum Outcome: Int, Sendable, Comparable {
  case pass = 0
  /// Everything is as it was, and something of it is not as it should be.
  case finding = 1
  /// Something is missing that the verdict needs.
  case unknown = 2
  /// What is there was changed, taken away or forged.
  case tampered = 3

  static func < (left: Outcome, right: Outcome) -> Bool { left.rawValue < right.rawValue }

  /// The word in rows and verdicts.
  var text: String {
    switch self {
    case .pass: "pass"
    case .finding: "finding"
    case .unknown: "cannot conclude"
    case .tampered: "tampered"
    }
  }

  /// What the program ends with.
  var exitCode: Int32 {
    switch self {
    case .pass: 0
    case .finding: 1
    case .tampered: 2
    case .unknown: 3
    }
  }
}

/// One row of what was looked at.
struct Finding: Hashable, Sendable {
  /// Stable: three letters for what was looked at and a number.
  let code: String
  let basis: Basis
  let outcome: Outcome
  /// What was found and where, for people.
  let sentence: String
}

/// The rows of an audit; of one kind at most ``sameMax`` are kept one by one.
struct Findings: Sendable {
  private(set) var rows: [Finding] = []
  private var counts: [String: Int] = [:]

  /// Rows of one code that are no pass; beyond, they are counted.
  static let sameMax = 20

  /// The worst of all rows.
  var verdict: Outcome { rows.map(\.outcome).max() ?? .unknown }

  mutating func add(_ code: String, _ basis: Basis, _ outcome: Outcome, _ sentence: String) {
    let row = Finding(code: code, basis: basis, outcome: outcome, sentence: sentence)
    if outcome != .pass {
      counts[code, default: 0] += 1
      if let count = counts[code], count > Self.sameMax {
        if count > Self.sameMax + 1 { rows.removeAll { $0.code == code && $0.isRest } }
        rows.append(
          Finding(
            code: code, basis: basis, outcome: outcome,
            sentence: "\(Finding.rest)\(count - Self.sameMax)"))
        return
      }
    }
    rows.append(row)
  }
}

extension Findings {
  /// Adds a row of a list, which is no judgement: none is left out.
  mutating func list(_ code: String, _ sentence: String) {
    add(code, .stated, .pass, sentence)
  }
}

extension Finding {
  fileprivate static let rest = "more of this kind: "
  fileprivate var isRest: Bool { sentence.hasPrefix(Self.rest) }
}

/// Why nothing more can be looked at: what is left is one row.
struct Stop: Error {
  let finding: Finding

  init(_ code: String, _ outcome: Outcome, _ sentence: String) {
    finding = Finding(code: code, basis: .recomputed, outcome: outcome, sentence: sentence)
  }
}
