package import EventModel
package import Sodium

/// How the keys of events and headers come from keys that can be destroyed (Docs/Format.md,
/// section 4.4).
///
/// Each input is random in the key tree or a punctured seed, so that losing any one of them loses
/// the event; the formulas themselves keep nothing.
package enum EventKeys {
  private static let headerContext = KeyDerivation.Context("LT1.hdr.key")
  private static let baseContext = KeyDerivation.Context("LT1.ev.base")
  private static let eventContext = KeyDerivation.Context("LT1.ev.key")

  /// The 64 bytes that mask the headers of a period's records: 32 for each of the two blocks.
  package static func headerKey(period: Span<UInt8>, dataSecret: Span<UInt8>) -> SecretBytes {
    KeyDerivation.secret(count: 64, key: period, context: headerContext, message: dataSecret)
  }

  /// Writes the base key (32 bytes) of a stream's events about the same persons in one period.
  ///
  /// `subjects` are the keys of the data subjects, 32 bytes each, ascending by slot; empty for events
  /// about nobody, which take `impersonal` in their place.
  package static func base(
    into base: inout MutableSpan<UInt8>, period: Span<UInt8>, stream: Span<UInt8>,
    subjects: Span<UInt8>, impersonal: Span<UInt8>, dataSecret: Span<UInt8>
  ) {
    precondition(subjects.count % 32 == 0 && subjects.count <= 32 * Limits.subjectsMax)
    precondition(base.count == 32 && stream.count == 32 && dataSecret.count == 32)
    precondition(impersonal.count == 32, "keys have 32 bytes")
    let persons = subjects.count == 0 ? impersonal : subjects
    var message = SecretBytes(zeroes: 1 + 32 + persons.count + 32)
    var bytes = message.mutableBytes
    bytes[0] = UInt8(subjects.count / 32)
    bytes.set(stream, at: 1)
    bytes.set(persons, at: 33)
    bytes.set(dataSecret, at: 33 + persons.count)
    KeyDerivation.derive(into: &base, key: period, context: baseContext, message: message.bytes)
  }

  /// Writes an event's key and commitment (32 bytes each); called once an event, allocates nothing.
  ///
  /// `leaf` is the position's, from ``PositionTree``; `nonce` are the record's 16 bytes.
  package static func eventKey(
    into output: inout MutableSpan<UInt8>, base: Span<UInt8>, leaf: Span<UInt8>,
    nonce: Span<UInt8>, tenant: TenantID, position: UInt64
  ) {
    precondition(output.count == 64 && leaf.count == 32 && nonce.count == 16)
    var storage = InlineArray<72, UInt8>(repeating: 0)
    var message = storage.mutableSpan
    message.set(leaf, at: 0)
    message.set(nonce, at: 32)
    message.set(tenant.bytes.span, at: 48)
    message.setBigEndian(position, at: 64, bytes: 8)
    KeyDerivation.derive(into: &output, key: base, context: eventContext, message: message.span)
  }
}
