package import Sodium
import Storage

/// A seed from which the leaf of a position, and of its neighbours, can be derived.
package struct PositionSeed: ~Copyable {
  /// 0: the tenant's own seed, which covers every position; 12: the leaf itself.
  package let level: Int
  /// The position's first `level` digits of four bits.
  package let prefix: UInt64
  /// 32 bytes.
  package let seed: SecretBytes

  init(level: Int, prefix: UInt64, seed: consuming SecretBytes) {
    self.level = level
    self.prefix = prefix
    self.seed = seed
  }
}

/// The positions of a tenant whose leaves can be derived: all but the punctured ones.
///
/// ```
/// tenant: seed                      nothing was punctured: every position
/// tenant: node 0                    sixteen entries: seeds, and the node on the punctured path
///             `- node 1 .. node 11  the punctured leaf is in none of them
/// ```
/// A puncture writes the twelve nodes of its path under fresh keys. The old seed stands in old copies of
/// the tenant's node, which the same rotation re-keys.
struct PositionCover {
  let tenant: UInt32

  private static let levels = PositionTree.levels

  /// The seed that covers a position, or nil when it was punctured.
  func seed(
    of position: UInt64, _ root: borrowing TrieRoot, _ reader: NodeReader,
    in source: borrowing some NodeSource & ~Copyable
  ) throws(KeyringError) -> PositionSeed? {
    var reference = root.reference.copy()
    for level in 0..<Self.levels {
      let node = try open(reference, level, reader, in: source)
      let child = Self.digit(position, level)
      if node.hasSeed(child) {
        return PositionSeed(
          level: level + 1, prefix: position >> UInt64(4 * (Self.levels - 1 - level)),
          seed: SecretBytes(copying: node.seed(child)))
      }
      guard node.hasNode(child) else { return nil }
      reference = node.reference(child)
    }
    throw .corrupt
  }

  /// Takes `positions` (ascending) out; `seed` is what covered them all until now, or nil when the
  /// root has nodes already.
  func puncture(
    _ positions: ArraySlice<UInt64>, _ root: inout TrieRoot, seed: Span<UInt8>,
    _ writer: inout NodeWriter, in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    guard !positions.isEmpty else { return }
    let node =
      root.height == 0
      ? PositionNode(level: 0, expanding: seed)
      : try open(root.reference, 0, writer.reader, in: transaction)
    try puncture(positions, node, 0, &root.reference, &writer, in: &transaction)
    root.height = Self.levels
  }

  /// Takes every node of the cover out of the table.
  func removeAll(
    _ reference: borrowing NodeReference, level: Int = 0, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    let node = try open(reference, level, writer.reader, in: transaction)
    for child in 0..<PositionNode.arity where node.hasNode(child) {
      try removeAll(node.reference(child), level: level + 1, &writer, in: &transaction)
    }
    try writer.remove(reference, in: &transaction)
  }

  /// The digit of a position by which a node at `level` tells its children apart.
  private static func digit(_ position: UInt64, _ level: Int) -> Int {
    Int(position >> UInt64(4 * (levels - 1 - level)) & 15)
  }

  func open(
    _ reference: borrowing NodeReference, _ level: Int, _ reader: NodeReader,
    in source: borrowing some NodeSource & ~Copyable
  ) throws(KeyringError) -> PositionNode {
    let plain = try reader.open(reference, .positions, tenant: tenant, in: source)
    guard let node = PositionNode(plain, level: level) else { throw .corrupt }
    return node
  }

  /// Writes the node without the positions; the reference becomes zero when nothing is left.
  private func puncture(
    _ positions: ArraySlice<UInt64>, _ found: consuming PositionNode, _ level: Int,
    _ reference: inout NodeReference, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    var node = found
    var rest = positions
    while let first = rest.first {
      let child = Self.digit(first, level)
      let end = rest.firstIndex { Self.digit($0, level) != child } ?? rest.endIndex
      let below = rest[rest.startIndex..<end]
      rest = rest[end...]
      if level == Self.levels - 1 {
        if node.hasSeed(child) { writer.keysDestroyed += 1 }
        node.remove(child)
        continue
      }
      var next = NodeReference()
      if node.hasSeed(child) {
        let expanded = PositionNode(level: level + 1, expanding: node.seed(child))
        try puncture(below, expanded, level + 1, &next, &writer, in: &transaction)
      } else if node.hasNode(child) {
        next = node.reference(child)
        let opened = try open(next, level + 1, writer.reader, in: transaction)
        try puncture(below, opened, level + 1, &next, &writer, in: &transaction)
      } else {
        continue
      }
      if next.isZero { node.remove(child) } else { node.set(child, to: next) }
    }
    guard node.isEmpty, level > 0 else {
      return try writer.write(
        node.plain.bytes, at: &reference, .positions, tenant: tenant, in: &transaction)
    }
    if !reference.isZero { try writer.remove(reference, in: &transaction) }
    reference = NodeReference()
  }
}
