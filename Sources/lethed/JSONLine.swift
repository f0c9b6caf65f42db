/// One flat JSON object of numbers, booleans and plain texts, for `--json`.
struct JSONLine {
  private var members: [String] = []

  mutating func add(_ name: String, _ value: UInt64) { members.append("\"\(name)\":\(value)") }

  mutating func add(_ name: String, _ value: Bool) { members.append("\"\(name)\":\(value)") }

  /// `value` must need no escaping: a code, never what somebody typed.
  mutating func add(_ name: String, code value: String) {
    members.append("\"\(name)\":\"\(value)\"")
  }

  var text: String { "{" + members.joined(separator: ",") + "}" }
}
