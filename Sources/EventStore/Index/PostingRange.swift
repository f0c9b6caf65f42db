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
    #if DEBUG
      if TestHooks.isVariant("range-end") {
        return posting.sequence >= sequences.upperBound || posting.ordinal > ordinals.upperBound
      }
    #endif
    return posting.sequence > sequences.upperBound || posting.ordinal > ordinals.upperBound
  }
}
