import EventModel
import Sodium
import TransparencyLog

/// What is left of a record whose event was shredded while its period lives: what versions and the
/// index are rebuilt from, and the hash of the record as it was (Docs/Format.md, section 5.1).
enum BareRecord {
  /// Makes one of a whole record, which ``RoutingKeys/closeBare(_:)`` tags; the second block of the
  /// header stays if it `hasSecondBlock`.
  static func untagged(of record: Span<UInt8>, hasSecondBlock: Bool) -> [UInt8] {
    var bare = record.extracting(0..<RecordLayout.commitment.lowerBound).array
    bare += RecordHash.sha256(record).hash.bytes
    if hasSecondBlock {
      let second = RecordLayout.regionAt..<(RecordLayout.regionAt + RecordLayout.secondBlockBytes)
      bare.appendSpan(record.extracting(second))
    }
    bare[1] = RecordLayout.bareSuite
    return bare
  }

  /// True when a bare record can have so many bytes.
  static func mayHave(_ count: Int) -> Bool {
    count == RecordLayout.regionAt
      || count == RecordLayout.regionAt + RecordLayout.secondBlockBytes
  }
}
