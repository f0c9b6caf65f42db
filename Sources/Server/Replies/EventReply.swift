import EventModel
import EventStore
import RESP

/// An event as readers get it: a map of fifteen fields.
///
/// A page has a thousand of them, so what stands between two values is one constant, and room is
/// asked for once an event.
enum EventReply {
  /// Most bytes of an event's reply beside its body and its attributes: keys, numbers, times.
  private static let envelopeBytes = 768

  /// Appends the map of one event; `body` is empty when the event is not live.
  static func append(
    _ event: ReadEvent, body: Span<UInt8>, stream: Span<UInt8>? = nil, _ encoder: ReplyEncoder,
    to bytes: inout [UInt8]
  ) {
    var stored = StoredTime()
    append(event, body: body, stream: stream, encoder, &stored, to: &bytes)
  }

  /// The same for one event of many, which share the text of the time when they were stored.
  static func append(
    _ event: ReadEvent, body: Span<UInt8>, stream: Span<UInt8>?, _ encoder: ReplyEncoder,
    _ stored: inout StoredTime, to bytes: inout [UInt8]
  ) {
    stored.set(event.storedMilliseconds)
    let time = stored.text
    guard let fields = BodyFields(body) else {
      bytes.append(addingCapacity: envelopeBytes + (stream?.count ?? 0)) { output in
        writeHead(event, encoder, &output)
        writeGone(event, stream: stream, time.span, encoder, &output)
      }
      return
    }
    // Each attribute is two bulks where the body has two lengths.
    let room = envelopeBytes + body.count + 2 * fields.attributeCount * ReplyEncoder.partBytes
    bytes.append(addingCapacity: room) { output in
      writeHead(event, encoder, &output)
      writeOpened(event, body, fields, time.span, encoder, &output)
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

/// The text of a stored time, kept since the events of one commit have the same.
struct StoredTime: Sendable {
  private var milliseconds: Int64 = 0
  private(set) var text: InlineArray<24, UInt8>

  init() { text = Self.text(0) }

  mutating func set(_ milliseconds: Int64) {
    guard milliseconds != self.milliseconds else { return }
    self.milliseconds = milliseconds
    text = Self.text(milliseconds)
  }

  private static func text(_ milliseconds: Int64) -> InlineArray<24, UInt8> {
    InlineArray { output in Timestamp.append(milliseconds, to: &output) }
  }
}

extension EventReply {
  @_lifetime(output: copy output)
  private static func writeHead(
    _ event: ReadEvent, _ encoder: ReplyEncoder, _ output: inout OutputSpan<UInt8>
  ) {
    output.append(
      encoder.version == .resp3
        ? "%15\r\n$8\r\nposition\r\n:" : "*30\r\n$8\r\nposition\r\n:")
    DecimalNumber.append(event.position, to: &output)
    output.append("\r\n$7\r\nversion\r\n:")
    DecimalNumber.append(event.version, to: &output)
    output.append("\r\n$6\r\nstream\r\n")
  }

  @_lifetime(output: copy output)
  private static func writeOpened(
    _ event: ReadEvent, _ body: Span<UInt8>, _ fields: BodyFields, _ stored: Span<UInt8>,
    _ encoder: ReplyEncoder, _ output: inout OutputSpan<UInt8>
  ) {
    write(body, fields.stream, encoder, &output)
    output.append("$4\r\ntype\r\n")
    write(body, fields.type, encoder, &output)
    output.append("$2\r\nid\r\n")
    writeID(body, fields, encoder, &output)
    output.append("$6\r\nsource\r\n")
    write(body, fields.source, encoder, &output)
    output.append("$4\r\ntime\r\n")
    if let time = fields.time {
      encoder.bulk(body.extracting(time), to: &output)
    } else {
      encoder.bulk(stored, to: &output)
    }
    output.append("$6\r\nstored\r\n$24\r\n")
    output.append(copying: stored)
    output.append("\r\n$5\r\nstate\r\n")
    output.append(event.state == .live ? "$4\r\nlive\r\n" : "$10\r\nrestricted\r\n")
    output.append("$11\r\ndatasubject\r\n")
    writeSubjects(body, fields, encoder, &output)
    output.append("$9\r\ncesubject\r\n")
    write(body, fields.cloudEventsSubject, encoder, &output)
    output.append("$7\r\ncontent\r\n")
    write(body, fields.contentType, encoder, &output)
    output.append("$6\r\nschema\r\n")
    write(body, fields.schema, encoder, &output)
    output.append("$4\r\ndata\r\n")
    encoder.bulk(body.extracting(fields.data), to: &output)
    output.append("$5\r\nattrs\r\n")
    writeAttributes(body, fields, encoder, &output)
  }

  /// The place of an event whose content is gone or may not be shown.
  @_lifetime(output: copy output)
  private static func writeGone(
    _ event: ReadEvent, stream: Span<UInt8>?, _ stored: Span<UInt8>, _ encoder: ReplyEncoder,
    _ output: inout OutputSpan<UInt8>
  ) {
    let isRestricted = event.state == .restricted
    if let stream { encoder.bulk(stream, to: &output) } else { encoder.null(to: &output) }
    output.append("$4\r\ntype\r\n")
    output.append(isRestricted ? "$11\r\n$restricted\r\n" : "$7\r\n$erased\r\n")
    output.append("$2\r\nid\r\n")
    encoder.null(to: &output)
    output.append("$6\r\nsource\r\n")
    encoder.null(to: &output)
    output.append("$4\r\ntime\r\n")
    encoder.null(to: &output)
    output.append("$6\r\nstored\r\n")
    encoder.bulk(stored, to: &output)
    output.append("$5\r\nstate\r\n")
    output.append(isRestricted ? "$10\r\nrestricted\r\n" : "$6\r\nerased\r\n")
    output.append("$11\r\ndatasubject\r\n")
    encoder.null(to: &output)
    output.append("$9\r\ncesubject\r\n")
    encoder.null(to: &output)
    output.append("$7\r\ncontent\r\n")
    encoder.null(to: &output)
    output.append("$6\r\nschema\r\n")
    encoder.null(to: &output)
    output.append("$4\r\ndata\r\n")
    encoder.null(to: &output)
    output.append("$5\r\nattrs\r\n")
    encoder.null(to: &output)
  }

  @_lifetime(output: copy output)
  private static func write(
    _ body: Span<UInt8>, _ place: Range<Int>?, _ encoder: ReplyEncoder,
    _ output: inout OutputSpan<UInt8>
  ) {
    guard let place else { return encoder.null(to: &output) }
    encoder.bulk(body.extracting(place), to: &output)
  }

  @_lifetime(output: copy output)
  private static func writeID(
    _ body: Span<UInt8>, _ fields: BodyFields, _ encoder: ReplyEncoder,
    _ output: inout OutputSpan<UInt8>
  ) {
    guard let uuid = fields.uuid, uuid.count == 16 else {
      return write(body, fields.id, encoder, &output)
    }
    output.append("$36\r\n")
    EventUUID.appendText(body.extracting(uuid), to: &output)
    output.append("\r\n")
  }

  /// Nothing when the event is impersonal, the person, or a list when there are several.
  @_lifetime(output: copy output)
  private static func writeSubjects(
    _ body: Span<UInt8>, _ fields: BodyFields, _ encoder: ReplyEncoder,
    _ output: inout OutputSpan<UInt8>
  ) {
    if fields.subjectCount == 0 { return encoder.null(to: &output) }
    if fields.subjectCount > 1 { encoder.array(fields.subjectCount, to: &output) }
    for index in 0..<fields.subjectCount {
      encoder.bulk(body.extracting(fields.subjects[index]), to: &output)
    }
  }

  @_lifetime(output: copy output)
  private static func writeAttributes(
    _ body: Span<UInt8>, _ fields: BodyFields, _ encoder: ReplyEncoder,
    _ output: inout OutputSpan<UInt8>
  ) {
    encoder.map(fields.attributeCount, to: &output)
    guard fields.attributeCount > 0 else { return }
    fields.reader.forEachField(in: body) { tag, place in
      guard tag == BodyField.attribute.rawValue, let parts = BodyFields.split(place, in: body)
      else { return }
      encoder.bulk(body.extracting(parts.name), to: &output)
      encoder.bulk(body.extracting(parts.value), to: &output)
    }
  }
}
