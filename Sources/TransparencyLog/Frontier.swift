import EventModel

/// The right edge of a growing Merkle tree (RFC 6962): all that is needed to append and to tell
/// the root.
///
/// ```
/// 7 leaves:   [ 4 ] [ 2 ] [ 1 ]      one hash for each bit of the count, largest subtree first
/// ```
package struct Frontier: Hashable, Sendable {
  /// Leaves so far.
  package private(set) var count: UInt64 = 0
  /// The roots of the perfect subtrees, largest first.
  package private(set) var hashes: [Hash256] = []

  package init() {}

  /// Appends a leaf; one hash on average.
  package mutating func append(_ leaf: LeafHash) {
    var hash = leaf.hash
    // Each 1 bit at the low end is a subtree as large as the one in hand.
    for _ in 0..<(~count).trailingZeroBitCount {
      hash = Hash256.parent(hashes.removeLast(), hash)
    }
    hashes.append(hash)
    count += 1
  }

  /// The same, noting in `tail` what tiles keep: the leaf, and each subtree of their levels that became
  /// complete.
  package mutating func append(_ leaf: LeafHash, to tail: inout LogTail) {
    tail.append(leaf.hash, level: 0)
    var hash = leaf.hash
    for height in 0..<(~count).trailingZeroBitCount {
      hash = Hash256.parent(hashes.removeLast(), hash)
      let (level, rest) = (height + 1).quotientAndRemainder(dividingBy: TileID.heightBits)
      if rest == 0 { tail.append(hash, level: level) }
    }
    hashes.append(hash)
    count += 1
  }

  /// The root over all leaves; of an empty tree SHA-256 of nothing.
  package func root() -> Hash256 {
    guard var hash = hashes.last else { return Hash256.sha256(Span()) }
    for left in hashes.dropLast().reversed() { hash = Hash256.parent(left, hash) }
    return hash
  }

  /// Bytes that ``encode(to:)`` appends at most: 48-bit positions make at most 48 subtrees.
  package static let encodedBytesMax = 9 + 48 * 32

  /// Appends `leaf count u64 | hash count u8 | hashes` (Docs/Format.md, section 6).
  package func encode(to bytes: inout [UInt8]) {
    bytes.appendBigEndian(count, bytes: 8)
    bytes.append(UInt8(hashes.count))
    for hash in hashes { bytes.append(contentsOf: hash.bytes) }
  }

  /// Reads what ``encode(to:)`` wrote from `offset` on; nil when it is not that.
  package init?(_ bytes: Span<UInt8>, at offset: Int = 0) {
    guard offset >= 0, bytes.count >= offset + 9 else { return nil }
    count = bytes.bigEndian(at: offset, bytes: 8)
    let hashCount = Int(bytes[offset + 8])
    guard count <= Limits.positionMax, hashCount == count.nonzeroBitCount,
      bytes.count >= offset + 9 + 32 * hashCount
    else { return nil }
    for index in 0..<hashCount { hashes.append(Hash256(bytes, at: offset + 9 + 32 * index)) }
  }
}
