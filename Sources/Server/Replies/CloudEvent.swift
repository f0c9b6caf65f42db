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

  /// Most bytes of an event's JSON beside its fields and its data: names, numbers, times.
  private static let envelopeBytes = 512
  /// Most bytes of a member beside its value.
  private static let memberBytes = 48

  /// Appends the object; `body` is empty when the event is not live.
  static func append(
    _ event: ReadEvent, body: Span<UInt8>, stream: Span<UInt8>? = nil, tenant: TenantName,
    to json: inout [UInt8]
  ) {
    var stored = StoredTime()
    append(event, body: body, stream: stream, tenant: tenant, &stored, to: &json)
  }

  /// The same for one event of many, which share the text of the time when they were stored.
  ///
  /// Room is asked for once an event, when all is known that decides about it.
  static func append(
    _ event: ReadEvent, body: Span<UInt8>, stream: Span<UInt8>?, tenant: TenantName,
    _ stored: inout StoredTime, to json: inout [UInt8]
  ) {
    stored.set(event.storedMilliseconds)
    let time = stored.text
    guard let reader = EventBodyReader(body) else {
      var room = envelopeBytes
      if let stream { room += JSONText.escapedCount(stream) }
      return json.append(addingCapacity: room) { output in
        writePlace(event, time.span, to: &output)
        writeGone(event, stream: stream, tenant, to: &output)
      }
    }
    let seen = Seen(reader, body)
    json.append(addingCapacity: envelopeBytes + seen.room) { output in
      writePlace(event, time.span, to: &output)
      output.append(
        event.state == .live ? ",\"state\":\"live\"" : ",\"state\":\"restricted\"")
      var subjectCount: UInt64 = 0
      reader.forEachField(in: body) { tag, place in
        guard let field = BodyField(rawValue: tag) else { return }
        write(field, body.extracting(place), &subjectCount, to: &output)
      }
      if !seen.hasSource { writeSource(tenant, to: &output) }
      if !seen.hasTime { write(",\"time\":", time.span, to: &output) }
      writeData(body.extracting(reader.data), seen.form, to: &output)
      output.append(0x7D)
    }
  }

  /// What decides about the rest, and about how much room it takes.
  private struct Seen {
    var hasSource = false
    var hasTime = false
    /// What CloudEvents take when no content type is given.
    var isJSON = true
    var hasContentType = false
    var form = DataForm.none
    var room = 0

    init(_ reader: EventBodyReader, _ body: Span<UInt8>) {
      var found = self
      reader.forEachField(in: body) { tag, place in
        found.take(tag, body.extracting(place))
      }
      self = found
      let data = body.extracting(reader.data)
      form = DataForm(data, isJSON: isJSON, hasContentType: hasContentType)
      room += form.room(for: data)
    }

    private mutating func take(_ tag: UInt8, _ value: Span<UInt8>) {
      room += memberBytes + JSONText.escapedCount(value)
      switch BodyField(rawValue: tag) {
      case .uuid: room += EventUUID.textBytes
      case .source: hasSource = true
      case .time: hasTime = true
      case .contentType:
        hasContentType = true
        isJSON = CloudEvent.isJSON(value)
      case .attribute: room += JSONText.base64Count(value.count)
      default: break
      }
    }
  }

  @_lifetime(json: copy json)
  private static func write(
    _ field: BodyField, _ value: Span<UInt8>, _ subjectCount: inout UInt64,
    to json: inout OutputSpan<UInt8>
  ) {
    switch field {
    case .stream: write(",\"stream\":", value, to: &json)
    case .type: write(",\"type\":", value, to: &json)
    case .dataSubject:
      subjectCount += 1
      json.append(",\"datasubject")
      if subjectCount > 1 { DecimalNumber.append(subjectCount, to: &json) }
      write("\":", value, to: &json)
    case .id: write(",\"id\":", value, to: &json)
    case .uuid:
      guard value.count == 16 else { return }
      json.append(",\"id\":\"")
      EventUUID.appendText(value, to: &json)
      json.append(0x22)
    case .source: write(",\"source\":", value, to: &json)
    case .cloudEventsSubject: write(",\"subject\":", value, to: &json)
    case .time: write(",\"time\":", value, to: &json)
    case .contentType: write(",\"datacontenttype\":", value, to: &json)
    case .schema: write(",\"dataschema\":", value, to: &json)
    case .attribute: writeAttribute(value, to: &json)
    }
  }

  @_lifetime(json: copy json)
  private static func writePlace(
    _ event: ReadEvent, _ stored: Span<UInt8>, to json: inout OutputSpan<UInt8>
  ) {
    json.append("{\"specversion\":\"1.0\",\"sequence\":\"")
    DecimalNumber.appendPadded(event.version, to: &json)
    json.append("\",\"position\":\"")
    DecimalNumber.append(event.position, to: &json)
    json.append("\",\"storedtime\":\"")
    json.append(copying: stored)
    json.append(0x22)
  }

  /// The place of an event whose content is gone or may not be shown.
  @_lifetime(json: copy json)
  private static func writeGone(
    _ event: ReadEvent, stream: Span<UInt8>?, _ tenant: TenantName,
    to json: inout OutputSpan<UInt8>
  ) {
    json.append(",\"id\":\"position-")
    DecimalNumber.append(event.position, to: &json)
    json.append(0x22)
    writeSource(tenant, to: &json)
    json.append(
      event.state == .restricted
        ? ",\"type\":\"$restricted\",\"state\":\"restricted\""
        : ",\"type\":\"$erased\",\"state\":\"erased\"")
    if let stream { write(",\"stream\":", stream, to: &json) }
    json.append(0x7D)
  }

  @_lifetime(json: copy json)
  private static func writeSource(_ tenant: TenantName, to json: inout OutputSpan<UInt8>) {
    json.append(",\"source\":\"urn:lethe:")
    json.append(copying: tenant.bytes.span)
    json.append(0x22)
  }

  /// An attribute as an extension, when its name may be one.
  @_lifetime(json: copy json)
  private static func writeAttribute(_ field: Span<UInt8>, to json: inout OutputSpan<UInt8>) {
    guard field.count > 0, 1 + Int(field[0]) <= field.count else { return }
    let attribute = field.extracting(1..<(1 + Int(field[0])))
    let value = field.extracting((1 + Int(field[0]))..<field.count)
    guard isExtensionName(attribute) else { return }
    json.append(",\"")
    json.append(copying: attribute)
    json.append("\":")
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
  private enum DataForm {
    case none
    case json
    case text
    case base64

    init(_ data: Span<UInt8>, isJSON: Bool, hasContentType: Bool) {
      guard !data.isEmpty else {
        self = .none
        return
      }
      let isText = JSONText.isUTF8(data)
      let isValid = isText && isJSON && JSONCheck.isValid(utf8: data)
      if isValid, hasContentType || data[0] != 0x22 && !JSONCheck.isBlank(data[0]) {
        self = .json
      } else if isText, !isValid, !(isJSON && hasContentType) {
        self = .text
      } else {
        self = .base64
      }
    }

    /// Most bytes of the member's value.
    func room(for data: Span<UInt8>) -> Int {
      switch self {
      case .none: 0
      case .json: data.count
      case .text: JSONText.escapedCount(data)
      case .base64: JSONText.base64Count(data.count)
      }
    }
  }

  @_lifetime(json: copy json)
  private static func writeData(
    _ data: Span<UInt8>, _ form: DataForm, to json: inout OutputSpan<UInt8>
  ) {
    switch form {
    case .none: break
    case .json:
      json.append(",\"data\":")
      JSONText.appendCompact(data, to: &json)
    case .text: write(",\"data\":", data, to: &json)
    case .base64:
      json.append(",\"data_base64\":")
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

  /// A member, of which `name` is all that stands before the value.
  @_lifetime(json: copy json)
  private static func write(
    _ name: StaticString, _ value: Span<UInt8>, to json: inout OutputSpan<UInt8>
  ) {
    json.append(name)
    JSONText.appendString(value, to: &json)
  }
}
