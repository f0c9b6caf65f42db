import EventModel
import EventStore
import RESP
import Testing

@testable import Server

private func plan(_ line: String) -> QueryPlan? {
  var harness = Harness()
  let outcome = harness.run(line.split(separator: " ").map { Array($0.utf8) })
  guard case .read(.query(let plan)) = outcome else { return nil }
  return plan
}

@Suite struct QueryCommandTests {
  @Test func `every part of a query is taken`() {
    guard
      case .events(let read) = plan(
        "event.query stream s TYPE t datasubject u SOURCE urn:x SINCE 2026-01-02T03:04:05Z UNTIL 2026-01-02T04:04:05.0001+01:00 REV COUNT 7 CURSOR a-_Z9 LIVEONLY FORMAT ce"
      )
    else {
      Issue.record("no query")
      return
    }
    #expect(read.filter.stream == Array("s".utf8))
    #expect(read.filter.type == Array("t".utf8))
    #expect(read.filter.subject == Array("u".utf8))
    #expect(read.filter.source == Array("urn:x".utf8))
    #expect(read.filter.sinceMilliseconds == 1_767_323_045_000)
    #expect(read.filter.untilMilliseconds == 1_767_323_045_001)
    #expect(read.isDescending)
    #expect(read.count == 7)
    #expect(read.cursor == Array("a-_Z9".utf8))
    #expect(read.format == .cloudEvents(TenantName("acme")!))
  }

  @Test func `no filter and the cursor 0 are everything from the beginning`() {
    guard case .events(let read) = plan("EVENT.QUERY CURSOR 0") else {
      Issue.record("no query")
      return
    }
    #expect(read.filter.isEmpty)
    #expect(read.cursor == nil)
    #expect(read.count == Limits.countDefault)
    #expect(!read.isDescending)
  }

  @Test func `ids, streams, counts and erasures are read`() {
    guard case .event(_, let id, let source, _) = plan("EVENT.GET ID e SOURCE urn:x") else {
      Issue.record("no event")
      return
    }
    #expect(id == Array("e".utf8) && source == Array("urn:x".utf8))
    guard case .streams(_, let count, let cursor) = plan("EVENT.STREAMS COUNT 3 CURSOR abc") else {
      Issue.record("no streams")
      return
    }
    #expect(count == 3 && cursor == Array("abc".utf8))
    guard case .count(_, let filter) = plan("EVENT.COUNT TYPE t") else {
      Issue.record("no count")
      return
    }
    #expect(filter.type == Array("t".utf8))
    guard case .erasures(let read, let block) = plan("EVENT.ERASURES $ BLOCK 0 COUNT 2") else {
      Issue.record("no erasures")
      return
    }
    #expect(read.after == nil && read.count == 2 && block == Limits.blockMillisecondsMax)
  }

  @Test(arguments: [
    ("EVENT.QUERY TYPE t TYPE u", "-BADARG an option was given twice"),
    ("EVENT.QUERY REV REV", "-BADARG an option was given twice"),
    ("EVENT.QUERY TYPE", "-ERR syntax error"), ("EVENT.QUERY COLOUR red", "-ERR syntax error"),
    ("EVENT.QUERY COUNT 0", "-BADARG COUNT: 1 to 10000"),
    ("EVENT.QUERY COUNT 10001", "-BADARG COUNT maximum 10000"),
    ("EVENT.QUERY COUNT x", "-ERR value is not an integer or out of range"),
    ("EVENT.QUERY SINCE 2026-02-30T00:00:00Z", "-BADARG SINCE: a time of RFC 3339"),
    ("EVENT.QUERY UNTIL now", "-BADARG UNTIL: a time of RFC 3339"),
    ("EVENT.QUERY STREAM *", "-BADARG stream: '*' is the whole tenant, not a stream"),
    ("EVENT.QUERY DATASUBJECT null", "-BADSUBJECT 1 to 255 bytes of UTF-8, not a placeholder"),
    ("EVENT.QUERY CURSOR a.b", "-BADCURSOR not a cursor for this query: begin anew without one"),
    ("EVENT.QUERY CURSOR ", "-BADCURSOR not a cursor for this query: begin anew without one"),
    ("EVENT.COUNT REV", "-ERR syntax error"), ("EVENT.COUNT TYPE t COUNT 1", "-ERR syntax error"),
    ("EVENT.STREAMS CURSOR a CURSOR b", "-ERR syntax error"),
    ("EVENT.ERASURES x", "-BADARG after: the number of an erasure or '$'"),
    ("EVENT.ERASURES 1 BLOCK -1", "-ERR timeout is negative"),
    ("EVENT.GET ID", "-ERR wrong number of arguments for 'event.get' command"),
    ("EVENT.GET ID e POSITION 1", "-ERR syntax error"),
    ("EVENT.GET POSITION 1 SOURCE s", "-ERR syntax error"),
    ("EVENT.GET ID e FORMAT xml", "-ERR syntax error"),
  ])
  func `a mistake is named`(line: String, error: String) {
    var harness = Harness()
    #expect(harness.reply(line) == error + "\r\n")
  }
}

@Suite struct TransactionCommandTests {
  private func parts(_ harness: inout Harness) -> (Execution, [ReadPlan])? {
    guard case .execute(let transaction) = harness.run([Array("EXEC".utf8)]) else { return nil }
    do throws(CommandError) {
      let execution = try Execution(transaction, &harness.context)
      return (execution, execution.plans)
    } catch {
      Issue.record("refused: \(error.line)")
      return nil
    }
  }

  @Test func `appends and batches of a transaction are one group`() throws {
    var harness = Harness()
    #expect(harness.reply("MULTI") == "+OK\r\n")
    for line in [
      "EVENT.APPEND s t IMPERSONAL DATA 1", "EVENT.RANGE s - +",
      "EVENT.BATCH STREAM a EVENT t IMPERSONAL DATA 2 EVENT t IMPERSONAL DATA 3", "PING",
    ] {
      #expect(harness.reply(line) == "+QUEUED\r\n")
    }
    #expect(harness.batch.requests.isEmpty)
    let found = parts(&harness)
    var (execution, plans) = try #require(found)
    #expect(plans.count == 1)
    try execution.collect(into: &harness.context)
    #expect(harness.batch.requests.count == 3)
    #expect(Set(harness.batch.requests.map(\.group)).count == 1)
    #expect(harness.context.state.transaction == nil)
    #expect(harness.reply("EVENT.APPEND s t IMPERSONAL DATA 4") == "")
    #expect(Set(harness.batch.requests.map(\.group)).count == 2)
  }

  @Test(arguments: [
    "EVENT.APPEND s t DATA x", "NOSUCH", "EVENT.RANGE s", "AUTH acme peer", "WATCH s", "MULTI",
    "EVENT.QUERY TYPE",
  ])
  func `a refused command breaks the transaction`(line: String) {
    var harness = Harness()
    _ = harness.reply("MULTI")
    #expect(harness.reply("EVENT.APPEND s t IMPERSONAL DATA x") == "+QUEUED\r\n")
    #expect(harness.reply(line).hasPrefix("-"))
    #expect(
      harness.reply("EXEC")
        == "-EXECABORT Transaction discarded because of previous errors.\r\n")
    #expect(harness.reply("EXEC") == "-ERR EXEC without MULTI\r\n")
    #expect(harness.batch.requests.isEmpty)
  }

  @Test func `words are as in Redis`() {
    var harness = Harness()
    #expect(harness.reply("DISCARD") == "-ERR DISCARD without MULTI\r\n")
    #expect(harness.reply("WATCH s") == "-ERR use EXPECT instead of WATCH\r\n")
    #expect(harness.reply("UNWATCH") == "+OK\r\n")
    #expect(harness.reply("MULTI") == "+OK\r\n")
    #expect(harness.reply("DISCARD") == "+OK\r\n")
    #expect(harness.reply("MULTI") == "+OK\r\n")
    #expect(harness.reply("RESET") == "+RESET\r\n")
    #expect(harness.reply("EXEC") == "-ERR EXEC without MULTI\r\n")
  }

  @Test func `a transaction has a largest size`() {
    var harness = Harness()
    _ = harness.reply("MULTI")
    for _ in 0..<1_000 { _ = harness.reply("EVENT.APPEND s t IMPERSONAL DATA x") }
    #expect(harness.reply("EVENT.APPEND s t IMPERSONAL DATA x").hasPrefix("-TOOBIG transaction"))
    #expect(harness.context.state.transaction?.byteCount == 0)
    #expect(harness.reply("EXEC").hasPrefix("-EXECABORT "))
  }
}

@Suite struct SynopsisTests {
  @Test(arguments: Synopses.names) func `every synopsis is read to its end`(name: String) {
    func isWhole(_ argument: Synopsis.Argument) -> Bool {
      !"[]{}|".contains(argument.name) && argument.parts.allSatisfy(isWhole)
        && (argument.kind == .block || argument.kind == .oneof) == !argument.parts.isEmpty
    }
    let arguments = Synopses.of(name)?.arguments ?? []
    #expect(!arguments.isEmpty)
    #expect(arguments.allSatisfy(isWhole))
  }

  @Test func `every own command with arguments has a synopsis`() {
    let known = Set(Synopses.names)
    for command in CommandTable.all
    where command.name.text.hasPrefix("EVENT.") && command.arity.upperBound > 0 {
      #expect(known.contains(command.name.text), "\(command.name.text)")
    }
  }

  @Test func `every error word is in some command's documentation`() {
    let all = CommandTable.all.flatMap { CommandDocs.errors(of: $0) }
    for word in ErrorWord.allCases { #expect(all.contains(word), "\(word.rawValue)") }
  }
}
