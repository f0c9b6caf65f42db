import ArgumentParser
import Client
import EventModel
import RESP

/// `lethe import`: stores CloudEvents.
struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Store CloudEvents 1.0 (JSON, one a line) from a file or stdin.",
    discussion: """
      Ids are kept, so a run that was cut short is simply done again: what is there already counts \
      as a duplicate (within a week; later say --from-line). Lines that are refused are counted by \
      reason and the rest goes on. Sources that begin with urn:lethe: are those of a store for \
      events without a source, and are left out.

      A person is the extension "datasubject" (and "datasubject2" to "datasubject4"). Events that \
      name nobody are refused unless their type is among --impersonal-types.

      EXAMPLES
        $ lethe import events.ndjson
        $ lethe export range '*' | lethe import --tenant copy --impersonal-types '*'
        $ lethe import --stream-from subject --impersonal-types book.moved < eventsourcingdb.ndjson
        $ lethe import more.ndjson --from-line 120001
      """)

  @Argument(help: "The file; stdin if none is named.")
  var file: String?

  @Option(
    help: ArgumentHelp(
      "Where the stream's name is: subject, source, type, or the name of an extension.",
      valueName: "name"))
  var streamFrom = "stream"

  @Option(help: "One stream for all events.")
  var stream: String?

  @Option(
    help: ArgumentHelp(
      "Where the person is: subject, or the name of an extension.", valueName: "name"))
  var personFrom = "datasubject"

  @Option(
    help: ArgumentHelp(
      "Types of events that may name nobody, separated by commas; '*' for all.",
      valueName: "types"))
  var impersonalTypes = ""

  @Option(help: ArgumentHelp("Pass over the lines before this one.", valueName: "n"))
  var fromLine = 1

  @OptionGroup var options: ConnectionOptions

  mutating func validate() throws {
    guard stream == nil || streamFrom == "stream" else {
      throw ValidationError("--stream and --stream-from exclude each other")
    }
    guard fromLine >= 1 else { throw ValidationError("lines are counted from 1") }
  }

  /// What the options say of streams and persons.
  var mapping: CloudEventMapping {
    var mapping = CloudEventMapping()
    mapping.person = personFrom
    mapping.areAllImpersonal = impersonalTypes == "*"
    mapping.impersonalTypes = Set(impersonalTypes.split(separator: ",").map(String.init))
    mapping.stream =
      switch streamFrom {
      case "subject": .subject
      case "source": .source
      case "type": .type
      default: stream.map { .fixed($0) } ?? .attribute(streamFrom)
      }
    return mapping
  }

  func run() throws {
    let fd = try input()
    defer { if fd != 0 { SystemCalls.closeFile(fd) } }
    var run = ImportRun(try options.openQuery(), mapping)
    let stop = run.take(LineReader(fd), fromLine: fromLine)
    Output.endProgress()
    try options.json
      ? Output.json(run.summary.json)
      : run.summary.sentences.forEach { try Output.line($0) }
    if let stop { throw stop }
    guard run.summary.refusedCount == 0 else {
      throw Failure(.dataError, "\(run.summary.refusedCount) lines were refused")
    }
  }

  private func input() throws -> Int32 {
    guard let file, file != "-" else { return 0 }
    switch SystemCalls.openInput(file) {
    case .success(let fd): return fd
    case .failure(let error):
      throw Failure(.noInput, "the file: \(SystemCalls.describe(errno: error.errno))")
    }
  }
}

/// What became of the lines.
struct ImportSummary {
  /// Reasons and the lines they hit.
  struct Refusals {
    var count = 0
    /// The first few, to be looked up.
    var lines: [Int] = []
  }

  private(set) var appended = 0
  private(set) var duplicates = 0
  /// Markers of erased events, for which nothing is left to store.
  var markers = 0
  private(set) var refusals: [String: Refusals] = [:]

  private static let linesMax = 10

  mutating func note(_ reply: Reply) {
    if reply["duplicate"]?.integer == 1 { duplicates += 1 } else { appended += 1 }
  }

  mutating func refuse(_ reason: String, line: Int) {
    var known = refusals[reason] ?? Refusals()
    known.count += 1
    if known.lines.count < Self.linesMax { known.lines.append(line) }
    refusals[reason] = known
  }

  var refusedCount: Int { refusals.values.reduce(0) { $0 + $1.count } }

  /// Lines of which something is known.
  var settled: Int { appended + duplicates + markers + refusedCount }

  var sentences: [String] {
    var rows = [["appended", String(appended)], ["duplicates", String(duplicates)]]
    if markers > 0 { rows.append(["erased, left out", String(markers)]) }
    var lines = Table.lines(rows)
    for (reason, hit) in refusals.sorted(by: { $0.key < $1.key }) {
      let more = hit.count > hit.lines.count ? ", .." : ""
      let places = hit.lines.map(String.init).joined(separator: ", ")
      lines.append("refused \(hit.count): \(reason) (lines \(places)\(more))")
    }
    return lines
  }

  var json: JSONValue {
    .object([
      JSONMember("appended", .integer(Int64(appended))),
      JSONMember("duplicates", .integer(Int64(duplicates))),
      JSONMember("erased", .integer(Int64(markers))),
      JSONMember("refused", .integer(Int64(refusedCount))),
      JSONMember(
        "reasons",
        .array(
          refusals.sorted { $0.key < $1.key }.map { reason, hit in
            .object([
              JSONMember("reason", .string(reason)),
              JSONMember("count", .integer(Int64(hit.count))),
              JSONMember("lines", .array(hit.lines.map { .integer(Int64($0)) })),
            ])
          })),
    ])
  }
}

/// One run of an import: reads lines, sends events, counts answers.
struct ImportRun {
  private(set) var summary = ImportSummary()
  private let session: Session
  private let mapping: CloudEventMapping
  private var pipeline: AppendPipeline
  /// The first line whose answer stopped the run.
  private var stop: Failure?

  init(_ session: Session, _ mapping: CloudEventMapping) {
    (self.session, self.mapping) = (session, mapping)
    pipeline = AppendPipeline(session)
  }

  /// Takes all lines; answers why it stopped before the end, if it did.
  mutating func take(_ reader: LineReader, fromLine: Int) -> Failure? {
    var (reader, number) = (reader, 0)
    do {
      lines: while stop == nil {
        number += 1
        switch reader.next() {
        case .end: break lines
        case .tooLong: throw Failure(.dataError, "line \(number) is too long")
        case .failed(let code):
          throw Failure(.ioError, "the input: \(SystemCalls.describe(errno: code))")
        case .line(let line):
          if number >= fromLine { try take(line, number) }
        }
      }
      while pipeline.count > 0 { try settle() }
    } catch {
      let failure = error as? Failure ?? Failure(.software, "\(error)")
      return failure.adding("done again it goes on; --from-line \(firstOpenLine(number)) is enough")
    }
    return stop
  }

  private func firstOpenLine(_ number: Int) -> Int { pipeline.oldestLine ?? max(1, number) }

  private mutating func take(_ line: [UInt8], _ number: Int) throws {
    if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return }
    let parsed: CloudEvent.Line
    do { parsed = try CloudEvent.parse(line, mapping) } catch {
      return summary.refuse(error.text, line: number)
    }
    switch parsed {
    case .marker: summary.markers += 1
    case .heartbeat: return
    case .event(let draft):
      try pipeline.send(draft.appendRequest, line: number)
      if pipeline.isFull { try settle() }
    }
  }

  private mutating func settle() throws {
    let (line, reply) = try pipeline.receive()
    guard case .error(let text) = reply else {
      summary.note(reply)
      if summary.settled % 1_000 == 0 { Output.progress("\(summary.settled) lines done") }
      return
    }
    let failure = Failure(.refused(Refusal(text)), path: session.path)
    // A refusal of this event is counted; one that the next event would meet too ends the run.
    if failure.status == .dataError {
      // Positions and the like differ from line to line, the code does not.
      summary.refuse(failure.code ?? text, line: line)
    } else if stop == nil {
      stop = failure.adding("at line \(line); done again it goes on")
    }
  }
}
