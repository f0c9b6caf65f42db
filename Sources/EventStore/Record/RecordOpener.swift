import EventModel
import Keyring
import Sodium

/// Opens the body of one record with the secrets that it was sealed under.
enum RecordOpener {
  /// The same with the base key still in its cache and the leaf still in its tree.
  static func open(
    _ record: Span<UInt8>, subjectCount: Int, bases: borrowing BaseCache, base: Int,
    positions: inout PositionTree, tenantID: TenantID, routing: Routing,
    eventKey: inout SecretBytes, into plain: inout [UInt8]
  ) -> Int? {
    open(
      record, subjectCount: subjectCount, base: bases.key(at: base),
      leaf: positions.leaf(routing.position), tenantID: tenantID, position: routing.position,
      eventKey: &eventKey, into: &plain)
  }

  /// Writes the key and the commitment (64 bytes) of the event of a record.
  static func eventKey(
    _ record: Span<UInt8>, bases: borrowing BaseCache, base: Int, positions: inout PositionTree,
    tenantID: TenantID, routing: Routing, into eventKey: inout SecretBytes
  ) {
    var key = eventKey.mutableBytes
    EventKeys.eventKey(
      into: &key, base: bases.key(at: base), leaf: positions.leaf(routing.position),
      nonce: record.extracting(RecordLayout.nonceAt..<(RecordLayout.nonceAt + 16)),
      tenant: tenantID, position: routing.position)
  }

  /// Writes the padded body into `plain` and returns its length; nil when the record was changed,
  /// moved, or sealed under other keys (the commitment says so before the cipher is tried).
  static func open(
    _ record: Span<UInt8>, subjectCount: Int, base: Span<UInt8>, leaf: Span<UInt8>,
    tenantID: TenantID, position: UInt64, eventKey: inout SecretBytes, into plain: inout [UInt8]
  ) -> Int? {
    guard record.count >= RecordLayout.overheadBytes else { return nil }
    var key = eventKey.mutableBytes
    EventKeys.eventKey(
      into: &key, base: base, leaf: leaf,
      nonce: record.extracting(RecordLayout.nonceAt..<(RecordLayout.nonceAt + 16)),
      tenant: tenantID, position: position)
    guard
      ConstantTime.areEqual(
        eventKey.bytes.extracting(32..<64), record.extracting(RecordLayout.commitment))
    else { return nil }
    return open(
      record, subjectCount: subjectCount, key: eventKey.bytes.extracting(0..<32), into: &plain)
  }

  /// The same with the event's own key, 32 bytes.
  static func open(
    _ record: Span<UInt8>, subjectCount: Int, key: Span<UInt8>, into plain: inout [UInt8]
  ) -> Int? {
    let bodyAt = RecordLayout.bodyAt(subjectCount: subjectCount)
    guard record.count >= bodyAt + RecordLayout.tagBytes,
      let suite = SingleUseAEAD.Suite(rawValue: record[1])
    else { return nil }
    let count = record.count - bodyAt - RecordLayout.tagBytes
    if plain.count < count {
      plain.append(contentsOf: repeatElement(0, count: count - plain.count))
    }
    var output = plain.mutableSpan
    let body = bodyAt..<(bodyAt + count)
    let isOpen =
      suite == .aes256GCM && !SodiumLibrary.hasAES256GCM
      ? PortableAES.open(
        record, body: body, authenticated: 0..<bodyAt, key: key, into: &output)
      : SingleUseAEAD.open(
        record, body: body, authenticated: 0..<bodyAt, key: key, suite: suite, into: &output, at: 0)
    return isOpen ? count : nil
  }
}
