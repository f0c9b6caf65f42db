import EventModel

/// SHA-256 of a record as it lies on the disk; what a purged record leaves behind.
package struct RecordHash: Hashable, Sendable {
  package let hash: Hash256

  package init(_ hash: Hash256) { self.hash = hash }

  /// Hashes a record.
  package static func sha256(_ record: Span<UInt8>) -> RecordHash {
    RecordHash(Hash256.sha256(record))
  }
}

/// A leaf of a tenant's log: SHA-256(0x00 | entry), RFC 6962 section 2.1.
package struct LeafHash: Hashable, Sendable {
  package let hash: Hash256

  /// A leaf that was kept.
  package init(_ hash: Hash256) { self.hash = hash }

  /// The leaf of an event: its entry is the position and the hash of the record, so that a purged
  /// record can still be proven to have been there.
  package init(position: UInt64, recordHash: RecordHash) {
    var message = InlineArray<41, UInt8>(repeating: 0)
    var span = message.mutableSpan
    span.setBigEndian(position, at: 1, bytes: 8)
    recordHash.hash.write(to: &span, at: 9)
    hash = Hash256.sha256(message.span)
  }

  /// The leaf of any entry.
  package init(entry: Span<UInt8>) {
    var message: [UInt8] = [0]
    message.appendSpan(entry)
    hash = Hash256.sha256(message.span)
  }
}

extension Hash256 {
  /// The node above two others: SHA-256(0x01 | left | right), RFC 6962 section 2.1.
  static func parent(_ left: Hash256, _ right: Hash256) -> Hash256 {
    var message = InlineArray<65, UInt8>(repeating: 0)
    var span = message.mutableSpan
    span[0] = 1
    left.write(to: &span, at: 1)
    right.write(to: &span, at: 33)
    return sha256(message.span)
  }
}
