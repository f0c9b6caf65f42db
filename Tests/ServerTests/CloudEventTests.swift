import EventModel
import Testing

@testable import EventStore
@testable import Server

private let event = ReadEvent(
  position: 9, version: 4, storedMilliseconds: 1_764_000_000_000, state: .live)

private func body(_ fields: [(BodyField, [UInt8])], data: [UInt8]) -> [UInt8] {
  var bytes: [UInt8] = []
  let writer = EventBodyWriter(in: &bytes)
  for (field, value) in fields { writer.append(field, value.span, in: &bytes) }
  _ = writer.finish(data: data.span, in: &bytes)
  return bytes
}

private func json(_ fields: [(BodyField, [UInt8])], data: [UInt8]) -> String {
  var text: [UInt8] = []
  let body = body(fields, data: data)
  CloudEvent.append(event, body: body.span, tenant: TenantName("acme")!, to: &text)
  return String(decoding: text, as: UTF8.self)
}

private func data(_ data: [UInt8], content: String? = nil) -> String {
  let fields = content.map { [(BodyField.contentType, Array($0.utf8))] } ?? []
  let text = json(fields, data: data)
  guard let start = text.range(of: ",\"data\":") ?? text.range(of: ",\"data_base64\":") else {
    return ""
  }
  return String(text[start...].dropFirst().dropLast())
}

extension String {
  fileprivate func range(of other: String) -> String.Index? {
    indices.first { self[$0...].hasPrefix(other) }
  }
}

private func isJSON(_ text: [UInt8]) -> Bool { JSONCheck.isValid(text.span) }

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct CloudEventTests {
  @Test func `an event is a CloudEvent`() {
    let text = json(
      [
        (.stream, bytes("orders")), (.type, bytes("placed")), (.dataSubject, bytes("u-1")),
        (.dataSubject, bytes("u-2")), (.id, bytes("e\"1")), (.source, bytes("urn:x")),
        (.cloudEventsSubject, bytes("s")), (.time, bytes("2026-01-02T03:04:05Z")),
        (.contentType, bytes("application/json")), (.schema, bytes("urn:s")),
        (.attribute, [5] + bytes("traceabc")), (.attribute, [1] + bytes("a") + [0xFF]),
        (.attribute, [2] + bytes("idx")), (.attribute, [2] + bytes("A-x")),
      ], data: bytes("{ \"total\" : 99.9 }\n"))
    #expect(
      text == #"{"specversion":"1.0","sequence":"00000000000000000004","position":"9","#
        + #""storedtime":"2025-11-24T16:00:00.000Z","state":"live","stream":"orders","#
        + #""type":"placed","datasubject":"u-1","datasubject2":"u-2","id":"e\"1","#
        + #""source":"urn:x","subject":"s","time":"2026-01-02T03:04:05Z","#
        + #""datacontenttype":"application/json","dataschema":"urn:s","trace":"abc","a":"/w==","#
        + #""data":{"total":99.9}}"#)
  }

  @Test func `source and time have values when none were given`() {
    let text = json([(.uuid, Array(0..<16))], data: [])
    #expect(
      text == #"{"specversion":"1.0","sequence":"00000000000000000004","position":"9","#
        + #""storedtime":"2025-11-24T16:00:00.000Z","state":"live","#
        + #""id":"00010203-0405-0607-0809-0a0b0c0d0e0f","source":"urn:lethe:acme","#
        + #""time":"2025-11-24T16:00:00.000Z"}"#)
  }

  @Test func `an erased event is a place`() {
    let gone = ReadEvent(
      position: 9, version: 4, storedMilliseconds: 1_764_000_000_000, state: .erased)
    let stream = bytes("s\u{1}")
    var text: [UInt8] = []
    let none: [UInt8] = []
    CloudEvent.append(
      gone, body: none.span, stream: stream.span, tenant: TenantName("acme")!, to: &text)
    #expect(
      String(decoding: text, as: UTF8.self)
        == #"{"specversion":"1.0","sequence":"00000000000000000004","position":"9","#
        + #""storedtime":"2025-11-24T16:00:00.000Z","id":"position-9","source":"urn:lethe:acme","#
        + #""type":"$erased","state":"erased","stream":"s\u0001"}"#)
  }

  @Test(
    arguments: [
      ("{\"a\":[1, 2]}", nil, #""data":{"a":[1,2]}"#), ("42", nil, #""data":42"#),
      ("hello", nil, #""data":"hello""#), ("", nil, ""),
      ("42", "text/plain", #""data":"42""#), ("{", "application/json", #""data_base64":"ew==""#),
      ("[]", "application/vnd.x+JSON; charset=utf-8", #""data":[]"#),
      ("a\tb\u{0}\\\u{7F}ü\u{1F600}", nil, "\"data\":\"a\\tb\\u0000\\\\\u{7F}ü\u{1F600}\""),
      ("\" a b \"", nil, #""data_base64":"IiBhIGIgIg==""#),
      ("\" a b \"", "application/json", #""data":" a b ""#),
    ] as [(String, String?, String)])
  func `data is JSON, text or Base64`(payload: String, content: String?, expected: String) {
    #expect(data(bytes(payload), content: content) == expected)
  }

  @Test func `values that are all escapes have room`() {
    let value = [UInt8](repeating: 1, count: 4_000)
    let text = json(
      [(.stream, value), (.type, value), (.id, value), (.attribute, [1] + bytes("a") + value)],
      data: value)
    let escaped = String(repeating: "\\u0001", count: 4_000)
    #expect(text.hasSuffix(",\"data\":\"\(escaped)\"}"))
    #expect(text.range(of: "\"stream\":\"\(escaped)\"") != nil)
  }

  @Test func `embedded JSON keeps what is in its strings`() {
    #expect(
      data(bytes(#" { "a \" b" : [ "\\" , " x " ], "é\u0001" : "\\\"" } "#), content: "text/json")
        == #""data":{"a \" b":["\\"," x "],"é\u0001":"\\\""}"#)
  }

  @Test(
    arguments: [
      ([0xFF], "/w=="), ([0xC0, 0x80], "wIA="), ([0xED, 0xA0, 0x80], "7aCA"),
      ([0x22, 0xFF, 0x22, 0x0A], "Iv8iCg=="),
    ] as [([UInt8], String)])
  func `what is not UTF-8 is Base64`(payload: [UInt8], expected: String) {
    #expect(data(payload) == "\"data_base64\":\"\(expected)\"")
  }
}

@Suite struct JSONCheckTests {
  @Test(arguments: [
    "0", "-0", "1.5e+10", "-12.0E-3", "true", "false", "null", "\"\"", "[]", "{}", " [ ] ",
    "{\"\":[{\"a\":null},[],\"\\u00e9\\n\\/\"]}", "\"\\ud83d\\ude00\"", "[1,2,[3]]", "\t1\r\n",
    "{\"a\":1,\"a\":2}", "\"\u{7F}ü\"",
  ])
  func `this is JSON`(text: String) { #expect(isJSON(bytes(text))) }

  @Test(arguments: [
    "", " ", "01", "-", "+1", "1.", ".5", "1e", "tru", "trueX", "nul", "\"", "\"\n\"", "\"\\x\"",
    "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "[", "]", "[1", "[1,]",
    "[,1]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "[}", "{]", "1 2", "[] []",
    "'a'", "NaN", "Infinity", "[1}", "{\"a\":1]", "\u{FEFF}1", "/**/1", "\"\\", "\"\\u12", "1\u{0}",
  ])
  func `this is not JSON`(text: String) { #expect(!isJSON(bytes(text))) }

  @Test func `depth has a bound and costs no stack`() {
    func nested(_ depth: Int) -> [UInt8] {
      Array(repeating: 0x5B, count: depth) + Array(repeating: 0x5D, count: depth)
    }
    // The innermost list is empty, so it is never open.
    #expect(isJSON(nested(513)))
    #expect(!isJSON(nested(514)))
    #expect(!isJSON([UInt8](repeating: 0x5B, count: 1 << 20)))
  }
}
