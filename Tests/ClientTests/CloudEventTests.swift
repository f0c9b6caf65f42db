import Client
import Testing

private func parse(
  _ line: String, _ mapping: CloudEventMapping = CloudEventMapping()
) throws(CloudEventFailure) -> CloudEvent.Line {
  try CloudEvent.parse(Array(line.utf8), mapping)
}

private func draft(
  _ line: String, _ mapping: CloudEventMapping = CloudEventMapping()
) throws -> EventDraft {
  guard case .event(let draft) = try parse(line, mapping) else {
    throw CloudEventFailure.notAnObject
  }
  return draft
}

private func failure(
  _ line: String, _ mapping: CloudEventMapping = CloudEventMapping()
) -> CloudEventFailure? {
  do {
    _ = try parse(line, mapping)
    return nil
  } catch {
    return error
  }
}

private func words(_ draft: EventDraft) -> [String] {
  draft.appendRequest.arguments.map { String(decoding: $0, as: UTF8.self) }
}

private let start = #"{"specversion":"1.0","id":"7","source":"https://shop","type":"placed""#

@Test func `a CloudEvent becomes an append with its id and its bytes`() throws {
  let draft = try draft(
    start + #","stream":"orders","subject":"o/1","time":"2026-01-01T00:00:00Z","#
      + #""datacontenttype":"application/json","dataschema":"x","datasubject":"u-1","#
      + #""datasubject2":"u-2","region":"eu","level":3,"test":true,"data":{"total": 9.90}}"#)
  #expect(
    words(draft) == [
      "EVENT.APPEND", "orders", "placed", "DATASUBJECT", "u-1", "DATASUBJECT", "u-2", "ID", "7",
      "SOURCE", "https://shop", "CESUBJECT", "o/1", "TIME", "2026-01-01T00:00:00Z", "CONTENT",
      "application/json", "SCHEMA", "x", "ATTR", "region", "eu", "ATTR", "level", "3", "ATTR",
      "test", "true", "DATA", #"{"total": 9.90}"#,
    ])
}

@Test func `what a store adds to an exported event is not stored again`() throws {
  let draft = try draft(
    #"{"specversion":"1.0","id":"7","source":"urn:lethe:acme","type":"t","stream":"s","#
      + #""datasubject":"u","sequence":"00000000000000000009","position":"12","state":"live","#
      + #""storedtime":"2026-01-01T00:00:00Z","data":1}"#)
  #expect(
    words(draft) == ["EVENT.APPEND", "s", "t", "DATASUBJECT", "u", "ID", "7", "DATA", "1"])
}

@Test func `the marker of an erased event is no event`() throws {
  let line =
    #"{"specversion":"1.0","id":"position-4","source":"urn:lethe:a","type":"$erased","#
    + #""state":"erased","storedtime":"2026-01-01T00:00:00Z"}"#
  #expect(try parse(line) == .marker)
}

@Test func `a line that lies by its state is no marker`() {
  #expect(failure(start + #","stream":"s","state":"erased","data":1}"#) == .person)
}

@Test func `payloads keep their bytes`() throws {
  let person = #","stream":"s","datasubject":"u""#
  let cases: [(String, String)] = [
    (#","data":[1, 2.0e5 ]}"#, "[1, 2.0e5 ]"), (#","data":"text"}"#, #""text""#),
    (#","datacontenttype":"text/plain; charset=utf-8","data":"a\nb"}"#, "a\nb"),
    (#","datacontenttype":"application/vnd.x+json","data":"a"}"#, #""a""#),
    (#","data":null}"#, "null"), (#","data_base64":"AQID"}"#, "\u{1}\u{2}\u{3}"), ("}", ""),
  ]
  for (rest, data) in cases {
    #expect(try draft(start + person + rest).data == Array(data.utf8))
  }
}

@Test func `a text without a media type comes back without quotes from a store`() throws {
  let rest = #","stream":"s","datasubject":"u","data":"hello"}"#
  #expect(try draft(start + rest).data == Array(#""hello""#.utf8))
  let stored = #","state":"live","storedtime":"2026-01-01T00:00:00Z""#
  #expect(try draft(start + stored + rest).data == Array("hello".utf8))
}

@Test func `streams come from where the mapping says`() throws {
  var mapping = CloudEventMapping()
  mapping.impersonalTypes = ["placed"]
  let line = start + #","subject":"/books/42","data":1,"shelf":"north"}"#
  let origins: [(CloudEventMapping.StreamOrigin, String)] = [
    (.subject, "/books/42"), (.source, "https://shop"), (.type, "placed"),
    (.attribute("shelf"), "north"), (.fixed("all"), "all"),
  ]
  for (origin, name) in origins {
    mapping.stream = origin
    #expect(try draft(line, mapping).stream == Array(name.utf8))
  }
  mapping.stream = .attribute("absent")
  #expect(failure(line, mapping) == .stream)
}

@Test func `an event of an event-sourcing database is unwrapped`() throws {
  var mapping = CloudEventMapping()
  mapping.stream = .subject
  mapping.areAllImpersonal = true
  let line =
    #"{"type":"event","payload":{"specversion":"1.0","id":"3","source":"urn:x","type":"t","#
    + #""subject":"/a","time":"2026-01-01T00:00:00Z","datacontenttype":"application/json","#
    + #""data":{"a": 1},"hash":"00ff","predecessorhash":"11"}}"#
  let draft = try draft(line, mapping)
  #expect(draft.stream == Array("/a".utf8))
  #expect(draft.data == Array(#"{"a": 1}"#.utf8))
  #expect(
    draft.attributes.map { String(decoding: $0.name, as: UTF8.self) }.sorted()
      == ["hash", "predecessorhash"])
  #expect(try parse(#"{"type":"heartbeat"}"#, mapping) == .heartbeat)
}

@Test func `nobody is named only where that was said`() throws {
  let line = start + #","stream":"s","data":1}"#
  #expect(failure(line) == .person)
  var mapping = CloudEventMapping()
  mapping.impersonalTypes = ["other"]
  #expect(failure(line, mapping) == .person)
  mapping.impersonalTypes = ["placed"]
  #expect(try draft(line, mapping).isImpersonal)
  mapping.person = "subject"
  #expect(
    try draft(start + #","stream":"s","subject":"u","data":1}"#, mapping).subjects
      == [Array("u".utf8)])
}

@Test func `what is no CloudEvent is told without its content`() {
  let cases: [(String, CloudEventFailure)] = [
    ("[1]", .notAnObject), (#"{"specversion":"0.3"}"#, .version),
    (#"{"specversion":"1.0","source":"s","type":"secret"}"#, .missing(name: "id")),
    (start + #","stream":"s","datasubject":"u","data":1,"data_base64":"AA=="}"#, .payload),
    (
      start + #","stream":"s","datasubject":"u","data_base64":"secret"}"#,
      .wrongType(name: "data_base64")
    ),
    (start + #","stream":"s","datasubject":["secret"]}"#, .extensionType),
  ]
  for (line, expected) in cases {
    let found = failure(line)
    #expect(found == expected)
    #expect(found?.text.contains("secret") == false)
  }
}

@Test func `where an exported event stands is read from it`() {
  let line = Array(#"{"position":"12","sequence":"00000000000000000009"}"#.utf8)
  #expect(CloudEvent.place(inLine: line, isFeed: true) == 12)
  #expect(CloudEvent.place(inLine: line, isFeed: false) == 9)
  #expect(CloudEvent.place(inLine: Array("{}".utf8), isFeed: true) == nil)
}
