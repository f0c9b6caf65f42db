import EventModel
import Keyring
import Sodium
import Storage

/// Seals one event after the other into one buffer, as the log stores them.
struct EventSealer: ~Copyable {
  /// Key and commitment of the event being sealed.
  private var eventKey = SecretBytes(zeroes: 64)
  private let suite: SingleUseAEAD.Suite
  private var nonces = NonceSequence()
  /// The sealed records, one behind the other.
  private(set) var records: [UInt8] = []
  /// Where each of them lies.
  private(set) var places: [ByteRange] = []

  init(suite: SingleUseAEAD.Suite) { self.suite = suite }

  /// Empties the buffer and draws a fresh nonce.
  mutating func begin() {
    records.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
    nonces = NonceSequence()
  }

  /// Seals the event and appends its record; returns the record's place.
  mutating func seal(
    body: ArraySlice<UInt8>, routing: Routing, header: RecordHeader, routingKeys: borrowing RoutingKeys,
    headerKey: Span<UInt8>, base: Span<UInt8>, leaf: Span<UInt8>, tenantID: TenantID
  ) -> ByteRange {
    let start = records.count
    let subjects = header.subjects.count
    let bodyAt = start + RecordLayout.bodyAt(subjectCount: subjects)
    let end = start + RecordLayout.recordBytes(bodyBytes: body.count, subjectCount: subjects)
    records.append(contentsOf: repeatElement(0, count: bodyAt - start))
    records.append(contentsOf: body)
    records.append(contentsOf: repeatElement(0, count: end - records.count))

    var record = records.mutableSpan
    record[start] = RecordLayout.version
    record[start + 1] = suite.rawValue
    nonces.next(into: &record, at: start + RecordLayout.nonceAt)
    routing.write(to: &record, at: start + RecordLayout.routing.lowerBound)
    routingKeys.close(&record, at: start)
    header.write(to: &record, at: start + RecordLayout.header.lowerBound)
    if subjects > 2 { header.writeSecond(to: &record, at: start + RecordLayout.regionAt) }
    if TestHooks.variant == "record-clear" {
      return finish(start, end)
    }
    HeaderMask.close(&record, at: start, hasSecondBlock: subjects > 2, key: headerKey)

    var key = eventKey.mutableBytes
    let nonce = record.span.extracting(
      (start + RecordLayout.nonceAt)..<(start + RecordLayout.nonceAt + 16))
    EventKeys.eventKey(
      into: &key, base: base, leaf: leaf, nonce: nonce, tenant: tenantID,
      position: routing.position)
    record.set(eventKey.bytes.extracting(32..<64), at: start + RecordLayout.commitment.lowerBound)
    SingleUseAEAD.seal(
      &record, body: bodyAt..<(end - RecordLayout.tagBytes), authenticated: start..<bodyAt,
      key: eventKey.bytes.extracting(0..<32), suite: suite)
    return finish(start, end)
  }

  private mutating func finish(_ start: Int, _ end: Int) -> ByteRange {
    let place = ByteRange(offset: start, count: end - start)
    places.append(place)
    return place
  }

  /// The record at a place that ``seal(body:routing:header:routingKeys:headerKey:base:leaf:tenantID:)``
  /// returned.
  @_lifetime(borrow self)
  borrowing func record(at place: ByteRange) -> Span<UInt8> {
    records.span.extracting(place.range)
  }
}
