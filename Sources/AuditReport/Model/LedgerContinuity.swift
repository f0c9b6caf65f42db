/// The ledger as the bundle has it: which entries are there, and what is signed of them.
package struct LedgerContinuity: Hashable, Sendable {
  /// A signed size of the ledger.
  package struct Checkpoint: Hashable, Sendable {
    package let milliseconds: Int64
    package let size: UInt64
    /// Its signature and its root were right.
    package let isSound: Bool

    package init(milliseconds: Int64, size: UInt64, isSound: Bool) {
      self.milliseconds = milliseconds
      self.size = size
      self.isSound = isSound
    }
  }

  /// How often one kind of act was done, and refused.
  package struct ActCount: Hashable, Sendable {
    /// As the commands call it.
    package let name: String
    package let done: UInt64
    package let refused: UInt64

    package init(name: String, done: UInt64, refused: UInt64 = 0) {
      self.name = name
      self.done = done
      self.refused = refused
    }
  }

  /// Entries that the newest checkpoint signs.
  package let size: UInt64
  /// Those that the bundle has, from 1, in ascending ranges.
  package let present: [ClosedRange<UInt64>]
  package let checkpoints: [Checkpoint]
  /// How many of those that are there were written on each day (since 1970).
  package let days: [Int64: UInt64]
  package let acts: [ActCount]

  package init(
    size: UInt64, present: [ClosedRange<UInt64>], checkpoints: [Checkpoint],
    days: [Int64: UInt64], acts: [ActCount]
  ) {
    self.size = size
    self.present = present
    self.checkpoints = checkpoints
    self.days = days
    self.acts = acts
  }

  /// The entries that are not there although signed.
  package var gaps: [ClosedRange<UInt64>] {
    var gaps: [ClosedRange<UInt64>] = []
    var next: UInt64 = 1
    for range in present where range.upperBound >= next {
      if range.lowerBound > next { gaps.append(next...(range.lowerBound - 1)) }
      guard range.upperBound < UInt64.max else { return gaps }
      next = range.upperBound + 1
    }
    if next <= size { gaps.append(next...size) }
    return gaps
  }
}
