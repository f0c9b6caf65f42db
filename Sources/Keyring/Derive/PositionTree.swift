import EventModel
package import Sodium

/// The leaf of every position, derived from one seed down a tree of arity 16 and twelve levels.
///
/// ```
/// seed -> 16 children (its keystream, 512 bytes) -> .. -> leaf of the position, four bits a level
/// ```
/// The sixteen leaves below the last node are kept, so sixteen consecutive positions cost one
/// keystream of 512 bytes, and longer runs reuse the nodes above.
package struct PositionTree: ~Copyable {
  /// Levels below the seed.
  package static let levels = 12
  private static let nodeBytes = 32

  /// The nodes on the path, from the seed (level 0) to the parent of the leaves (level 11).
  private var path: SecretBytes
  private var leaves = SecretBytes(zeroes: 512)
  /// The position without its last four bits, for which `path` and `leaves` stand.
  private var prefix: UInt64?
  /// The seed's level, and the digits of the positions that it covers.
  private var base: (level: Int, prefix: UInt64) = (0, 0)

  /// - Parameter seed: 32 bytes.
  package init(seed: borrowing SecretBytes) {
    precondition(seed.count == 32, "a seed has 32 bytes")
    path = SecretBytes(zeroes: Self.levels * Self.nodeBytes)
    var bytes = path.mutableBytes
    bytes.set(seed.bytes, at: 0)
  }

  /// A tree that covers nothing until it is given a seed.
  package init() {
    path = SecretBytes(zeroes: Self.levels * Self.nodeBytes)
    base = (Self.levels, .max)
  }

  /// True when the leaf of `position` can be derived from the seed at hand.
  package func covers(_ position: UInt64) -> Bool {
    base.level == 0 || position >> UInt64(4 * (Self.levels - base.level)) == base.prefix
  }

  /// Goes on with another seed; what was derived from the one before is wiped.
  package mutating func use(_ seed: borrowing PositionSeed) {
    path = SecretBytes(zeroes: Self.levels * Self.nodeBytes)
    leaves = SecretBytes(zeroes: 512)
    base = (seed.level, seed.prefix)
    prefix = nil
    if seed.level == Self.levels {
      // The leaf itself: it is the only one of its sixteen.
      prefix = seed.prefix >> 4
      Self.copy(
        seed.seed, 0..<Self.nodeBytes, to: &leaves, at: Int(seed.prefix & 15) * Self.nodeBytes)
    } else {
      Self.copy(seed.seed, 0..<Self.nodeBytes, to: &path, at: seed.level * Self.nodeBytes)
    }
  }

  /// The 32 bytes of a position that is covered, of at most 48 bits; lent until the next call.
  @_lifetime(&self)
  package mutating func leaf(_ position: UInt64) -> Span<UInt8> {
    precondition(position >> 48 == 0 && covers(position), "a covered position has 48 bits")
    let wanted = position >> 4
    if prefix != wanted { walk(to: wanted) }
    let index = Int(position & 15)
    return leaves.bytes.extracting((index * Self.nodeBytes)..<((index + 1) * Self.nodeBytes))
  }

  private mutating func walk(to wanted: UInt64) {
    // The first level whose child differs from the one that stands.
    var level = base.level
    if let prefix {
      let differing = prefix ^ wanted
      level = Self.levels - 1 - (67 - differing.leadingZeroBitCount) / 4
    }
    while level < Self.levels - 1 {
      let digit = Int(wanted >> UInt64(4 * (Self.levels - 2 - level)) & 15)
      let child = (digit * Self.nodeBytes)..<((digit + 1) * Self.nodeBytes)
      // Only as much of the keystream as the child needs; the leaves' buffer serves as scratch.
      Self.expand(path, level, into: &leaves, bytes: child.upperBound)
      Self.copy(leaves, child, to: &path, at: (level + 1) * Self.nodeBytes)
      level += 1
    }
    Self.expand(path, Self.levels - 1, into: &leaves, bytes: 512)
    prefix = wanted
  }

  private static func copy(
    _ source: borrowing SecretBytes, _ range: Range<Int>, to target: inout SecretBytes,
    at offset: Int
  ) {
    var bytes = target.mutableBytes
    bytes.set(source.bytes.extracting(range), at: offset)
  }

  /// Writes the first `count` bytes of the keystream of the node at `level`.
  private static func expand(
    _ path: borrowing SecretBytes, _ level: Int, into leaves: inout SecretBytes, bytes count: Int
  ) {
    let node = (level * nodeBytes)..<((level + 1) * nodeBytes)
    var all = leaves.mutableBytes
    var stream = all._mutatingExtracting(0..<count)
    ChaCha20.keystream(into: &stream, key: path.bytes.extracting(node))
  }
}
