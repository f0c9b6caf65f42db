import Client
import EventModel
import RESP
import Testing

@testable import lethe

/// A session whose connections are those of the daemons, one after the other.
private func session(_ daemons: FakeDaemon...) throws -> Session {
  var left = daemons
  return try Session(path: "test") { () throws(ClientError) in
    guard !left.isEmpty else { throw .unreachable(errno: 111) }
    return Connection(connected: left.removeFirst().clientEnd, timeoutMilliseconds: 2_000)
  }
}

private let stored = "%2\n+version\n:1\n+duplicate\n:0\n"
private let again = "%2\n+version\n:1\n+duplicate\n:1\n"

private func append(_ id: String) -> Request {
  var draft = EventDraft()
  draft.stream = Array("s".utf8)
  draft.type = Array("t".utf8)
  draft.isImpersonal = true
  draft.id = Array(id.utf8)
  return draft.appendRequest
}

private func encoded(_ requests: Request...) -> [UInt8] {
  var bytes: [UInt8] = []
  for request in requests { request.encode(to: &bytes) }
  return bytes
}

/// The reading end of a pipe that holds `lines`.
private func reader(_ lines: String...) -> LineReader {
  LineReader(FakeDaemon.pipe(Array(lines.joined(separator: "\n").utf8)))
}

@Test func `an append is sent once more, with the same id, after a lost connection`() throws {
  let (first, second) = (FakeDaemon(replies: []), FakeDaemon(replies: [wire(again)]))
  let reply = try session(first, second).callAgain(append("1"))
  #expect(reply["duplicate"]?.integer == 1)
  let expected = encoded(append("1"))
  #expect(second.heard(count: expected.count) == expected)
}

@Test func `a refusal is not sent again`() throws {
  let (first, second) = (
    FakeDaemon(replies: [wire("-WRONGVERSION no\n")]), FakeDaemon(replies: [wire(stored)])
  )
  let session = try session(first, second)
  #expect(throws: Failure.self) { _ = try session.callAgain(append("1")) }
  #expect(second.heard(count: 0).isEmpty)
}

@Test func `a pipeline sends again what was not answered, and only that`() throws {
  let first = FakeDaemon(replies: [wire(stored)])
  let second = FakeDaemon(replies: [wire(again + stored)])
  var pipeline = AppendPipeline(try session(first, second))
  for line in 1...3 { try pipeline.send(append("\(line)"), line: line) }
  var lines: [Int] = []
  while pipeline.count > 0 { lines.append(try pipeline.receive().line) }
  #expect(lines == [1, 2, 3])
  let expected = encoded(append("2"), append("3"))
  #expect(second.heard(count: expected.count) == expected)
}

@Test func `an import counts what was new, known, erased and refused`() throws {
  let replies = wire(stored + again + "-IDCONFLICT another event: position 3\n-ERASED position 4\n")
  let daemon = FakeDaemon(replies: [replies], closes: false)
  var mapping = CloudEventMapping()
  mapping.areAllImpersonal = true
  var run = ImportRun(try session(daemon), mapping)
  func event(_ id: Int) -> String {
    #"{"specversion":"1.0","id":"\#(id)","source":"s","type":"t","stream":"s","data":\#(id)}"#
  }
  let stop = run.take(
    reader(
      event(1), "", event(2), "no JSON: secret", event(3), event(4),
      #"{"specversion":"1.0","type":"$erased","state":"erased","storedtime":"x"}"#), fromLine: 1)
  #expect(stop == nil)
  #expect(run.summary.appended == 1)
  #expect(run.summary.duplicates == 1)
  #expect(run.summary.markers == 1)
  #expect(run.summary.refusals["IDCONFLICT"]?.lines == [5])
  #expect(run.summary.refusals["ERASED"]?.lines == [6])
  let text =
    run.summary.sentences.joined() + String(decoding: run.summary.json.bytes, as: UTF8.self)
  #expect(text.contains("lines 4") && !text.contains("secret"))
}

@Test func `an import ends when the next line would fail too`() throws {
  let daemon = FakeDaemon(
    replies: [wire(stored + "-NOSPACE the device is full\n")], closes: false)
  var mapping = CloudEventMapping()
  mapping.areAllImpersonal = true
  var run = ImportRun(try session(daemon), mapping)
  let line = #"{"specversion":"1.0","id":"1","source":"s","type":"t","stream":"s"}"#
  let stop = run.take(reader(line, line), fromLine: 1)
  #expect(stop?.status == .temporaryFailure)
  #expect(run.summary.appended == 1)
}

@Test func `a query follows cursors to the end`() throws {
  let daemon = FakeDaemon(replies: [
    wire("*2\n$3\nabc\n*1\n%1\n+position\n:4\n*2\n$1\nx\n*0\n*2\n$1\n0\n*1\n%1\n+position\n:9\n")
  ])
  let session = try session(daemon)
  var pages = CursorPages(base: Request("EVENT.QUERY", "TYPE", "t"), cursor: nil, missing: .max)
  var positions: [Int64] = []
  while let page = try pages.next(session, EventOutput(format: .json)) {
    positions += page.compactMap { $0["position"]?.integer }
  }
  #expect(positions == [4, 9])
  #expect(pages.cursor == nil)
  let second = encoded(Request("EVENT.QUERY", "TYPE", "t", "COUNT", "1000", "CURSOR", "abc"))
  #expect(daemon.heard(count: 3 * second.count - 10).contains(second))
}

@Test func `a query that has enough tells where it ended`() throws {
  let daemon = FakeDaemon(replies: [wire("*2\n$3\nabc\n*1\n%1\n+position\n:4\n")], closes: false)
  var pages = CursorPages(base: Request("EVENT.QUERY"), cursor: nil, missing: 1)
  let session = try session(daemon)
  while try pages.next(session, nil) != nil {}
  #expect(pages.cursor == "abc")
}

@Test func `a follower goes on behind what it had, over a lost connection`() throws {
  let first = FakeDaemon(replies: [
    wire("%1\n$1\ns\n*2\n%1\n+version\n:6\n%1\n+version\n:7\n")
  ])
  let second = FakeDaemon(replies: [wire("%1\n$1\ns\n*1\n%1\n+version\n:8\n")])
  let session = try session(first, second)
  var follower = try Follower(session, streams: ["s"], after: [5], limit: 3)
  let output = EventOutput(format: .json)
  #expect(try follower.next(output)?.count == 2)
  #expect(throws: Failure.self) { _ = try follower.next(output) }
  try session.reconnect()
  #expect(try follower.next(output)?.count == 1)
  #expect(try follower.next(output) == nil)
  let asked = Request(
    "EVENT.READ", "COUNT", "1", "BLOCK", "10000", "STREAMS", "s", "7")
  #expect(second.heard(count: encoded(asked).count) == encoded(asked))
}

@Test func `a follower of CloudEvents goes on behind the sequence of the last one`() throws {
  let line = #"{"position":"30","sequence":"00000000000000000007"}"#
  let daemon = FakeDaemon(replies: [
    wire("%1\n$1\ns\n*1\n$\(line.utf8.count)\n\(line)\n_\n")
  ])
  var follower = try Follower(try session(daemon), streams: ["s"], after: [6], limit: 9)
  #expect(try follower.next(EventOutput(format: .ce))?.count == 1)
  #expect(follower.places == [7])
  #expect(try follower.next(EventOutput(format: .ce))?.isEmpty == true)
}

@Test func `pages of CloudEvents go on behind the sequence of the last one`() throws {
  let line = #"{"position":"30","sequence":"00000000000000000002"}"#
  let daemon = FakeDaemon(replies: [wire("*1\n$\(line.utf8.count)\n\(line)\n*0\n")])
  let session = try session(daemon)
  var pages = RangePages(
    stream: "s", low: 1, high: 9, isReversed: false, isLiveOnly: true, missing: .max)
  let output = EventOutput(format: .ce)
  #expect(try pages.next(session, output)?.count == 1)
  #expect(try pages.next(session, output) == nil)
  let second = encoded(
    Request("EVENT.RANGE", "s", "3", "9", "COUNT", "1000", "FORMAT", "ce", "LIVEONLY"))
  #expect(daemon.heard(count: 2 * second.count).contains(second))
}

@Test func `points of time are dates, times and spans before now`() {
  let now: Int64 = 1_764_000_000_000
  #expect(FilterOptions.time("2026-11-24", now: now) == "2026-11-24T00:00:00Z")
  #expect(FilterOptions.time("2026-11-24T10:00:00+01:00", now: now) == "2026-11-24T10:00:00+01:00")
  #expect(FilterOptions.time("2d", now: now) == Timestamp.text(now - 172_800_000))
  #expect(FilterOptions.time("90m", now: now) == Timestamp.text(now - 5_400_000))
  for text in ["", "yesterday", "d", "-1d", "7w", "2026-13-01"] {
    #expect(FilterOptions.time(text, now: now) == nil)
  }
}
