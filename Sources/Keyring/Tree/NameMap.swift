import EventModel
import Sodium
import Storage

/// The trie from tags of names to slots: who has a key, and who must not get one.
///
/// ```
/// inner   0 . . 9 . . . . 20 ..   digits 0-8 in one leaf, 9-19 in the next, 20 and what follows ..
///         |     |         |
///       leaf   leaf      inner    an inner child covers its own digit only
/// ```
/// A radix trie over the tag, five bits a level. A leaf holds up to 48 entries of all digits from its
/// own to the next child's, so that few entries need few nodes; one that would exceed that is
/// replaced by two or more that share its digits, all under fresh keys. The old leaf's key is then only in
/// old copies of its parent, which every later removal of one of its entries re-keys: were one half
/// to keep the key, the other half's entries would stay readable under it (rule 4).
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
    // Whether the node was reached by the tag's own digit and not by one before it.
    var isOwn = true
    for level in 0..<MapTag.levels {
      let inner: NodeCache.Entry
      if let found = reader.cache?.find(reference) {
        inner = found
      } else {
        let plain = try reader.open(reference, .map, tenant: tenant, in: source)
        if MapLeaf.isLeaf(plain) { return MapLeaf.find(tag, in: plain) }
        guard let node = BitmapNode(plain, .mapReferences) else { throw .corrupt }
        inner = NodeCache.Entry(node)
        reader.cache?.insert(reference, inner)
      }
      guard isOwn, let child = inner.node.last(through: tag.digit(level)) else { return nil }
      isOwn = child == tag.digit(level)
      reference = inner.node.reference(child)
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
    var items: [MapLeaf.Item] = []
    if !reference.isZero {
      let plain = try writer.reader.open(reference, .map, tenant: tenant, in: transaction)
      if !MapLeaf.isLeaf(plain) {
        return try editInner(plain, &reference, level, edits, &writer, in: &transaction)
      }
      guard let found = MapLeaf.decode(plain) else { throw .corrupt }
      items = found
    }
    try write(
      Self.merge(items, edits)[...], at: &reference, level, &writer, in: &transaction)
  }

  private func editInner(
    _ plain: consuming SecretBytes, _ reference: inout NodeReference, _ level: Int,
    _ edits: ArraySlice<Edit>, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    guard level < MapTag.levels, var node = BitmapNode(plain, .mapReferences) else {
      throw .corrupt
    }
    try edit(&node, level, edits, &writer, in: &transaction)
    try write(node, at: &reference, &writer, in: &transaction)
  }

  /// Passes the edits on to the children of an inner node.
  private func edit(
    _ node: inout BitmapNode, _ level: Int, _ edits: ArraySlice<Edit>,
    _ writer: inout NodeWriter, in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    var rest = edits
    while let first = rest.first {
      let digit = first.tag.digit(level)
      let end = node.first(after: digit)
      guard let child = node.last(through: digit) else {
        // Before the first child: the place begins at digit 0.
        let batch = Self.take(&rest, before: end, level)
        try place(
          Self.merge([], batch)[...], 0..<end, in: &node, level, &writer, in: &transaction)
        continue
      }
      var below = node.reference(child)
      let plain = try writer.reader.open(below, .map, tenant: tenant, in: transaction)
      if MapLeaf.isLeaf(plain) {
        guard let items = MapLeaf.decode(plain) else { throw .corrupt }
        let batch = Self.take(&rest, before: end, level)
        let merged = Self.merge(items, batch)
        if !merged.isEmpty, merged.count <= MapLeaf.entriesMax {
          try write(merged[...], at: &below, level + 1, &writer, in: &transaction)
          node.set(child, to: below.bytes.bytes)
        } else {
          #if DEBUG
            if TestHooks.variant == "split",
              try splitKeepingKey(
                merged[...], child..<end, at: &below, in: &node, level, &writer, in: &transaction)
            {
              continue
            }
          #endif
          try writer.remove(below, in: &transaction)
          node.remove(child)
          try place(
            merged[...], child..<end, in: &node, level, &writer, in: &transaction)
        }
      } else if child == digit {
        let batch = Self.take(&rest, before: digit + 1, level)
        try editInner(plain, &below, level + 1, batch, &writer, in: &transaction)
        if below.isZero { node.remove(child) } else { node.set(child, to: below.bytes.bytes) }
      } else {
        // Behind an inner child, which covers its own digit only.
        let batch = Self.take(&rest, before: end, level)
        try place(
          Self.merge([], batch)[...], (child + 1)..<end, in: &node, level, &writer,
          in: &transaction)
      }
    }
  }

  /// Writes `items`, all of whose digits lie in the free range `digits`, as new children of `node`.
  func place(
    _ items: ArraySlice<MapLeaf.Item>, _ digits: Range<Int>, in node: inout BitmapNode,
    _ level: Int, _ writer: inout NodeWriter, in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    guard let first = items.first?.tag.digit(level) else { return }
    var reference = NodeReference()
    if items.count <= MapLeaf.entriesMax {
      let plain = MapLeaf.encode(items)
      try writer.write(plain.bytes, at: &reference, .map, tenant: tenant, in: &transaction)
      return node.set(digits.lowerBound, to: reference.bytes.bytes)
    }
    let middle = items[items.startIndex + items.count / 2].tag.digit(level)
    let border =
      middle > first
      ? items.firstIndex { $0.tag.digit(level) == middle }
      : items.firstIndex { $0.tag.digit(level) > first }
    guard let border else {
      // All of one digit: one level further down.
      try write(items, at: &reference, level + 1, &writer, in: &transaction)
      return node.set(first, to: reference.bytes.bytes)
    }
    let digit = items[border].tag.digit(level)
    try place(
      items[..<border], digits.lowerBound..<digit, in: &node, level, &writer, in: &transaction)
    try place(
      items[border...], digit..<digits.upperBound, in: &node, level, &writer, in: &transaction)
  }

  /// Writes `items` as a leaf, or as a new inner node with as many leaves as they need.
  func write(
    _ items: ArraySlice<MapLeaf.Item>, at reference: inout NodeReference, _ level: Int,
    _ writer: inout NodeWriter, in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    if items.isEmpty || items.count > MapLeaf.entriesMax, !reference.isZero {
      try writer.remove(reference, in: &transaction)
      reference = NodeReference()
    }
    guard !items.isEmpty else { return }
    if items.count <= MapLeaf.entriesMax {
      let plain = MapLeaf.encode(items)
      return try writer.write(
        plain.bytes, at: &reference, .map, tenant: tenant, in: &transaction)
    }
    guard level < MapTag.levels else { throw .corrupt }
    var node = BitmapNode(.mapReferences)
    try place(items, 0..<32, in: &node, level, &writer, in: &transaction)
    try write(node, at: &reference, &writer, in: &transaction)
  }

  private func write(
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

  /// Takes the edits off whose digit lies before `end`.
  private static func take(
    _ edits: inout ArraySlice<Edit>, before end: Int, _ level: Int
  ) -> ArraySlice<Edit> {
    let border = edits.firstIndex { $0.tag.digit(level) >= end } ?? edits.endIndex
    let taken = edits[..<border]
    edits = edits[border...]
    return taken
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
