import EventModel
import Sodium

/// The term of a client's id under its source (Docs/Format.md, section 4.4).
///
/// It finds two postings: one in the bucket of the month in which the event expires, for
/// `EVENT.GET ID`, and one in the bucket of the day on which it was stored, for duplicates. Hashed
/// anew for each event, so its key is a SIP128 and not a BLAKE2b, and no object.
struct IDTerm: Hashable, Sendable {
  /// The term's key, as SipHash gives it.
  let key: Tag128

  /// What hashes a tenant's ids, 16 bytes.
  static func key(mapKey: borrowing SecretBytes) -> SecretBytes {
    KeyDerivation.secret(
      count: 16, key: mapKey.bytes, context: TermKey.id,
      message: mapKey.bytes.extracting(0..<0))
  }

  /// `idKey` is the tenant's; `source` is empty when none was given; `scratch` is overwritten.
  init(
    id: Span<UInt8>, source: Span<UInt8>, idKey: borrowing SecretBytes, scratch: inout [UInt8]
  ) {
    scratch.removeAll(keepingCapacity: true)
    scratch.append(UInt8(truncatingIfNeeded: source.count >> 8))
    scratch.append(UInt8(truncatingIfNeeded: source.count))
    scratch.appendSpan(source)
    scratch.appendSpan(id)
    key = SipHash.tag128(scratch.span, key: idKey.bytes)
  }

  /// The 16 bytes of the term's key.
  var keyBytes: InlineArray<16, UInt8> {
    var bytes = InlineArray<16, UInt8>(repeating: 0)
    for index in 0..<8 {
      bytes[index] = UInt8(truncatingIfNeeded: key.low >> UInt64(8 * index))
      bytes[8 + index] = UInt8(truncatingIfNeeded: key.high >> UInt64(8 * index))
    }
    return bytes
  }

  /// The term's tag in `bucket`.
  func tag(in bucket: Bucket) -> UInt64 {
    let bytes = keyBytes
    return TaggedPosting.tag(termKey: bytes.span, bucket: bucket)
  }

  /// 48 bits that are the same in every day's bucket, so that one filter serves all days.
  ///
  /// The tag of a bucket that never is, cut; the ordinal of postings in days' buckets.
  var fingerprint: UInt64 { tag(in: Self.noBucket) & Limits.positionMax }

  private static let noBucket = Bucket(number: .max)
}
