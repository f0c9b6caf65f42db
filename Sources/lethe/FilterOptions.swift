import ArgumentParser
import Client
import EventModel

/// Which events: what `query` and `count` have in common.
struct FilterOptions: ParsableArguments {
  @Option(help: "Only events of this type.")
  var type: String?

  @Option(help: ArgumentHelp("Only events of this source.", valueName: "uri"))
  var source: String?

  @Option(
    help: ArgumentHelp(
      "Stored then or later: 2026-11-24, 2026-11-24T10:00:00Z, or 90m, 36h, 7d ago.",
      valueName: "time"))
  var since: String?

  @Option(help: ArgumentHelp("Stored before then; the same forms.", valueName: "time"))
  var until: String?

  @Flag(help: "Only events of one person, who is read from stdin or asked for without showing it.")
  var subjectPrompt = false

  @Option(
    help: ArgumentHelp("Only events of the person in this file descriptor.", valueName: "n"))
  var subjectFd: Int32?

  mutating func validate() throws {
    guard !subjectPrompt || subjectFd == nil else {
      throw ValidationError("--subject-prompt and --subject-fd exclude each other")
    }
    for time in [since, until].compactMap({ $0 }) {
      guard Self.time(time, now: 0) != nil else {
        throw ValidationError("a time is 2026-11-24, 2026-11-24T10:00:00Z, 90m, 36h or 7d")
      }
    }
  }

  /// True when nothing is asked of the events.
  var isEmpty: Bool {
    type == nil && source == nil && since == nil && until == nil && !subjectPrompt
      && subjectFd == nil
  }

  /// Appends the filters; asks for the person if one is wanted.
  func append(to request: inout Request, stream: String?) throws {
    if let stream { request.append("STREAM", stream) }
    if let type { request.append("TYPE", type) }
    if let person = try person() { request.append("DATASUBJECT", person) }
    if let source { request.append("SOURCE", source) }
    let now = SystemCalls.wallClockMilliseconds
    if let since = since.flatMap({ Self.time($0, now: now) }) { request.append("SINCE", since) }
    if let until = until.flatMap({ Self.time($0, now: now) }) { request.append("UNTIL", until) }
  }

  private func person() throws -> [UInt8]? {
    if subjectPrompt { return try Person.one("Data subject (not shown)") }
    guard let subjectFd else { return nil }
    let persons = try Person.read(from: subjectFd)
    guard persons.count == 1 else {
      throw Failure(.usage, "file descriptor \(subjectFd) must hold exactly one identifier")
    }
    return persons[0]
  }

  /// A point of time as RFC 3339, or nil when the text is none.
  static func time(_ text: String, now: Int64) -> String? {
    let units: [Character: Int64] = ["m": 60_000, "h": 3_600_000, "d": 86_400_000]
    if let unit = text.last.flatMap({ units[$0] }) {
      guard let number = UInt32(text.dropLast()), number <= 1_000_000 else { return nil }
      return Timestamp.text(max(0, now - Int64(number) * unit))
    }
    let whole = text.utf8.count == 10 ? text + "T00:00:00Z" : text
    return Timestamp.isRFC3339(Array(whole.utf8).span) ? whole : nil
  }
}
