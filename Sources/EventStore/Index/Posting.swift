package import EventModel
import Sodium

/// Where something was found: a record of the log, and its place within the term.
package struct Posting: Hashable, Sendable, BitwiseCopyable {
  /// The record's global sequence, 48 bits.
  package var sequence: UInt64
  /// The position in a feed, the version in a stream, an id's fingerprint in a day's bucket
  /// (``IDTerm/fingerprint``), 0 elsewhere; 48 bits.
  package var ordinal: UInt64

  package init(sequence: UInt64, ordinal: UInt64) {
    self.sequence = sequence
    self.ordinal = ordinal
  }
}

/// A posting under the tag of its term, in the bucket in which it dies.
package struct TaggedPosting: Hashable, Sendable {
  /// What ``tag(termKey:bucket:)`` gives.
  ///
  /// Two terms may share one, so whoever finds a record checks that it has the term.
  package var tag: UInt64
  package var bucket: Bucket
  package var posting: Posting

  package init(tag: UInt64, bucket: Bucket, posting: Posting) {
    self.tag = tag
    self.bucket = bucket
    self.posting = posting
  }

  /// SIP64(term key; bucket u16): what a term (a feed, a stream, a person) is called in one bucket.
  ///
  /// Without the term's key (16 bytes), which dies with its person or stream, it cannot be found.
  package static func tag(termKey: Span<UInt8>, bucket: Bucket) -> UInt64 {
    let message: InlineArray<2, UInt8> = [
      UInt8(bucket.number >> 8), UInt8(truncatingIfNeeded: bucket.number),
    ]
    return SipHash.tag64(message.span, key: termKey)
  }
}
