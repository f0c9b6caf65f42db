import ArgumentParser
import Client
import EventModel
import RESP

/// `lethe export`: events for other systems.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write events for other systems.",
    discussion: """
      EXAMPLES
        $ lethe export range orders > orders.ndjson
        $ lethe export range '*' --output all.ndjson --resume
        $ lethe export datasubject --tenant acme --output person.ndjson
      """,
    subcommands: [ExportRange.self, ExportSubject.self])
}

/// `lethe export range`.
struct ExportRange: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "range",
    abstract: "Write a stream, or a range of positions ('*'), as CloudEvents 1.0.",
    discussion: """
      One JSON object a line. Erased events are written as markers of the type $erased, so that \
      positions stay dense; --live leaves them out. A file is private (0600). With --resume a file \
      that is there is gone on with: a line that was cut is cut off, and the rest is appended.

      What is exported is plaintext that no shred reaches any more: keep it as long as its purpose \
      lasts, and no longer.

      EXAMPLES
        $ lethe export range orders > orders.ndjson
        $ lethe export range '*' --from 1 --to 10000 --live --output part-1.ndjson
        $ lethe export range '*' --output all.ndjson --resume
      """)

  @Argument(help: "The stream, or '*' for all of the tenant's events.")
  var stream: String

  @Option(help: ArgumentHelp("The lowest version (or position).", valueName: "n"))
  var from: UInt64?

  @Option(help: ArgumentHelp("The highest version (or position).", valueName: "n"))
  var to: UInt64?

  @Flag(help: "Leave out erased events.")
  var live = false

  @Option(
    name: [.short, .long], help: ArgumentHelp("The file; stdout if none.", valueName: "file"))
  var output: String?

  @Flag(help: "Go on behind the last event in the file.")
  var resume = false

  @OptionGroup var options: ConnectionOptions

  mutating func validate() throws {
    guard !resume || output != nil else { throw ValidationError("--resume goes with --output") }
    guard !resume || from == nil else {
      throw ValidationError("--resume and --from exclude each other")
    }
    guard (from ?? 1) <= (to ?? .max) else { throw ValidationError("--from is above --to") }
  }

  func run() throws {
    let session = try options.openQuery()
    let file = try ExportFile(path: output, isResumed: resume)
    let isFeed = stream == "*"
    let place = try resume ? file.lastPlace(isFeed: isFeed) : nil
    let low = place.map { $0 + 1 } ?? max(1, from ?? 1)
    var pages = RangePages(
      stream: stream, low: low, high: to ?? Limits.positionMax, isReversed: false,
      isLiveOnly: live, missing: .max)
    var count = 0
    do {
      while let events = try pages.next(session, EventOutput(format: .ce)) {
        try file.write(events)
        count += events.count
        Output.progress("\(count) events written")
      }
      try file.finish()
    } catch let failure as Failure {
      Output.endProgress()
      throw failure.adding("\(count) events were written; go on with --from \(pages.low)")
    }
    Output.endProgress()
    let unit = isFeed ? "position" : "version"
    Output.message("\(count) events written; the next begin with \(unit) \(pages.low)")
  }
}

/// Where lines go: stdout, or a private file.
final class ExportFile {
  private let fd: Int32
  /// The most that a line may have: an event of 1 MiB with every byte escaped, and its envelope.
  private static let lineBytesMax: Int64 = 8 << 20

  init(path: String?, isResumed: Bool) throws {
    guard let path else {
      fd = 1
      return
    }
    switch SystemCalls.openOutput(path, mayExist: isResumed) {
    case .success(let opened): fd = opened
    case .failure(let error):
      throw Failure(.cannotCreate, "the file: \(SystemCalls.describe(errno: error.errno))")
    }
  }

  deinit { if fd != 1 { SystemCalls.closeFile(fd) } }

  /// Cuts off what stands behind the last line end, and answers where the last event stands; nil
  /// when there is none.
  func lastPlace(isFeed: Bool) throws -> UInt64? {
    var size = SystemCalls.size(fd)
    guard size > 0 else { return nil }
    let start = max(0, size - 2 * Self.lineBytesMax)
    guard let end = SystemCalls.read(fd, at: start, count: Int(size - start)) else {
      throw Failure(.ioError, "the file cannot be read")
    }
    guard let newline = end.lastIndex(of: 0x0A) else {
      guard start == 0 else { throw Failure(.dataError, "the file does not end with an event") }
      try cut(to: 0)
      return nil
    }
    size = start + Int64(newline) + 1
    try cut(to: size)
    let before = end[..<newline].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    guard let place = CloudEvent.place(inLine: Array(end[before..<newline]), isFeed: isFeed) else {
      throw Failure(.dataError, "the file's last line is no exported event")
    }
    return place
  }

  func write(_ events: [Reply]) throws {
    var bytes: [UInt8] = []
    for event in events {
      guard case .bulk(let line) = event else {
        throw Failure(.software, ClientError.unexpectedReply.text)
      }
      bytes += line
      bytes.append(0x0A)
    }
    try check(SystemCalls.writeAll(fd, bytes))
  }

  /// Writes bytes as they are.
  func write(bytes: [UInt8]) throws { try check(SystemCalls.writeAll(fd, bytes)) }

  /// Makes the file durable.
  func finish() throws { if fd != 1 { try check(SystemCalls.sync(fd)) } }

  private func cut(to size: Int64) throws { try check(SystemCalls.truncate(fd, to: size)) }

  private func check(_ code: Int32) throws {
    guard code == 0 else {
      throw Failure(.ioError, "the output: \(SystemCalls.describe(errno: code))")
    }
  }
}
