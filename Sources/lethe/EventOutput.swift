import ArgumentParser
import Client
import EventModel
import RESP

/// How events are shown.
enum EventFormat: String, CaseIterable, ExpressibleByArgument {
  /// Columns for people.
  case table
  /// One object a line, as `lethe append --ndjson` takes it.
  case json
  /// CloudEvents 1.0, one a line, as `lethe import` takes it.
  case ce
}

/// `--format`; `--json` is short for one of them.
struct FormatOption: ParsableArguments {
  @Option(help: "table, json (one object a line) or ce (CloudEvents, one a line).")
  var format: EventFormat?

  func output(isJSON: Bool) -> EventOutput {
    EventOutput(format: format ?? (isJSON ? .json : .table))
  }
}

/// Shows events: a line of JSON each, or columns.
struct EventOutput {
  let format: EventFormat

  /// Characters of a payload that are shown on a terminal.
  private static let dataCharactersMax = 60

  /// Appends what makes the daemon answer in this form.
  func append(to request: inout Request) {
    if format == .ce { request.append("FORMAT", "ce") }
  }

  func show(_ events: [Reply], withStream: Bool) throws {
    switch format {
    case .json: try Output.lines(events.map { JSONValue(event: $0).bytes })
    case .ce:
      try Output.lines(
        events.map { event in
          guard case .bulk(let line) = event else {
            throw Failure(.software, ClientError.unexpectedReply.text)
          }
          // Written anew, so that it holds nothing that a terminal would obey.
          guard SystemCalls.isTerminal(1) else { return line }
          return (try? JSONParser.parse(line))?.bytes ?? Array("null".utf8)
        })
    case .table:
      for line in Table.lines(events.map { row($0, withStream: withStream) }) {
        try Output.line(line)
      }
    }
  }

  /// Names the columns when somebody looks at them.
  func showHeads(withStream: Bool) {
    guard format == .table, SystemCalls.isTerminal(1) else { return }
    Output.message(
      withStream
        ? "position, version, stream, stored, type, data subject, data"
        : "position, version, stored, type, data subject, data")
  }

  /// Where an event stands: its position in the tenant, or its version in its stream.
  func place(of event: Reply, isFeed: Bool) -> UInt64? {
    guard format == .ce else {
      return event[isFeed ? "position" : "version"]?.integer.map(UInt64.init(clamping:))
    }
    guard case .bulk(let line) = event else { return nil }
    return CloudEvent.place(inLine: line, isFeed: isFeed)
  }

  private func row(_ event: Reply, withStream: Bool) -> [String] {
    var row = [
      cell(event, "position"), cell(event, "version"), cell(event, "stored"),
      cell(event, "type"), cell(event, "datasubject"), data(event),
    ]
    if withStream { row.insert(cell(event, "stream"), at: 2) }
    return row
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
