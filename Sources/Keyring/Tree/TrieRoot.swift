import EventModel
import Sodium

/// Where a trie begins, as its owner's plaintext has it: `height u8 | reference 48`.
struct TrieRoot: ~Copyable {
  static let bytesCount = 1 + NodeReference.bytesCount
  /// 0 means empty; in a key array, 1 means that the reference is a leaf.
  var height: Int
  var reference: NodeReference

  init() {
    height = 0
    reference = NodeReference()
  }

  init(_ plain: Span<UInt8>, at offset: Int) {
    height = Int(plain[offset])
    reference = NodeReference(
      copying: plain.extracting((offset + 1)..<(offset + Self.bytesCount)))
  }

  borrowing func copy() -> TrieRoot {
    var copy = TrieRoot()
    copy.height = height
    copy.reference = reference.copy()
    return copy
  }

  borrowing func write(to plain: inout MutableSpan<UInt8>, at offset: Int) {
    plain[offset] = UInt8(height)
    plain.set(reference.bytes.bytes, at: offset + 1)
  }
}
