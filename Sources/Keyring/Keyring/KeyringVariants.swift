import EventModel
import Sodium
import Storage

#if DEBUG
  /// Ways to break rules 3 and 4 of Docs/KeyTree.md, which the closure test must catch.
  extension Keyring {
    private static let derivedContext = KeyDerivation.Context("LT1.test.derive")

    /// The broken variant "derive": what comes from the map key and the name lives as long as they.
    static func derivedEntry(_ key: NewKey, _ mapKey: borrowing SecretBytes) -> SecretBytes {
      var entry = KeyLeafEntry.fresh(flags: key.kind.rawValue)
      let derived = derivedKey(tag: key.tag, mapKey: mapKey)
      var bytes = entry.mutableBytes
      bytes.set(derived.bytes, at: 0)
      return entry
    }

    /// The same for an attacker who guesses a name.
    static func derivedKey(tag: Tag128, mapKey: borrowing SecretBytes) -> SecretBytes {
      let message = tag.low.bigEndianBytes + tag.high.bigEndianBytes
      return KeyDerivation.secret(
        count: 32, key: mapKey.bytes, context: derivedContext, message: message.span)
    }

    /// The broken variant "rebalance": wraps a key under a leaf beside its path, as a tree that
    /// moves entries between siblings does.
    ///
    /// Leaks only where a sibling has a free place.
    static func copyToSibling(
      _ slot: UInt64, _ root: inout TrieRoot, _ tenant: UInt32, _ writer: inout NodeWriter,
      in transaction: inout KeyringTransaction
    ) throws(KeyringError) {
      let array = KeyArray.keys(of: tenant)
      guard let entry = try array.entry(slot, root, writer.reader, in: transaction) else { return }
      for free in stride(from: slot / 32 * 32, to: 1, by: -1)
      where try array.entry(free - 1, root, writer.reader, in: transaction) == nil {
        try array.edit(&root, [free - 1], &writer, in: &transaction) { leaf, child, _, _, _ in
          leaf.set(child, to: entry.bytes)
        }
        return
      }
    }
  }

  extension NameMap {
    /// The broken variant "split": one half of a leaf keeps its key, under which old copies still
    /// show the other half.
    ///
    /// False when the leaf cannot be split so.
    func splitKeepingKey(
      _ items: ArraySlice<MapLeaf.Item>, _ digits: Range<Int>,
      at reference: inout NodeReference, in node: inout BitmapNode, _ level: Int,
      _ writer: inout NodeWriter, in transaction: inout KeyringTransaction
    ) throws(KeyringError) -> Bool {
      guard let first = items.first?.tag.digit(level),
        let border = items.firstIndex(where: { $0.tag.digit(level) > first }),
        border - items.startIndex <= MapLeaf.entriesMax
      else { return false }
      let digit = items[border].tag.digit(level)
      try write(items[..<border], at: &reference, level + 1, &writer, in: &transaction)
      node.set(digits.lowerBound, to: reference.bytes.bytes)
      try place(
        items[border...], digit..<digits.upperBound, in: &node, level, &writer, in: &transaction)
      return true
    }
  }
#endif
