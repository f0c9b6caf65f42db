import EventModel
import EventStore
import Testing

@testable import Server

@Suite struct AppendCommandTests {
  @Test func `an event is written as the format says`() throws {
    var harness = Harness()
    harness.run(
      "EVENT.APPEND orders placed CLASS short DATASUBJECT u-1 DATASUBJECT u-2 EXPECT 4 ID e1 SOURCE urn:x CESUBJECT s TIME 2026-01-02T03:04:05Z CONTENT text/plain SCHEMA urn:s ATTR a 1 ATTR b 2 DATA hello"
        .split(separator: " ").map { Array($0.utf8) })
    let batch = harness.batch
    let request = try #require(batch.requests.first)
    func text(_ range: ByteRange) -> String {
      String(decoding: batch.bytes[range.range], as: UTF8.self)
    }
    #expect(request.tenant == TenantNumber(rawValue: 1))
    #expect(request.expectation == .version(4))
    #expect(text(request.stream) == "orders")
    #expect(text(request.className) == "short")
    #expect(request.subjectCount == 2)
    #expect(text(request.subjects[0]) == "u-1")
    #expect(text(request.subjects[1]) == "u-2")
    let body = Array(batch.bytes[request.body.range])
    let opened = EventBodyReader(body.span)
    let reader = try #require(opened)
    var fields: [String] = []
    reader.forEachField(in: body.span) { tag, place in
      fields.append("\(tag) " + String(decoding: body[place], as: UTF8.self))
    }
    #expect(
      fields == [
        "1 orders", "2 placed", "3 u-1", "3 u-2", "4 e1", "6 urn:x", "7 s",
        "8 2026-01-02T03:04:05Z", "9 text/plain", "10 urn:s", "11 \u{1}a1", "11 \u{1}b2",
      ])
    #expect(String(decoding: body[reader.data], as: UTF8.self) == "hello")
  }

  @Test func `events without an id get UUIDs of version 7 that differ`() throws {
    var harness = Harness()
    for _ in 0..<3 { #expect(harness.reply("EVENT.APPEND s t IMPERSONAL DATA x") == "") }
    let notes = harness.context.appends.current.notes
    let ids = notes.map { Array(harness.batch.bytes[$0.id.range]) }
    #expect(Set(ids).count == 3)
    #expect(ids.allSatisfy { $0.count == 16 && $0[6] >> 4 == 7 && $0[8] >> 6 == 2 })
    #expect(Set(notes.map(\.group)).count == 3)
  }

  @Test func `a batch is one group across streams`() throws {
    var harness = Harness()
    harness.run(
      "EVENT.BATCH STREAM a EXPECT none EVENT t IMPERSONAL DATA 1 EVENT t IMPERSONAL DATA 2 STREAM b EVENT t DATASUBJECT u DATA 3"
        .split(separator: " ").map { Array($0.utf8) })
    let requests = harness.batch.requests
    #expect(requests.count == 3)
    #expect(Set(requests.map(\.group)).count == 1)
    #expect(requests.map(\.expectation) == [.none, .any, .any])
  }

  @Test func `a batch with a mistake leaves nothing behind`() {
    var harness = Harness()
    let reply = harness.reply("EVENT.BATCH STREAM a EVENT t IMPERSONAL DATA 1 EVENT t DATA 2")
    #expect(reply.hasPrefix("-NODATASUBJECT "))
    #expect(harness.batch.requests.isEmpty)
    #expect(harness.batch.bytes.isEmpty)
  }

  @Test(arguments: [
    "", "null", "NULL", "Undefined", "anonymous", "0", "00000000-0000-0000-0000-000000000000",
    "00000000000000000000000000000000",
  ])
  func `placeholders are not persons`(person: String) {
    var harness = Harness()
    let arguments = ["EVENT.APPEND", "s", "t", "DATASUBJECT", person, "DATA", "x"]
    #expect(harness.reply(arguments.map { Array($0.utf8) }).hasPrefix("-BADSUBJECT "))
  }

  @Test func `a person named twice counts once`() {
    var harness = Harness()
    #expect(harness.reply("EVENT.APPEND s t DATASUBJECT u DATASUBJECT u DATA x") == "")
    #expect(harness.batch.requests[0].subjectCount == 1)
  }

  @Test(arguments: [
    ("EVENT.APPEND s t DATA x", "-NODATASUBJECT say DATASUBJECT <id> or IMPERSONAL"),
    ("EVENT.APPEND s t ID e DATA x", "-NODATASUBJECT say DATASUBJECT <id> or IMPERSONAL"),
    ("EVENT.APPEND * t IMPERSONAL DATA x", "-BADARG stream: '*' is the whole tenant, not a stream"),
    (
      "EVENT.APPEND  t IMPERSONAL DATA x",
      "-BADARG stream: 1 to 255 bytes of UTF-8 without control characters"
    ),
    (
      "EVENT.APPEND s\u{7} t IMPERSONAL DATA x",
      "-BADARG stream: 1 to 255 bytes of UTF-8 without control characters"
    ),
    (
      "EVENT.APPEND s\u{85} t IMPERSONAL DATA x",
      "-BADARG stream: 1 to 255 bytes of UTF-8 without control characters"
    ),
    ("EVENT.APPEND s t IMPERSONAL DATA x y", "-BADARG DATA ends the event"),
    ("EVENT.APPEND s t", "-ERR wrong number of arguments for 'event.append' command"),
    ("EVENT.APPEND s t IMPERSONAL ID e", "-BADARG DATA is missing"),
    ("EVENT.APPEND s t IMPERSONAL DATA", "-ERR syntax error"),
    ("EVENT.APPEND s t DATA", "-ERR wrong number of arguments for 'event.append' command"),
    ("EVENT.APPEND s t IMPERSONAL COLOUR red DATA x", "-ERR syntax error"),
    ("EVENT.APPEND s t IMPERSONAL ID a ID b DATA x", "-BADARG an option was given twice"),
    (
      "EVENT.APPEND s t IMPERSONAL ATTR a 1 ATTR a 2 DATA x", "-BADARG an attribute was given twice"
    ),
    (
      "EVENT.APPEND s t IMPERSONAL DATASUBJECT u DATA x",
      "-BADARG DATASUBJECT and IMPERSONAL exclude each other"
    ),
    ("EVENT.APPEND s t IMPERSONAL TIME yesterday DATA x", "-BADARG TIME: a time of RFC 3339"),
    (
      "EVENT.APPEND s t IMPERSONAL EXPECT -1 DATA x",
      "-BADARG EXPECT: any, none, exists or a version"
    ),
    (
      "EVENT.APPEND s t DATASUBJECT a DATASUBJECT b DATASUBJECT c DATASUBJECT d DATASUBJECT e DATA x",
      "-BADARG DATASUBJECT maximum 4"
    ),
    ("EVENT.BATCH STREAM s EVENT t IMPERSONAL EXPECT 1 DATA x", "-ERR syntax error"),
    ("EVENT.BATCH STREAM s STREAM b EVENT t IMPERSONAL", "-ERR syntax error"),
    (
      "EVENT.BATCH ONERASED forget STREAM b EVENT t IMPERSONAL DATA x", "-ERR syntax error"
    ),
  ])
  func `a mistake is named`(line: String, error: String) {
    var harness = Harness()
    #expect(harness.reply(line) == error + "\r\n")
    #expect(harness.batch.requests.isEmpty)
  }

  @Test func `payloads and options have largest sizes`() {
    var harness = Harness()
    let head = ["EVENT.APPEND", "s", "t", "IMPERSONAL"].map { Array($0.utf8) }
    let data = [Array("DATA".utf8)]
    let most = [UInt8](repeating: 0, count: Limits.dataBytesMax)
    #expect(harness.reply(head + data + [most]) == "")
    #expect(harness.reply(head + data + [most + [0]]) == "-TOOBIG event maximum 1048576 bytes\r\n")
    let name = [UInt8](repeating: 0x61, count: Limits.nameBytesMax + 1)
    #expect(
      harness.reply(head + [Array("ID".utf8), name] + data + [[]])
        == "-BADARG ID: 1 to 255 bytes of UTF-8 without control characters\r\n")
    var many = head
    for number in 0...Limits.attributesMax {
      many += [Array("ATTR".utf8), Array("a\(number)".utf8), [1]]
    }
    #expect(harness.reply(many + data + [[]]) == "-BADARG ATTR maximum 64\r\n")
    var large = head
    for number in 0..<17 {
      large += [
        Array("ATTR".utf8), Array("a\(number)".utf8), [UInt8](repeating: 1, count: 4_096),
      ]
    }
    #expect(harness.reply(large + data + [[]]) == "-TOOBIG options maximum 65536 bytes\r\n")
  }

  @Test func `a batch has a largest number of events`() {
    var harness = Harness()
    let event = ["EVENT", "t", "IMPERSONAL", "DATA", "x"].map { Array($0.utf8) }
    let head = ["EVENT.BATCH", "STREAM", "s"].map { Array($0.utf8) }
    let most = Array(repeating: event, count: Limits.batchEventsMax).flatMap { $0 }
    #expect(harness.reply(head + most) == "")
    #expect(harness.reply(head + most + event) == "-TOOBIG batch maximum 1000 events\r\n")
    #expect(harness.batch.requests.count == Limits.batchEventsMax)
  }

  @Test(arguments: UInt64(1)...50)
  func `no argument is ever repeated in an error`(seed: UInt64) {
    var state = seed
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let words = ["DATASUBJECT", "ID", "DATA", "CANARY", "EXPECT", "TIME", "ATTR", "CLASS", "*"]
    var harness = Harness()
    for verb in ["EVENT.APPEND", "EVENT.BATCH", "EVENT.RANGE", "EVENT.READ", "EVENT.GET", "AUTH"] {
      let arguments = (0..<(2 + next(8))).map { _ in words[next(words.count)] }
      let reply = harness.reply(([verb] + arguments).map { Array($0.utf8) })
      #expect(!reply.contains("CANARY"))
    }
  }
}
