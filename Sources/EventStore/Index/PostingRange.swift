import EventModel
#if DEBUG
  import Storage
#endif

/// Which of a term's postings are asked for: what their sequences and ordinals must lie in.
///
/// Within a term sequences always ascend and ordinals never fall, so both bound one run. Where tags
/// collide only the sequences do: whoever must miss nothing bounds by sequence.
package struct PostingRange: Hashable, Sendable {
  package var sequences: ClosedRange<UInt64>
  package var ordinals: ClosedRange<UInt64>

  package init(
    sequences: ClosedRange<UInt64> = 0...Limits.positionMax,
    ordinals: ClosedRange<UInt64> = 0...Limits.positionMax
  ) {
    self.sequences = sequences
    self.ordinals = ordinals
  }

  func isBefore(_ posting: Posting) -> Bool {
    posting.sequence < sequences.lowerBound || posting.ordinal < ordinals.lowerBound
  }

  func isBeyond(_ posting: Posting) -> Bool {
    posting.sequence > Self.end(sequences) || posting.ordinal > Self.end(ordinals)
  }

  private static func end(_ range: ClosedRange<UInt64>) -> UInt64 {
    #if DEBUG
      if TestHooks.isVariant("range-end"), range.lowerBound < range.upperBound {
        return range.upperBound - 1
      }
    #endif
    return range.upperBound
  }
}
