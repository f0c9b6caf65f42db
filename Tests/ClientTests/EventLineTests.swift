import Client
import EventModel
import RESP
import Testing

private func parse(_ line: String) throws(EventLineFailure) -> EventDraft {
  try EventLine.parse(Array(line.utf8), stream: "orders", type: "order.placed")
}

private func failure(_ line: String) -> EventLineFailure? {
  do {
    _ = try parse(line)
    return nil
  } catch {
    return error
  }
}

@Test func `a line becomes an append with an id and the payload last`() throws {
  var draft = try parse(#"{"datasubject":"u-42","data":{"total": 99.90},"expect":7}"#)
  #expect(draft.id.count == 36)
  draft.id = Array("x".utf8)
  let words = draft.appendRequest.arguments.map { String(decoding: $0, as: UTF8.self) }
  #expect(
    words == [
      "EVENT.APPEND", "orders", "order.placed", "EXPECT", "7", "DATASUBJECT", "u-42", "ID", "x",
      "DATA", #"{"total":99.90}"#,
    ])
}

@Test func `a line may name its own stream and type, several persons and all options`() throws {
  let draft = try parse(
    #"""
    {"stream":"s","type":"t","datasubject":["a","b"],"id":"1","source":"u","cesubject":"c",
    "time":"2026-01-01T00:00:00Z","content":"text/plain","schema":"x","class":"k",
    "attrs":{"n":"v"},"data_text":"hello"}
    """#)
  let words = draft.appendRequest.arguments.map { String(decoding: $0, as: UTF8.self) }
  #expect(
    words == [
      "EVENT.APPEND", "s", "t", "DATASUBJECT", "a", "DATASUBJECT", "b", "ID", "1", "SOURCE", "u",
      "CESUBJECT", "c", "TIME", "2026-01-01T00:00:00Z", "CONTENT", "text/plain", "SCHEMA", "x",
      "CLASS", "k", "ATTR", "n", "v", "DATA", "hello",
    ])
}

@Test func `an event without a person must say so`() {
  #expect(failure(#"{"data":1}"#) == .person)
  #expect(failure(#"{"data":1,"impersonal":false}"#) == .person)
  #expect(failure(#"{"data":1,"impersonal":true,"datasubject":"a"}"#) == .person)
  #expect(failure(#"{"data":1,"datasubject":[]}"#) == .person)
  #expect(failure(#"{"data":1,"impersonal":true}"#) == nil)
}

@Test func `a misspelt member is refused rather than lost`() {
  #expect(failure(#"{"data":1,"impersonal":true,"data_subject":"a"}"#) == .unknownName)
}

@Test func `an event has exactly one payload`() {
  #expect(failure(#"{"impersonal":true}"#) == .payload)
  #expect(failure(#"{"impersonal":true,"data":1,"data_text":"x"}"#) == .payload)
  #expect(
    failure(#"{"impersonal":true,"data_base64":"%%"}"#) == .wrongType(name: "data_base64"))
}

@Test func `an erased event is not appended again as if it were empty`() {
  #expect(failure(#"{"impersonal":true,"data":null,"state":"erased"}"#) == .notLive)
}

@Test func `what goes wrong is told without the line's content`() {
  let text = failure(#"{"datasubject":"secret@example.com",}"#)?.text ?? ""
  #expect(!text.isEmpty)
  #expect(!text.contains("secret"))
}

@Test func `what was read can be appended again`() throws {
  for payload in [#"{"a":1}"#, "plain text", "\u{FFFD}", "[1,"] + ["\u{0}bin"] {
    let event = Reply.map([
      (.simple("position"), .integer(3)), (.simple("version"), .integer(1)),
      (.simple("stream"), .bulk(Array("s".utf8))), (.simple("type"), .bulk(Array("t".utf8))),
      (.simple("id"), .bulk(Array("i".utf8))), (.simple("stored"), .simple("2026-01-01T00:00:00Z")),
      (.simple("state"), .simple("live")),
      (.simple("datasubject"), .array([.bulk(Array("u-42".utf8))])),
      (.simple("content"), .null), (.simple("data"), .bulk(Array(payload.utf8))),
    ])
    let draft = try parse(String(decoding: JSONValue(event: event).bytes, as: UTF8.self))
    #expect(draft.data == Array(payload.utf8))
    #expect(draft.subjects == [Array("u-42".utf8)])
    #expect(draft.stream == Array("s".utf8))
  }
}

@Test func `bytes that are no text survive as Base64`() throws {
  let bytes: [UInt8] = [0xFF, 0x00, 0xFE]
  let value = JSONValue(event: .map([(.simple("data"), .bulk(bytes))]))
  #expect(value["data_base64"] == .string("/wD+"))
}

@Test func `neighbours in a batch share their stream's clause`() throws {
  let first = try parse(#"{"impersonal":true,"id":"1","data":1}"#)
  let second = try parse(#"{"impersonal":true,"id":"2","data":2}"#)
  let third = try parse(#"{"stream":"other","impersonal":true,"id":"3","data":3,"expect":"none"}"#)
  let words = EventDraft.batchRequest([first, second, third]).arguments.map {
    String(decoding: $0, as: UTF8.self)
  }
  #expect(
    words == [
      "EVENT.BATCH", "STREAM", "orders",
      "EVENT", "order.placed", "IMPERSONAL", "ID", "1", "DATA", "1",
      "EVENT", "order.placed", "IMPERSONAL", "ID", "2", "DATA", "2",
      "STREAM", "other", "EXPECT", "none",
      "EVENT", "order.placed", "IMPERSONAL", "ID", "3", "DATA", "3",
    ])
}

@Test func `two new ids differ and sort by time`() {
  let ids = (0..<100).map { _ in String(decoding: EventDraft.newID(), as: UTF8.self) }
  #expect(Set(ids).count == 100)
  #expect(ids.allSatisfy { $0.count == 36 && $0.dropFirst(14).first == "7" })
}
