import EventModel
import RESP
import Sodium

@testable import EventStore
@testable import Server

/// The record decoder behind the ciphers: body, routing and header, and the masked forms as they
/// lie on the disk.
func fuzzRecords(_ bytes: [UInt8]) {
  var input = Input(bytes)
  switch input.byte() % 4 {
  case 0: fuzzBody(input.remaining)
  case 1: fuzzRouting(input.bytes(22))
  case 2: fuzzHeader(first: input.bytes(32), second: input.bytes(32))
  default: fuzzMasked(input.remaining)
  }
}

private func fuzzBody(_ body: [UInt8]) {
  let span = body.span
  if let reader = EventBodyReader(span) {
    precondition(reader.data.upperBound <= body.count, "data beyond the body")
    var last = 5
    reader.forEachField(in: span) { _, place in
      precondition(place.lowerBound == last + 3 && place.upperBound <= body.count)
      last = place.upperBound
    }
    for tag in 0...12 {
      guard let field = BodyField(rawValue: UInt8(tag)) else { continue }
      if let place = reader.place(of: field, in: span) { _ = span.extracting(place) }
    }
  }
  let event = ReadEvent(
    position: 7, version: 3, storedMilliseconds: 1_764_000_000_000, state: .live)
  var json: [UInt8] = []
  CloudEvent.append(event, body: span, tenant: TenantName("acme")!, to: &json)
  precondition(json.last == 0x7D, "a CloudEvent without an end")
  for version in [ProtocolVersion.resp2, .resp3] {
    var output: [UInt8] = []
    EventReply.append(event, body: span, ReplyEncoder(version: version), to: &output)
    var parser = ReplyParser()
    let step = try? parser.parse(output.span)
    precondition(step?.reply != nil && step?.count == output.count, "an event nobody can read")
  }
}

private func fuzzRouting(_ plain: [UInt8]) {
  guard let routing = Routing(plain.span, at: 0) else { return }
  var again = [UInt8](repeating: 0, count: 22)
  var span = again.mutableSpan
  routing.write(to: &span, at: 0)
  precondition(again == plain, "routing fields that read differently than they are written")
}

private func fuzzHeader(first: [UInt8], second: [UInt8]) {
  _ = RecordHeader(first: first.span, second: second.span.extracting(0..<0))
  guard let header = RecordHeader(first: first.span, second: second.span) else { return }
  precondition(header.subjects.count <= Limits.subjectsMax)
  var (one, two) = ([UInt8](repeating: 0, count: 32), [UInt8](repeating: 0, count: 32))
  var span = one.mutableSpan
  header.write(to: &span, at: 0)
  span = two.mutableSpan
  header.writeSecond(to: &span, at: 0)
  precondition(
    RecordHeader(first: one.span, second: two.span) == header,
    "a header that reads differently than it is written")
}

private func fuzzMasked(_ record: [UInt8]) {
  let keys = RoutingKeys(mask: SecretBytes(zeroes: 32), tag: SecretBytes(zeroes: 16))
  _ = keys.open(record.span)
  let headerKey = SecretBytes(zeroes: 64)
  if let header = HeaderMask.open(record.span, key: headerKey) {
    precondition(RecordLayout.bodyAt(subjectCount: header.subjects.count) <= record.count)
  }
}

/// The cursors of queries: every text is either none or the only spelling of one.
func fuzzCursors(_ bytes: [UInt8]) {
  if let cursor = QueryCursor(text: bytes.span) {
    precondition(cursor.text == bytes, "two spellings of one cursor")
  }
  // Most texts are refused for their length or their first characters; these are not.
  var text = Array("AQAA".utf8)
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
  for index in 0..<(QueryCursor.textBytes - text.count) {
    text.append(alphabet[index < bytes.count ? Int(bytes[index] & 63) : 0])
  }
  guard let cursor = QueryCursor(text: text.span) else { preconditionFailure("a cursor refused") }
  precondition(cursor.text == text && cursor.kind == .ascending)
}
