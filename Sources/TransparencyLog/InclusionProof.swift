/// The way from a leaf up to the root: that an entry stands at its place in a log (RFC 6962, section
/// 2.1.1).
package struct InclusionProof: Hashable, Sendable {
  /// The leaf's place, from 0.
  package let index: UInt64
  /// Leaves of the tree whose root the proof leads to.
  package let size: UInt64
  /// The siblings on the way, the leaf's own first.
  package let hashes: [Hash256]

  package init(index: UInt64, size: UInt64, hashes: [Hash256]) {
    self.index = index
    self.size = size
    self.hashes = hashes
  }

  /// The root to which the proof leads from `leaf`; nil when the proof has not the form of one.
  ///
  /// As RFC 9162, section 2.1.3.2, has it.
  package func root(from leaf: LeafHash) -> Hash256? {
    guard index < size else { return nil }
    var (place, last) = (index, size - 1)
    var root = leaf.hash
    for sibling in hashes {
      guard last > 0 else { return nil }
      if place & 1 == 1 || place == last {
        root = Hash256.parent(sibling, root)
        // The right edge: levels on which the subtree in hand has no sibling.
        while place & 1 == 0, place > 0 {
          place >>= 1
          last >>= 1
        }
      } else {
        root = Hash256.parent(root, sibling)
      }
      place >>= 1
      last >>= 1
    }
    return last == 0 ? root : nil
  }

  /// True when `leaf` stands at ``index`` in the log whose first ``size`` leaves have this root.
  package func proves(_ leaf: LeafHash, under root: Hash256) -> Bool {
    self.root(from: leaf) == root
  }
}
