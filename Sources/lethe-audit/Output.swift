import EventModel
import TransparencyLog

/// Data to stdout, messages to stderr.
enum Output {
  /// Writes the rows, and the verdict below them.
  static func write(_ rows: [Finding], _ audit: Audit?, isJSON: Bool) {
    let verdict = rows.map(\.outcome).max() ?? .unknown
    if isJSON { return json(rows, verdict, audit) }
    var lines = audit?.manifest.map { heading($0) } ?? []
    for row in rows {
      let columns = [
        pad(row.code, 6), pad(row.basis.rawValue, 10), pad(row.outcome.text, 15), row.sentence,
      ]
      lines.append(columns.joined(separator: "  "))
    }
    lines.append("verdict: \(verdict.text)")
    text(lines.joined(separator: "\n"))
  }

  /// Writes text and the end of its line.
  static func text(_ text: String) { _ = SystemCalls.write(1, Array((text + "\n").utf8)) }

  /// A sentence for people.
  static func message(_ text: String) {
    _ = SystemCalls.write(2, Array("lethe-audit: \(text)\n".utf8))
  }

  private static func heading(_ manifest: Manifest) -> [String] {
    let events = manifest.logs.reduce(UInt64(0)) { $0 &+ $1.events }
    let kind = manifest.challenge.map { "sample of \($0.count) a log" } ?? "whole"
    return [
      "store \(manifest.store.bytes.hexadecimal)  made \(Text.time(manifest.madeMilliseconds))  \(kind)",
      "\(manifest.ledgerCount) ledger entries  \(manifest.logs.count) logs  \(events) events",
    ]
  }

  private static func json(_ rows: [Finding], _ verdict: Outcome, _ audit: Audit?) {
    let listed = rows.map { row -> CanonicalJSON in
      [
        "code": .string(row.code), "basis": .string(row.basis.rawValue),
        "outcome": .string(row.outcome.text), "sentence": .string(row.sentence),
      ]
    }
    let document: CanonicalJSON = [
      "schema": "lethe.audit/1", "verdict": .string(verdict.text),
      "store": audit?.manifest.map { .string($0.store.bytes.hexadecimal) } ?? .null,
      "made": audit?.manifest.map { .string(Text.time($0.madeMilliseconds)) } ?? .null,
      "rows": .array(listed),
    ]
    text(String(decoding: document.bytes, as: UTF8.self))
  }

  private static func pad(_ text: String, _ count: Int) -> String {
    text + String(repeating: " ", count: max(0, count - text.count))
  }
}
