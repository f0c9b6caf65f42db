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

  init(suite: SingleUseAEAD.Suite) { self.suite = suite }

  /// Draws a fresh nonce, for a commit.
  mutating func begin() { nonces = NonceSequence() }

  /// Wipes the key of the last event.
  mutating func forget() { eventKey = SecretBytes(zeroes: 64) }

  /// Seals the event and appends its record to `commit`.
  ///
  /// `headerKey` are the 64 bytes of the event's period, `base` is where in `bases` the event's base
  /// key lies, and `positions` is the tenant's position tree.
  mutating func seal(
    body: Span<UInt8>, routing: Routing, header: RecordHeader, tenantID: TenantID,
    routingKeys: borrowing RoutingKeys, headerKey: borrowing SecretBytes,
    bases: borrowing BaseCache, base: Int, positions: inout PositionTree,
    into commit: SealedCommit
  ) {
    // Moved out and back, so that the buffer is written in place.
    var records = exchange(&commit.records, with: [])
    let subjects = header.subjects.count
    let start = records.count
    let bodyAt = start + RecordLayout.bodyAt(subjectCount: subjects)
    let end =
      start + RecordLayout.recordBytes(bodyBytes: body.count, subjectCount: subjects)
    records.append(contentsOf: repeatElement(0, count: end - start))
    commit.places.append(ByteRange(offset: start, count: end - start))

    var record = records.mutableSpan
    record.set(body, at: bodyAt)
    Self.fill(
      &record, start..<end, bodyAt: bodyAt, suite, &nonces, &eventKey, routing: routing,
      header: header, tenantID: tenantID, routingKeys: routingKeys, headerKey: headerKey,
      bases: bases, base: base, positions: &positions)
    commit.records = records
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
    #if DEBUG
      if TestHooks.isVariant("record-clear") { return }
    #endif
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
}
