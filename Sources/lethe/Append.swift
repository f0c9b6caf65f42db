import ArgumentParser
import Client
import EventModel
import RESP

/// `lethe append`: stores one event, or many from lines of JSON.
struct Append: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Store one event, or many from lines of JSON.",
    discussion: """
      One event: the payload is read from stdin, the person's identifier from the file descriptor \
      of --subject-fd (one identifier a line, at most four) or from a prompt that does not show it. \
      Say --impersonal when the event is about nobody.

      Many events (--ndjson): each line of stdin is an object with "datasubject" (text or a list) \
      or "impersonal":true; one of "data" (any JSON), "data_text" and "data_base64"; and, if \
      wanted, "stream", "type", "id", "source", "cesubject", "time", "content", "schema", \
      "class", "expect", "attrs". Lines of `lethe read --json` can be appended again.

      Every event gets an id (a UUID of version 7) unless it has one, so that after a lost \
      connection it can be sent once more without being stored twice.

      EXAMPLES
        $ lethe append orders order.placed --subject-fd 3 3<<<u-42 <<<'{"total":9}'
        $ lethe append orders order.shipped --expect 7 < event.json  # asks who
        $ lethe append orders order.placed --ndjson \\
            <<<'{"datasubject":"u-42","data":{"total":9}}'
      """)

  @Argument(help: "The stream; with --ndjson the default for lines that name none.")
  var stream: String?

  @Argument(help: "The type; with --ndjson the default for lines that name none.")
  var type: String?

  @Option(help: ArgumentHelp("Read the persons' identifiers from this descriptor.", valueName: "n"))
  var subjectFd: Int32?

  @Flag(help: "The event is about no person.")
  var impersonal = false

  @Option(help: "any, none, exists, or the version that the stream must have.")
  var expect: String?

  @Option(help: "The event's id.")
  var id: String?

  @Option(help: "Media type of the payload.")
  var content: String?

  @Option(name: .customLong("class"), help: "The retention class.")
  var className: String?

  @Flag(help: "Read many events from stdin, one JSON object a line.")
  var ndjson = false

  @Flag(help: "With --ndjson: store all lines or none (at most 1,000).")
  var atomic = false

  @OptionGroup var options: ConnectionOptions

  mutating func validate() throws {
    if ndjson {
      guard subjectFd == nil, !impersonal, id == nil, expect == nil else {
        throw ValidationError("with --ndjson, each line says this for itself")
      }
    } else {
      guard stream != nil, type != nil else {
        throw ValidationError("name the stream and the type")
      }
      guard !atomic else { throw ValidationError("--atomic goes with --ndjson") }
      guard !impersonal || subjectFd == nil else {
        throw ValidationError("--impersonal and --subject-fd exclude each other")
      }
    }
  }

  func run() throws {
    if ndjson {
      var lines = EventLines(stream: stream, type: type)
      let session = try options.openQuery()
      if atomic { return try AppendMany(session, options).batch(&lines) }
      return try AppendMany(session, options).pipeline(&lines)
    }
    let draft = try draft()
    let reply = try options.openQuery().callAgain(draft.appendRequest)
    try Output.details(reply, isJSON: options.json)
  }

  private func draft() throws -> EventDraft {
    var draft = EventDraft()
    draft.stream = Array((stream ?? "").utf8)
    draft.type = Array((type ?? "").utf8)
    draft.isImpersonal = impersonal
    draft.expectation = expect.map { Array($0.utf8) }
    draft.contentType = content.map { Array($0.utf8) }
    draft.className = className.map { Array($0.utf8) }
    if let id { draft.id = Array(id.utf8) }
    if let subjectFd {
      draft.subjects = try Person.read(from: subjectFd)
      guard !draft.subjects.isEmpty else {
        throw Failure(.usage, "file descriptor \(subjectFd) holds no identifier")
      }
    } else if !impersonal {
      guard let person = try Person.ask("Data subject (not shown)") else {
        throw Failure(.usage, "without a terminal say --subject-fd or --impersonal")
      }
      draft.subjects = [person]
    }
    if SystemCalls.isTerminal(0) { Output.message("type the payload, then Ctrl-D") }
    draft.data = try payload()
    return draft
  }

  private func payload() throws -> [UInt8] {
    switch LineReader.readAll(0, bytesMax: Limits.dataBytesMax + 1) {
    case .success(var bytes):
      // Shells end their strings with one line end that nobody means.
      if bytes.last == 0x0A { bytes.removeLast() }
      return bytes
    case .failure(let error):
      throw Failure(.ioError, "stdin: \(SystemCalls.describe(errno: error.errno))")
    case nil:
      throw Failure(.dataError, "the payload has more than \(Limits.dataBytesMax) bytes")
    }
  }
}
