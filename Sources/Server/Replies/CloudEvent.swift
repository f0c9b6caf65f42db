import EventModel
import EventStore
import RESP

/// An event as CloudEvents 1.0 JSON (Docs/Protocol.md, "CloudEvents").
///
/// The fields of a body are written in the order in which they lie there: JSON has no order.
enum CloudEvent {
  /// Attributes of these names would be written twice, so the event's own are left out.
  private static let reserved: Set<[UInt8]> = Set(
    [
      "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema",
      "data", "datasubject", "datasubject2", "datasubject3", "datasubject4", "stream", "sequence",
      "position", "storedtime", "state",
    ].map { Array($0.utf8) })
  private static let attributeNameBytesMax = 20

  /// Appends the object; `body` is empty when the event is not live.
  static func append(
    _ event: ReadEvent, body: Span<UInt8>, stream: Span<UInt8>? = nil, tenant: TenantName,
    to json: inout [UInt8]
  ) {
    json.append(contentsOf: "{\"specversion\":\"1.0\"".utf8)
    appendPlace(event, to: &json)
    guard let reader = EventBodyReader(body) else {
      return appendGone(event, stream: stream, tenant, to: &json)
    }
    member("state", "live", to: &json)
    var seen = Seen()
    // Appended to apart, since the closure may not hold on to `json`.
    var fields: [UInt8] = []
    reader.forEachField(in: body) { tag, place in
      guard let field = BodyField(rawValue: tag) else { return }
      append(field, body.extracting(place), &seen, to: &fields)
    }
    json += fields
    if !seen.hasSource { appendSource(tenant, to: &json) }
    if !seen.hasTime {
      member("time", Timestamp.text(event.storedMilliseconds), to: &json)
    }
    appendData(body.extracting(reader.data), seen, to: &json)
    json.append(0x7D)
  }

  /// What decides about the rest.
  private struct Seen {
    var hasSource = false
    var hasTime = false
    var subjectCount = 0
    /// What CloudEvents take when no content type is given.
    var isJSON = true
    var hasContentType = false
  }

  private static func append(
    _ field: BodyField, _ value: Span<UInt8>, _ seen: inout Seen, to json: inout [UInt8]
  ) {
    switch field {
    case .stream: member("stream", value, to: &json)
    case .type: member("type", value, to: &json)
    case .dataSubject:
      seen.subjectCount += 1
      let number = seen.subjectCount
      member(number == 1 ? "datasubject" : "datasubject\(number)", value, to: &json)
    case .id: member("id", value, to: &json)
    case .uuid:
      guard value.count == 16 else { return }
      name("id", to: &json)
      json.append(0x22)
      EventUUID.appendText(value, to: &json)
      json.append(0x22)
    case .source:
      seen.hasSource = true
      member("source", value, to: &json)
    case .cloudEventsSubject: member("subject", value, to: &json)
    case .time:
      seen.hasTime = true
      member("time", value, to: &json)
    case .contentType:
      seen.hasContentType = true
      seen.isJSON = isJSON(value)
      member("datacontenttype", value, to: &json)
    case .schema: member("dataschema", value, to: &json)
    case .attribute: appendAttribute(value, to: &json)
    }
  }

  private static func appendPlace(_ event: ReadEvent, to json: inout [UInt8]) {
    let version = String(event.version)
    member(
      "sequence", String(repeating: "0", count: max(0, 20 - version.count)) + version, to: &json)
    member("position", String(event.position), to: &json)
    member("storedtime", Timestamp.text(event.storedMilliseconds), to: &json)
  }

  /// The place of an event whose content is gone or may not be shown.
  private static func appendGone(
    _ event: ReadEvent, stream: Span<UInt8>?, _ tenant: TenantName, to json: inout [UInt8]
  ) {
    let state = event.state == .restricted ? "restricted" : "erased"
    member("id", "position-\(event.position)", to: &json)
    appendSource(tenant, to: &json)
    member("type", "$\(state)", to: &json)
    member("state", state, to: &json)
    if let stream { member("stream", stream, to: &json) }
    json.append(0x7D)
  }

  private static func appendSource(_ tenant: TenantName, to json: inout [UInt8]) {
    member("source", "urn:lethe:\(tenant.text)", to: &json)
  }

  /// An attribute as an extension, when its name may be one.
  private static func appendAttribute(_ field: Span<UInt8>, to json: inout [UInt8]) {
    guard field.count > 0, 1 + Int(field[0]) <= field.count else { return }
    let attribute = field.extracting(1..<(1 + Int(field[0])))
    let value = field.extracting((1 + Int(field[0]))..<field.count)
    guard isExtensionName(attribute) else { return }
    json.append(contentsOf: [0x2C, 0x22])
    json.appendSpan(attribute)
    json.append(contentsOf: [0x22, 0x3A])
    if JSONText.isUTF8(value) {
      JSONText.appendString(value, to: &json)
    } else {
      JSONText.appendBase64(value, to: &json)
    }
  }

  private static func isExtensionName(_ name: Span<UInt8>) -> Bool {
    guard (1...attributeNameBytesMax).contains(name.count) else { return false }
    for index in name.indices {
      guard (0x61...0x7A).contains(name[index]) || (0x30...0x39).contains(name[index]) else {
        return false
      }
    }
    return !reserved.contains(name.array)
  }
}

extension CloudEvent {
  /// JSON as it is, text as a string, all else as Base64; nothing when there is no payload.
  ///
  /// Each export has one reading: without a content type a string stands for a text, with a JSON
  /// one for a string of JSON; what would be read as the other one is Base64.
  private static func appendData(_ data: Span<UInt8>, _ seen: Seen, to json: inout [UInt8]) {
    if data.isEmpty { return }
    let isJSON = seen.isJSON && JSONCheck.isValid(data)
    if isJSON, seen.hasContentType || data[0] != 0x22 && !JSONCheck.isBlank(data[0]) {
      name("data", to: &json)
      JSONText.appendCompact(data, to: &json)
    } else if !isJSON, !(seen.isJSON && seen.hasContentType), JSONText.isUTF8(data) {
      member("data", data, to: &json)
    } else {
      name("data_base64", to: &json)
      JSONText.appendBase64(data, to: &json)
    }
  }

  /// True for `application/json`, `text/json` and `../..+json`, with or without parameters.
  static func isJSON(_ contentType: Span<UInt8>) -> Bool {
    var end = 0
    while end < contentType.count, contentType[end] != 0x3B { end += 1 }
    while end > 0, contentType[end - 1] == 0x20 || contentType[end - 1] == 0x09 { end -= 1 }
    guard end >= 5, let last = Word(contentType.extracting((end - 5)..<end)) else { return false }
    return last == "/JSON" || last == "+JSON"
  }

  private static func name(_ name: String, to json: inout [UInt8]) {
    json.append(contentsOf: [0x2C, 0x22])
    json.append(contentsOf: name.utf8)
    json.append(contentsOf: [0x22, 0x3A])
  }

  /// A member whose value needs no escapes.
  private static func member(_ name: String, _ value: String, to json: inout [UInt8]) {
    self.name(name, to: &json)
    json.append(0x22)
    json.append(contentsOf: value.utf8)
    json.append(0x22)
  }

  private static func member(_ name: String, _ value: Span<UInt8>, to json: inout [UInt8]) {
    self.name(name, to: &json)
    JSONText.appendString(value, to: &json)
  }
}
