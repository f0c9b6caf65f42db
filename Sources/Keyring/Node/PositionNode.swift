import EventModel
import Sodium

/// A node of the cover of a tenant's positions (Docs/Format.md, section 4.3): sixteen children, each
/// a seed that covers all positions below it, another node, or nothing.
///
/// ```
/// level u8 | seeds u16 | nodes u16 | zero 3 | 16 entries of 48: seed 32, zero 16; or a reference
/// ```
struct PositionNode: ~Copyable {
  static let arity = 16
  private static let entriesAt = 8
  private static let seedBytes = 32

  private(set) var plain: SecretBytes

  /// A node at `level` whose children are those of `seed`.
  init(level: Int, expanding seed: Span<UInt8>) {
    plain = SecretBytes(zeroes: NodeSealing.unitBytes)
    var stream = SecretBytes(zeroes: Self.arity * Self.seedBytes)
    var keys = stream.mutableBytes
    ChaCha20.keystream(into: &keys, key: seed)
    var bytes = plain.mutableBytes
    bytes[0] = UInt8(level)
    bytes.setBigEndian(0xFFFF, at: 1, bytes: 2)
    for child in 0..<Self.arity {
      let seed = (child * Self.seedBytes)..<((child + 1) * Self.seedBytes)
      bytes.set(
        stream.bytes.extracting(seed), at: Self.entriesAt + child * NodeReference.bytesCount)
    }
  }

  /// Nil when the plaintext is not a node of this level.
  init?(_ plain: consuming SecretBytes, level: Int) {
    guard plain.count == NodeSealing.unitBytes, Int(plain.bytes[0]) == level,
      plain.bytes.bigEndian(at: 1, bytes: 2) & plain.bytes.bigEndian(at: 3, bytes: 2) == 0
    else { return nil }
    self.plain = plain
  }

  private var seeds: UInt64 { plain.bytes.bigEndian(at: 1, bytes: 2) }
  private var nodes: UInt64 { plain.bytes.bigEndian(at: 3, bytes: 2) }

  var isEmpty: Bool { seeds | nodes == 0 }
  borrowing func hasSeed(_ child: Int) -> Bool { seeds >> UInt64(child) & 1 == 1 }
  borrowing func hasNode(_ child: Int) -> Bool { nodes >> UInt64(child) & 1 == 1 }

  /// The seed of a child that has one.
  @_lifetime(borrow self)
  borrowing func seed(_ child: Int) -> Span<UInt8> {
    precondition(hasSeed(child), "no such seed")
    let offset = Self.entriesAt + child * NodeReference.bytesCount
    return plain.bytes.extracting(offset..<(offset + Self.seedBytes))
  }

  /// The reference of a child that is a node.
  borrowing func reference(_ child: Int) -> NodeReference {
    precondition(hasNode(child), "no such node")
    let offset = Self.entriesAt + child * NodeReference.bytesCount
    return NodeReference(
      copying: plain.bytes.extracting(offset..<(offset + NodeReference.bytesCount)))
  }

  /// Makes the child a node.
  mutating func set(_ child: Int, to reference: borrowing NodeReference) {
    remove(child)
    let known = nodes
    var bytes = plain.mutableBytes
    bytes.setBigEndian(known | 1 << UInt64(child), at: 3, bytes: 2)
    bytes.set(reference.bytes.bytes, at: Self.entriesAt + child * NodeReference.bytesCount)
  }

  /// Takes the child out and wipes its entry.
  mutating func remove(_ child: Int) {
    let keep = ~(1 << UInt64(child)) as UInt64
    let (seeds, nodes) = (seeds & keep, nodes & keep)
    let offset = Self.entriesAt + child * NodeReference.bytesCount
    var bytes = plain.mutableBytes
    bytes.setBigEndian(seeds, at: 1, bytes: 2)
    bytes.setBigEndian(nodes, at: 3, bytes: 2)
    for index in offset..<(offset + NodeReference.bytesCount) { bytes[index] = 0 }
  }
}
