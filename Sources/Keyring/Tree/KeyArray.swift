import EventModel
import Sodium
import Storage

/// A radix trie over numbers, 32 children a node: tenants by number, keys by slot, buckets by month.
///
/// ```
/// height 2:        inner  number / 32
///                 /  |  \
///              leaf leaf leaf   number % 32
/// ```
/// A trie, never a balanced tree: a key is only ever wrapped by ancestors on its path, so that a
/// removal that re-keys the path leaves no other way to it. It grows by a new root above the old.
struct KeyArray {
  let leafKind: NodeKind
  let leafShape: BitmapNode.Shape
  /// 0 above the tenants.
  let tenant: UInt32

  /// References of tenant nodes.
  static let tenants = KeyArray(leafKind: .inner, leafShape: .references, tenant: 0)
  /// Keys of buckets.
  static let buckets = KeyArray(leafKind: .keyLeaf, leafShape: .keys, tenant: 0)

  /// The keys of a tenant.
  static func keys(of tenant: UInt32) -> KeyArray {
    KeyArray(leafKind: .keyLeaf, leafShape: .keys, tenant: tenant)
  }

  /// References of documents of a tenant, or of the store's (0).
  static func documents(of tenant: UInt32) -> KeyArray {
    KeyArray(leafKind: .inner, leafShape: .references, tenant: tenant)
  }

  /// Changes one place of a leaf; called once for each number, ascending.
  typealias Change = (
    _ leaf: inout BitmapNode, _ child: Int, _ number: UInt64, _ writer: inout NodeWriter,
    _ transaction: inout KeyringTransaction
  ) throws(KeyringError) -> Void

  /// A copy of the entry with this number, or nil.
  func entry(
    _ number: UInt64, _ root: borrowing TrieRoot, _ reader: NodeReader,
    in source: borrowing some NodeSource & ~Copyable
  ) throws(KeyringError) -> SecretBytes? {
    guard Self.fits(number, root.height) else { return nil }
    var reference = root.reference.copy()
    var height = root.height
    while height > 1 {
      let inner = try reader.inner(reference, tenant: tenant, in: source)
      let child = Self.digit(number, height)
      guard inner.node.contains(child) else { return nil }
      reference = inner.node.reference(child)
      height -= 1
    }
    let leaf = try reader.openBitmap(reference, leafKind, leafShape, tenant: tenant, in: source)
    let child = Self.digit(number, 1)
    return leaf.contains(child) ? SecretBytes(copying: leaf.entry(child)) : nil
  }

  /// Calls `body` with every number and entry, ascending.
  func forEach(
    _ root: borrowing TrieRoot, _ reader: NodeReader,
    in source: borrowing some NodeSource & ~Copyable,
    _ body: (_ number: UInt64, _ entry: Span<UInt8>) throws(KeyringError) -> Void
  ) throws(KeyringError) {
    try forEach(from: 0, root, reader, in: source) { (number, entry) throws(KeyringError) in
      try body(number, entry)
      return true
    }
  }

  /// Calls `body` with the numbers from `start` on and their entries, ascending, until it returns
  /// false; subtrees before `start` are not opened.
  func forEach(
    from start: UInt64, _ root: borrowing TrieRoot, _ reader: NodeReader,
    in source: borrowing some NodeSource & ~Copyable,
    _ body: (_ number: UInt64, _ entry: Span<UInt8>) throws(KeyringError) -> Bool
  ) throws(KeyringError) {
    guard root.height > 0 else { return }
    _ = try visit(root.reference, root.height, 0, from: start, reader, in: source, body)
  }

  /// Lets `change` work on the leaves of `numbers` (ascending) and writes every node on their paths.
  ///
  /// One node of each level is in memory at a time. Nodes that become empty are taken out.
  func edit(
    _ root: inout TrieRoot, _ numbers: ArraySlice<UInt64>, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction, _ change: Change
  ) throws(KeyringError) {
    guard let last = numbers.last else { return }
    while !Self.fits(last, root.height) { try grow(&root, last, &writer, in: &transaction) }
    try edit(&root.reference, root.height, numbers, &writer, in: &transaction, change)
    if root.reference.isZero { root.height = 0 }
  }

  /// Takes every node of the trie out of the table; `body` sees each leaf's entries first.
  func removeAll(
    _ reference: borrowing NodeReference, height: Int, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction, _ body: Change
  ) throws(KeyringError) {
    guard height > 0 else { return }
    var node = try writer.reader.openBitmap(
      reference, height > 1 ? .inner : leafKind, height > 1 ? .references : leafShape,
      tenant: tenant, in: transaction)
    for child in 0..<32 where node.contains(child) {
      if height > 1 {
        let below = NodeReference(copying: node.entry(child))
        try removeAll(below, height: height - 1, &writer, in: &transaction, body)
      } else {
        try body(&node, child, 0, &writer, &transaction)
      }
    }
    try writer.remove(reference, in: &transaction)
  }
}

extension KeyArray {
  private static let heightMax = 12

  private static func fits(_ number: UInt64, _ height: Int) -> Bool {
    height > 0 && (height > heightMax || number >> UInt64(5 * height) == 0)
  }

  private static func digit(_ number: UInt64, _ height: Int) -> Int {
    Int(number >> UInt64(5 * (height - 1)) & 31)
  }

  /// Puts a new root above the old one, or gives an empty trie the height that `number` needs.
  private func grow(
    _ root: inout TrieRoot, _ number: UInt64, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    if root.height == 0 {
      root.height = 1
      while !Self.fits(number, root.height) { root.height += 1 }
      return
    }
    var node = BitmapNode(.references)
    node.set(0, to: root.reference.bytes.bytes)
    var reference = NodeReference()
    try writer.write(
      node.plain.bytes, at: &reference, .inner, tenant: tenant, in: &transaction)
    root.reference = reference
    root.height += 1
  }

  private func edit(
    _ reference: inout NodeReference, _ height: Int, _ numbers: ArraySlice<UInt64>,
    _ writer: inout NodeWriter, in transaction: inout KeyringTransaction, _ change: Change
  ) throws(KeyringError) {
    let isLeaf = height == 1
    let kind = isLeaf ? leafKind : .inner
    let shape = isLeaf ? leafShape : .references
    let isNew = reference.isZero
    var node =
      isNew
      ? BitmapNode(shape)
      : try writer.reader.openBitmap(reference, kind, shape, tenant: tenant, in: transaction)
    var rest = numbers
    while let first = rest.first {
      let child = Self.digit(first, height)
      if isLeaf {
        try change(&node, child, first, &writer, &transaction)
        rest = rest.dropFirst()
        continue
      }
      let end = rest.firstIndex { Self.digit($0, height) != child } ?? rest.endIndex
      var below =
        node.contains(child) ? NodeReference(copying: node.entry(child)) : NodeReference()
      try edit(
        &below, height - 1, rest[rest.startIndex..<end], &writer, in: &transaction, change)
      if below.isZero { node.remove(child) } else { node.set(child, to: below.bytes.bytes) }
      rest = rest[end...]
    }
    if node.isEmpty {
      if !isNew { try writer.remove(reference, in: &transaction) }
      reference = NodeReference()
    } else {
      try writer.write(node.plain.bytes, at: &reference, kind, tenant: tenant, in: &transaction)
    }
  }

  /// False when `body` wants no more.
  private func visit(
    _ reference: borrowing NodeReference, _ height: Int, _ prefix: UInt64, from start: UInt64,
    _ reader: NodeReader, in source: borrowing some NodeSource & ~Copyable,
    _ body: (_ number: UInt64, _ entry: Span<UInt8>) throws(KeyringError) -> Bool
  ) throws(KeyringError) -> Bool {
    let node = try reader.openBitmap(
      reference, height > 1 ? .inner : leafKind, height > 1 ? .references : leafShape,
      tenant: tenant, in: source)
    for child in 0..<32 where node.contains(child) {
      let number = prefix << 5 | UInt64(child)
      if height > 1 {
        let shift = UInt64(5 * (height - 1))
        guard shift >= 64 || number >= start >> shift else { continue }
        let below = NodeReference(copying: node.entry(child))
        guard try visit(below, height - 1, number, from: start, reader, in: source, body) else {
          return false
        }
      } else if number >= start {
        guard try body(number, node.entry(child)) else { return false }
      }
    }
    return true
  }
}
