import EventModel
import Sodium
import Storage

/// The trie from tags of names to slots: who has a key, and who must not get one.
///
/// A radix trie over the tag like ``KeyArray``, but its leaves hold up to 48 entries of any tags
/// below them. A leaf that would exceed that keeps its key and becomes an inner node of new leaves:
/// entries only ever move down, below the nodes that a later removal re-keys.
struct NameMap {
  let tenant: UInt32

  /// An entry to be written, or (nil) removed.
  struct Edit {
    let tag: MapTag
    let entry: MapEntry?
  }

  /// The entry of `tag`, or nil.
  func find(
    _ tag: MapTag, _ root: borrowing TrieRoot, _ reader: NodeReader,
    in source: borrowing some NodeSource & ~Copyable
  ) throws(KeyringError) -> MapEntry? {
    guard root.height > 0 else { return nil }
    var reference = root.reference.copy()
    for level in 0..<MapTag.levels {
      let plain = try reader.open(reference, .map, tenant: tenant, in: source)
      if MapLeaf.isLeaf(plain) { return MapLeaf.find(tag, in: plain) }
      guard let node = BitmapNode(plain, .mapReferences) else { throw .corrupt }
      guard node.contains(tag.digit(level)) else { return nil }
      reference = NodeReference(copying: node.entry(tag.digit(level)))
    }
    throw .corrupt
  }

  /// Applies `edits` (ascending by tag, each tag once) and writes every node on their paths.
  func edit(
    _ root: inout TrieRoot, _ edits: [Edit], _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    guard !edits.isEmpty else { return }
    try edit(&root.reference, 0, edits[...], &writer, in: &transaction)
    root.height = root.reference.isZero ? 0 : 1
  }

  /// Calls `body` with every entry, ascending by tag.
  func forEach(
    _ reference: borrowing NodeReference, _ reader: NodeReader,
    in source: borrowing some NodeSource & ~Copyable, _ body: (MapTag, MapEntry) -> Void
  ) throws(KeyringError) {
    let plain = try reader.open(reference, .map, tenant: tenant, in: source)
    if MapLeaf.isLeaf(plain) {
      guard let items = MapLeaf.decode(plain) else { throw .corrupt }
      for item in items { body(item.tag, item.entry) }
      return
    }
    guard let node = BitmapNode(plain, .mapReferences) else { throw .corrupt }
    for child in 0..<32 where node.contains(child) {
      try forEach(NodeReference(copying: node.entry(child)), reader, in: source, body)
    }
  }

  /// Takes every node of the map out of the table.
  func removeAll(
    _ reference: borrowing NodeReference, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    let plain = try writer.reader.open(reference, .map, tenant: tenant, in: transaction)
    if !MapLeaf.isLeaf(plain) {
      guard let node = BitmapNode(plain, .mapReferences) else { throw .corrupt }
      for child in 0..<32 where node.contains(child) {
        try removeAll(NodeReference(copying: node.entry(child)), &writer, in: &transaction)
      }
    }
    try writer.remove(reference, in: &transaction)
  }
}

extension NameMap {
  private func edit(
    _ reference: inout NodeReference, _ level: Int, _ edits: ArraySlice<Edit>,
    _ writer: inout NodeWriter, in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    guard !reference.isZero else {
      try write(Self.merge([], edits)[...], at: &reference, level, &writer, in: &transaction)
      return
    }
    let plain = try writer.reader.open(reference, .map, tenant: tenant, in: transaction)
    if MapLeaf.isLeaf(plain) {
      guard let items = MapLeaf.decode(plain) else { throw .corrupt }
      try write(Self.merge(items, edits)[...], at: &reference, level, &writer, in: &transaction)
      return
    }
    guard level < MapTag.levels, var node = BitmapNode(plain, .mapReferences) else {
      throw .corrupt
    }
    var rest = edits
    while let first = rest.first {
      let child = first.tag.digit(level)
      let end = rest.firstIndex { $0.tag.digit(level) != child } ?? rest.endIndex
      var below =
        node.contains(child) ? NodeReference(copying: node.entry(child)) : NodeReference()
      try edit(&below, level + 1, rest[rest.startIndex..<end], &writer, in: &transaction)
      if below.isZero { node.remove(child) } else { node.set(child, to: below.bytes.bytes) }
      rest = rest[end...]
    }
    try finish(node, at: &reference, &writer, in: &transaction)
  }

  /// Writes `items` as a leaf, or as an inner node with as many leaves as they need.
  private func write(
    _ items: ArraySlice<MapLeaf.Item>, at reference: inout NodeReference, _ level: Int,
    _ writer: inout NodeWriter, in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    if items.isEmpty {
      if !reference.isZero { try writer.remove(reference, in: &transaction) }
      reference = NodeReference()
      return
    }
    if items.count <= MapLeaf.entriesMax {
      let plain = MapLeaf.encode(items)
      try writer.write(plain.bytes, at: &reference, .map, tenant: tenant, in: &transaction)
      return
    }
    guard level < MapTag.levels else { throw .corrupt }
    var node = BitmapNode(.mapReferences)
    var rest = items
    while let first = rest.first {
      let child = first.tag.digit(level)
      let end = rest.firstIndex { $0.tag.digit(level) != child } ?? rest.endIndex
      var below = NodeReference()
      try write(
        rest[rest.startIndex..<end], at: &below, level + 1, &writer, in: &transaction)
      node.set(child, to: below.bytes.bytes)
      rest = rest[end...]
    }
    try finish(node, at: &reference, &writer, in: &transaction)
  }

  private func finish(
    _ node: borrowing BitmapNode, at reference: inout NodeReference, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    if node.isEmpty {
      if !reference.isZero { try writer.remove(reference, in: &transaction) }
      reference = NodeReference()
    } else {
      try writer.write(node.plain.bytes, at: &reference, .map, tenant: tenant, in: &transaction)
    }
  }

  /// Both are ascending; an edit replaces the item of the same tag.
  private static func merge(_ items: [MapLeaf.Item], _ edits: ArraySlice<Edit>) -> [MapLeaf.Item] {
    var merged: [MapLeaf.Item] = []
    merged.reserveCapacity(items.count + edits.count)
    var old = items[...]
    for edit in edits {
      while let item = old.first, item.tag < edit.tag {
        merged.append(item)
        old = old.dropFirst()
      }
      if let item = old.first, item.tag == edit.tag { old = old.dropFirst() }
      if let entry = edit.entry { merged.append(MapLeaf.Item(tag: edit.tag, entry: entry)) }
    }
    merged.append(contentsOf: old)
    return merged
  }
}
