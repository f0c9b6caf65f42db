import EventModel
import EventStore
import RESP

/// An event as readers get it.
enum EventReply {
  /// Position, version, stream, type, id, source, time, stored, state, datasubject, cesubject,
  /// content, schema, data, attrs.
  private static let fieldCount = 15

  /// Appends the map of one event; `body` is empty when the event is not live.
  static func append(
    _ event: ReadEvent, body: Span<UInt8>, stream: Span<UInt8>? = nil, _ encoder: ReplyEncoder,
    to bytes: inout [UInt8]
  ) {
    encoder.map(fieldCount, to: &bytes)
    number("position", event.position, encoder, &bytes)
    number("version", event.version, encoder, &bytes)
    guard let fields = BodyFields(body) else {
      appendGone(event, stream: stream, encoder, to: &bytes)
      return
    }
    text("stream", body, fields.stream, encoder, &bytes)
    text("type", body, fields.type, encoder, &bytes)
    encoder.bulk("id", to: &bytes)
    appendID(body, fields, encoder, &bytes)
    text("source", body, fields.source, encoder, &bytes)
    encoder.bulk("time", to: &bytes)
    if let time = fields.time {
      encoder.bulk(body.extracting(time), to: &bytes)
    } else {
      appendTime(event.storedMilliseconds, encoder, &bytes)
    }
    encoder.bulk("stored", to: &bytes)
    appendTime(event.storedMilliseconds, encoder, &bytes)
    encoder.bulk("state", to: &bytes)
    encoder.bulk("live", to: &bytes)
    encoder.bulk("datasubject", to: &bytes)
    appendSubjects(body, fields, encoder, &bytes)
    text("cesubject", body, fields.cloudEventsSubject, encoder, &bytes)
    text("content", body, fields.contentType, encoder, &bytes)
    text("schema", body, fields.schema, encoder, &bytes)
    text("data", body, fields.data, encoder, &bytes)
    encoder.bulk("attrs", to: &bytes)
    appendAttributes(body, fields, encoder, &bytes)
  }

  /// Appends the place of an event whose content is gone or may not be shown.
  private static func appendGone(
    _ event: ReadEvent, stream: Span<UInt8>?, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    let state = event.state == .restricted ? "restricted" : "erased"
    encoder.bulk("stream", to: &bytes)
    if let stream { encoder.bulk(stream, to: &bytes) } else { encoder.null(to: &bytes) }
    encoder.bulk("type", to: &bytes)
    encoder.bulk("$\(state)", to: &bytes)
    for name in ["id", "source", "time"] { missing(name, encoder, &bytes) }
    encoder.bulk("stored", to: &bytes)
    appendTime(event.storedMilliseconds, encoder, &bytes)
    encoder.bulk("state", to: &bytes)
    encoder.bulk(state, to: &bytes)
    for name in ["datasubject", "cesubject", "content", "schema", "data", "attrs"] {
      missing(name, encoder, &bytes)
    }
  }

  /// RFC 3339 in UTC with milliseconds.
  static func appendTime(
    _ milliseconds: Int64, _ encoder: ReplyEncoder, _ bytes: inout [UInt8]
  ) {
    encoder.bulkHeader(Timestamp.textBytes, to: &bytes)
    Timestamp.append(milliseconds, to: &bytes)
    encoder.end(&bytes)
  }

  /// Appends a UUID of 16 bytes as text.
  static func appendUUID(_ uuid: Span<UInt8>, _ encoder: ReplyEncoder, _ bytes: inout [UInt8]) {
    encoder.bulkHeader(EventUUID.textBytes, to: &bytes)
    EventUUID.appendText(uuid, to: &bytes)
    encoder.end(&bytes)
  }
}

extension EventReply {
  private static func number(
    _ name: String, _ value: UInt64, _ encoder: ReplyEncoder, _ bytes: inout [UInt8]
  ) {
    encoder.bulk(name, to: &bytes)
    encoder.integer(value, to: &bytes)
  }

  private static func missing(
    _ name: String, _ encoder: ReplyEncoder, _ bytes: inout [UInt8]
  ) {
    encoder.bulk(name, to: &bytes)
    encoder.null(to: &bytes)
  }

  private static func text(
    _ name: String, _ body: Span<UInt8>, _ place: Range<Int>?, _ encoder: ReplyEncoder,
    _ bytes: inout [UInt8]
  ) {
    guard let place else { return missing(name, encoder, &bytes) }
    encoder.bulk(name, to: &bytes)
    encoder.bulk(body.extracting(place), to: &bytes)
  }

  private static func appendID(
    _ body: Span<UInt8>, _ fields: BodyFields, _ encoder: ReplyEncoder, _ bytes: inout [UInt8]
  ) {
    if let uuid = fields.uuid, uuid.count == 16 {
      appendUUID(body.extracting(uuid), encoder, &bytes)
    } else if let id = fields.id {
      encoder.bulk(body.extracting(id), to: &bytes)
    } else {
      encoder.null(to: &bytes)
    }
  }

  /// Nothing when the event is impersonal, the person, or a list when there are several.
  private static func appendSubjects(
    _ body: Span<UInt8>, _ fields: BodyFields, _ encoder: ReplyEncoder, _ bytes: inout [UInt8]
  ) {
    if fields.subjectCount == 0 { return encoder.null(to: &bytes) }
    if fields.subjectCount > 1 { encoder.array(fields.subjectCount, to: &bytes) }
    for index in 0..<fields.subjectCount {
      encoder.bulk(body.extracting(fields.subjects[index]), to: &bytes)
    }
  }

  private static func appendAttributes(
    _ body: Span<UInt8>, _ fields: BodyFields, _ encoder: ReplyEncoder, _ bytes: inout [UInt8]
  ) {
    encoder.map(fields.attributeCount, to: &bytes)
    guard fields.attributeCount > 0 else { return }
    fields.reader.forEachField(in: body) { tag, place in
      guard tag == BodyField.attribute.rawValue, let parts = BodyFields.split(place, in: body)
      else { return }
      encoder.bulk(body.extracting(parts.name), to: &bytes)
      encoder.bulk(body.extracting(parts.value), to: &bytes)
    }
  }
}

/// Where the fields of a body lie.
private struct BodyFields {
  private(set) var reader: EventBodyReader
  private(set) var data: Range<Int>
  var stream: Range<Int>?
  var type: Range<Int>?
  var id: Range<Int>?
  var uuid: Range<Int>?
  var source: Range<Int>?
  var cloudEventsSubject: Range<Int>?
  var time: Range<Int>?
  var contentType: Range<Int>?
  var schema: Range<Int>?
  var subjects = InlineArray<4, Range<Int>>(repeating: 0..<0)
  var subjectCount = 0
  var attributeCount = 0

  /// Nil when `body` is empty, that is, not to be shown.
  init?(_ body: Span<UInt8>) {
    guard let reader = EventBodyReader(body) else { return nil }
    self.reader = reader
    data = reader.data
    var places = self
    reader.forEachField(in: body) { tag, place in places.take(tag, place, body) }
    self = places
  }

  private mutating func take(_ tag: UInt8, _ place: Range<Int>, _ body: Span<UInt8>) {
    switch BodyField(rawValue: tag) {
    case .stream: stream = place
    case .type: type = place
    case .id: id = place
    case .uuid: uuid = place
    case .source: source = place
    case .cloudEventsSubject: cloudEventsSubject = place
    case .time: time = place
    case .contentType: contentType = place
    case .schema: schema = place
    case .dataSubject where subjectCount < Limits.subjectsMax:
      subjects[subjectCount] = place
      subjectCount += 1
    case .attribute where Self.split(place, in: body) != nil: attributeCount += 1
    default: break
    }
  }

  /// The name and the value of an attribute.
  static func split(
    _ place: Range<Int>, in body: Span<UInt8>
  ) -> (name: Range<Int>, value: Range<Int>)? {
    guard let first = place.first else { return nil }
    let end = first + 1 + Int(body[first])
    guard end <= place.upperBound else { return nil }
    return ((first + 1)..<end, end..<place.upperBound)
  }
}
