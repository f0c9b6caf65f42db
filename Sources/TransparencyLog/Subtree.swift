/// A perfect subtree of a log: 2^height leaves, beginning at a multiple of that.
///
/// Its hash never changes again, however the log grows, so it can be stored.
package struct Subtree: Hashable, Sendable {
  package let height: Int
  /// Counted among those of the same height, from the left.
  package let index: UInt64

  package init(height: Int, index: UInt64) {
    self.height = height
    self.index = index
  }

  /// The two that it is made of.
  var halves: (left: Subtree, right: Subtree) {
    precondition(height > 0, "a leaf has no halves")
    return (
      Subtree(height: height - 1, index: 2 * index),
      Subtree(height: height - 1, index: 2 * index + 1)
    )
  }

  /// The least number of leaves of a log that has it.
  var leavesEnd: UInt64 { (index + 1) << UInt64(height) }

  /// The largest ones that `leaves` consist of, from the left.
  ///
  /// `leaves` begin at a multiple of a power of two that is not less than their count, as every node of
  /// a tree does.
  static func all(in leaves: Range<UInt64>) -> [Subtree] {
    var found: [Subtree] = []
    var start = leaves.lowerBound
    while start < leaves.upperBound {
      let room = 63 - (leaves.upperBound - start).leadingZeroBitCount
      let height = min(room, start == 0 ? room : start.trailingZeroBitCount)
      found.append(Subtree(height: height, index: start >> UInt64(height)))
      start += 1 << UInt64(height)
    }
    return found
  }
}

/// Which nodes of a tree make a proof (RFC 6962, section 2.1), as the leaves under them.
package enum ProofNodes {
  /// The nodes that lead from a leaf, counted from 0, to the root over `size` leaves; the lowest first.
  package static func inclusion(of leaf: UInt64, size: UInt64) -> [Range<UInt64>] {
    precondition(leaf < size, "the leaf is not in the log")
    var nodes: [Range<UInt64>] = []
    var rest = 0..<size
    while rest.upperBound - rest.lowerBound > 1 {
      let middle = rest.lowerBound + split(rest)
      if leaf < middle {
        nodes.append(middle..<rest.upperBound)
        rest = rest.lowerBound..<middle
      } else {
        nodes.append(rest.lowerBound..<middle)
        rest = middle..<rest.upperBound
      }
    }
    return nodes.reversed()
  }

  /// The nodes that show that the log of `old` leaves is the beginning of that of `new`.
  package static func consistency(from old: UInt64, to new: UInt64) -> [Range<UInt64>] {
    precondition(old > 0 && old <= new, "the older log is not empty, nor longer")
    var nodes: [Range<UInt64>] = []
    var rest = 0..<new
    while rest.upperBound != old {
      let middle = rest.lowerBound + split(rest)
      if old <= middle {
        nodes.append(middle..<rest.upperBound)
        rest = rest.lowerBound..<middle
      } else {
        nodes.append(rest.lowerBound..<middle)
        rest = middle..<rest.upperBound
      }
    }
    // The old root itself is known to whoever asks.
    if rest.lowerBound > 0 { nodes.append(rest) }
    return nodes.reversed()
  }

  /// The largest power of two below the number of leaves.
  private static func split(_ leaves: Range<UInt64>) -> UInt64 {
    1 << UInt64(63 - (leaves.upperBound - leaves.lowerBound - 1).leadingZeroBitCount)
  }
}
