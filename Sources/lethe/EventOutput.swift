import Client
import RESP

/// Shows events: a line of JSON each, or columns.
struct EventOutput {
  let isJSON: Bool

  /// Characters of a payload that are shown on a terminal.
  private static let dataCharactersMax = 60

  func show(_ events: [Reply], withStream: Bool) throws {
    if isJSON {
      for event in events { try Output.json(JSONValue(event: event)) }
      return
    }
    let rows = events.map { event in
      var row = [
        cell(event, "position"), cell(event, "version"), cell(event, "stored"),
        cell(event, "type"), cell(event, "datasubject"), data(event),
      ]
      if withStream { row.insert(cell(event, "stream"), at: 2) }
      return row
    }
    for line in Table.lines(rows) { try Output.line(line) }
  }

  func heads(withStream: Bool) -> String {
    withStream
      ? "position, version, stream, stored, type, data subject, data"
      : "position, version, stored, type, data subject, data"
  }

  private func cell(_ event: Reply, _ name: String) -> String {
    guard let value = event[name], value.items?.isEmpty != true else { return "-" }
    return Table.cell(value)
  }

  private func data(_ event: Reply) -> String {
    let text = cell(event, "data")
    guard text.count > Self.dataCharactersMax else { return text }
    return text.prefix(Self.dataCharactersMax) + "\u{2026}"
  }
}
