import Client
import EventModel
import RESP

/// Data to stdout, messages to stderr.
enum Output {
  /// Writes a line of data; a reader that went away ends the program quietly.
  static func line(_ text: String) throws { try bytes(Array(text.utf8)) }

  static func json(_ value: JSONValue) throws { try bytes(value.bytes) }

  /// Writes lines of data at once.
  static func lines(_ lines: [[UInt8]]) throws {
    if !lines.isEmpty { try bytes(Array(lines.joined(separator: [0x0A]))) }
  }

  /// Writes a text that has the end of its last line.
  static func text(_ text: [UInt8]) throws { try write(text) }

  private static func bytes(_ line: [UInt8]) throws { try write(line + [0x0A]) }

  private static func write(_ bytes: [UInt8]) throws {
    switch SystemCalls.writeAll(1, bytes) {
    case 0: return
    case let code:
      throw Failure(.ioError, "stdout: \(SystemCalls.describe(errno: code))")
    }
  }

  /// Writes a sentence for people.
  static func message(_ text: String) {
    _ = SystemCalls.writeAll(2, Array("lethe: \(text)\n".utf8))
  }

  /// Writes a line of progress over the one before, when somebody watches.
  static func progress(_ text: String) {
    guard SystemCalls.isTerminal(2) else { return }
    _ = SystemCalls.writeAll(2, Array("\r\u{1B}[K\(text)".utf8))
  }

  /// Ends the line of ``progress(_:)``.
  static func endProgress() { progress("") }

  /// A map as JSON, or as names and values below each other.
  static func details(_ reply: Reply, isJSON: Bool) throws {
    if isJSON { return try json(JSONValue(reply)) }
    guard case .map(let pairs) = reply else { return try line(Table.cell(reply)) }
    let rows = pairs.map { [Table.cell($0.key), Table.cell($0.value)] }
    for text in Table.lines(rows) { try line(text) }
  }

  /// A list of maps as a line of JSON each, or as a table with their names as heads.
  static func list(_ reply: Reply, isJSON: Bool) throws {
    let items = reply.items ?? [reply]
    if isJSON {
      for item in items { try json(JSONValue(item)) }
      return
    }
    var names: [String] = []
    for case .map(let pairs) in items {
      for pair in pairs where !names.contains(Table.cell(pair.key)) {
        names.append(Table.cell(pair.key))
      }
    }
    guard !names.isEmpty else {
      for item in items { try line(Table.cell(item)) }
      return
    }
    let rows = items.map { item in names.map { Table.cell(item[$0] ?? .null) } }
    for text in Table.lines([names.map { $0.uppercased() }] + rows) { try line(text) }
  }
}
