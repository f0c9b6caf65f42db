import Sodium
import Storage

// Fresh keys for whole parts of the tree, of which nothing is removed.
//
// An old copy of a node opens under the node's key, and so does every later content that was written by
// additions. Whoever once read the keys of nodes therefore goes on reading what is added below them, as
// long as copies of the files come into their hands; until each of the nodes has a new key.

extension KeyArray {
  /// Writes every node of the trie under a fresh key and name, documents included.
  func rewrap(
    _ root: inout TrieRoot, _ writer: inout NodeWriter, in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    guard root.height > 0 else { return }
    try rewrap(&root.reference, root.height, &writer, in: &transaction)
  }

  private func rewrap(
    _ reference: inout NodeReference, _ height: Int, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    if height == 0 {
      let plain = try writer.reader.open(reference, .document, tenant: tenant, in: transaction)
      return try writer.write(
        plain.bytes, at: &reference, .document, tenant: tenant, in: &transaction)
    }
    let kind = height > 1 ? .inner : leafKind
    var node = try writer.reader.openBitmap(
      reference, kind, height > 1 ? .references : leafShape, tenant: tenant, in: transaction)
    if height > 1 || leafShape == .references {
      for child in 0..<32 where node.contains(child) {
        var below = node.reference(child)
        try rewrap(&below, height - 1, &writer, in: &transaction)
        node.set(child, to: below.bytes.bytes)
      }
    }
    try writer.write(node.plain.bytes, at: &reference, kind, tenant: tenant, in: &transaction)
  }
}

extension NameMap {
  /// Writes every node of the map under a fresh key and name.
  func rewrap(
    _ root: inout TrieRoot, _ writer: inout NodeWriter, in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    guard root.height > 0 else { return }
    try rewrap(&root.reference, &writer, in: &transaction)
  }

  private func rewrap(
    _ reference: inout NodeReference, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    let plain = try writer.reader.open(reference, .map, tenant: tenant, in: transaction)
    guard !MapLeaf.isLeaf(plain) else {
      return try write(leaf: plain, at: &reference, &writer, in: &transaction)
    }
    guard var node = BitmapNode(plain, .mapReferences) else { throw .corrupt }
    for child in 0..<32 where node.contains(child) {
      var below = node.reference(child)
      try rewrap(&below, &writer, in: &transaction)
      node.set(child, to: below.bytes.bytes)
    }
    try writer.write(node.plain.bytes, at: &reference, .map, tenant: tenant, in: &transaction)
  }

  private func write(
    leaf plain: borrowing SecretBytes, at reference: inout NodeReference,
    _ writer: inout NodeWriter, in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    try writer.write(plain.bytes, at: &reference, .map, tenant: tenant, in: &transaction)
  }
}

extension PositionCover {
  /// Writes every node of the cover under a fresh key and name.
  func rewrap(
    _ root: inout TrieRoot, _ writer: inout NodeWriter, in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    guard root.height > 0 else { return }
    try rewrap(&root.reference, 0, &writer, in: &transaction)
  }

  private func rewrap(
    _ reference: inout NodeReference, _ level: Int, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    var node = try open(reference, level, writer.reader, in: transaction)
    for child in 0..<PositionNode.arity where node.hasNode(child) {
      var below = node.reference(child)
      try rewrap(&below, level + 1, &writer, in: &transaction)
      node.set(child, to: below)
    }
    try writer.write(
      node.plain.bytes, at: &reference, .positions, tenant: tenant, in: &transaction)
  }
}
