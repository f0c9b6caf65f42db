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
  ///
  /// - Parameters:
  ///   - headerKey: the 64 bytes of the event's period.
  ///   - base: where in `bases` the event's base key lies.
  ///   - positions: the tenant's position tree.
  mutating func seal(
    body: ArraySlice<UInt8>, routing: Routing, header: RecordHeader, tenantID: TenantID,
    routingKeys: borrowing RoutingKeys, headerKey: borrowing SecretBytes,
    bases: borrowing BaseCache, base: Int, positions: inout PositionTree
  ) -> ByteRange {
    let subjects = header.subjects.count
    let start = records.count
    let bodyAt = start + RecordLayout.bodyAt(subjectCount: subjects)
    let end = start + RecordLayout.recordBytes(bodyBytes: body.count, subjectCount: subjects)
    records.append(contentsOf: repeatElement(0, count: bodyAt - start))
    records.append(contentsOf: body)
    records.append(contentsOf: repeatElement(0, count: end - records.count))
    let place = ByteRange(offset: start, count: end - start)
    places.append(place)

    // Moved out and back: a span of a stored property would count as an access to all of self.
    var moved = exchange(&records, with: [])
    var record = moved.mutableSpan
    Self.fill(
      &record, start..<end, bodyAt: bodyAt, suite, &nonces, &eventKey, routing: routing,
      header: header, tenantID: tenantID, routingKeys: routingKeys, headerKey: headerKey,
      bases: bases, base: base, positions: &positions)
    records = moved
    return place
  }

  /// Writes, masks and seals the record in `range`, whose body stands in it already.
  private static func fill(
    _ record: inout MutableSpan<UInt8>, _ range: Range<Int>, bodyAt: Int,
    _ suite: SingleUseAEAD.Suite, _ nonces: inout NonceSequence, _ eventKey: inout SecretBytes,
    routing: Routing, header: RecordHeader, tenantID: TenantID,
    routingKeys: borrowing RoutingKeys, headerKey: borrowing SecretBytes,
    bases: borrowing BaseCache, base: Int, positions: inout PositionTree
  ) {
    let (start, end) = (range.lowerBound, range.upperBound)
    let subjects = header.subjects.count
    record[start] = RecordLayout.version
    record[start + 1] = suite.rawValue
    nonces.next(into: &record, at: start + RecordLayout.nonceAt)
    routing.write(to: &record, at: start + RecordLayout.routing.lowerBound)
    routingKeys.close(&record, at: start)
    header.write(to: &record, at: start + RecordLayout.header.lowerBound)
    if subjects > 2 { header.writeSecond(to: &record, at: start + RecordLayout.regionAt) }
    if TestHooks.variant == "record-clear" { return }
    HeaderMask.close(&record, at: start, hasSecondBlock: subjects > 2, key: headerKey)
    deriveKey(
      into: &eventKey, base: bases.key(at: base), leaf: positions.leaf(routing.position),
      record: record.span.extracting(start..<bodyAt), tenantID, routing.position)
    record.set(
      eventKey.bytes.extracting(32..<64), at: start + RecordLayout.commitment.lowerBound)
    SingleUseAEAD.seal(
      &record, body: bodyAt..<(end - RecordLayout.tagBytes), authenticated: start..<bodyAt,
      key: eventKey.bytes.extracting(0..<32), suite: suite)
  }

  private static func deriveKey(
    into eventKey: inout SecretBytes, base: Span<UInt8>, leaf: Span<UInt8>, record: Span<UInt8>,
    _ tenantID: TenantID, _ position: UInt64
  ) {
    var key = eventKey.mutableBytes
    EventKeys.eventKey(
      into: &key, base: base, leaf: leaf,
      nonce: record.extracting(RecordLayout.nonceAt..<(RecordLayout.nonceAt + 16)),
      tenant: tenantID, position: position)
  }

  /// The record at a place that ``seal`` returned.
  @_lifetime(borrow self)
  borrowing func record(at place: ByteRange) -> Span<UInt8> {
    records.span.extracting(place.range)
  }
}
