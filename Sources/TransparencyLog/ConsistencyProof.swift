/// What an older and a newer root of one log have in common: that nothing was changed or taken out
/// between them (RFC 6962, section 2.1.2).
package struct ConsistencyProof: Hashable, Sendable {
  package let oldSize: UInt64
  package let newSize: UInt64
  /// Roots of subtrees, the smallest first.
  package let hashes: [Hash256]

  package init(oldSize: UInt64, newSize: UInt64, hashes: [Hash256]) {
    self.oldSize = oldSize
    self.newSize = newSize
    self.hashes = hashes
  }

  /// True when the log with the root `new` begins with the whole log that had the root `old`.
  ///
  /// As RFC 9162, section 2.1.4.2, has it; besides, the empty log is the beginning of every log.
  package func proves(_ old: Hash256, _ new: Hash256) -> Bool {
    guard oldSize <= newSize else { return false }
    if oldSize == 0 { return hashes.isEmpty && old == Frontier().root() }
    if oldSize == newSize { return hashes.isEmpty && old == new }
    // A perfect old tree is its own first subtree, which the proof leaves out.
    var rest = (oldSize.nonzeroBitCount == 1 ? [old] : []) + hashes
    guard !rest.isEmpty else { return false }
    let first = rest.removeFirst()
    let shared = UInt64((oldSize - 1).trailingOneBitCount)
    var (place, last) = ((oldSize - 1) >> shared, (newSize - 1) >> shared)
    var (oldRoot, newRoot) = (first, first)
    for hash in rest {
      guard last > 0 else { return false }
      if place & 1 == 1 || place == last {
        oldRoot = Hash256.parent(hash, oldRoot)
        newRoot = Hash256.parent(hash, newRoot)
        while place & 1 == 0, place > 0 {
          place >>= 1
          last >>= 1
        }
      } else {
        newRoot = Hash256.parent(newRoot, hash)
      }
      place >>= 1
      last >>= 1
    }
    return last == 0 && oldRoot == old && newRoot == new
  }
}

extension UInt64 {
  fileprivate var trailingOneBitCount: Int { (~self).trailingZeroBitCount }
}
