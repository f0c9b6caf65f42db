import EventModel
import Sodium

/// A node with room for 32 children of equal width, of which it holds those that exist.
///
/// ```
/// [map nodes: kind u8] bitmap u32 | entry | entry | ..        entry i of those whose bit is set
/// ```
/// The plaintext is changed in place, so that keys are never anywhere else.
struct BitmapNode: ~Copyable {
  /// What the entries are.
  enum Shape {
    /// References of children in a key array.
    case references
    /// The same in the map, whose nodes begin with their kind.
    case mapReferences
    /// Keys: `key 32 | flags u8 | zero 7`.
    case keys

    var start: Int { self == .mapReferences ? 1 : 0 }
    var width: Int { self == .keys ? KeyLeafEntry.bytesCount : NodeReference.bytesCount }
  }

  /// The first byte of an inner node of the map.
  static let mapInnerMark: UInt8 = 2

  private(set) var plain: SecretBytes
  private let start: Int
  private let width: Int

  /// An empty node.
  init(_ shape: Shape) {
    plain = SecretBytes(zeroes: NodeSealing.unitBytes)
    start = shape.start
    width = shape.width
    if shape == .mapReferences {
      var bytes = plain.mutableBytes
      bytes[0] = Self.mapInnerMark
    }
  }

  /// Returns nil when the plaintext cannot be such a node.
  init?(_ plain: consuming SecretBytes, _ shape: Shape) {
    guard plain.count == NodeSealing.unitBytes,
      shape != .mapReferences || plain.bytes[0] == Self.mapInnerMark
    else { return nil }
    self.plain = plain
    start = shape.start
    width = shape.width
  }

  /// Bit i: there is a child i.
  var bitmap: UInt32 { UInt32(plain.bytes.bigEndian(at: start, bytes: 4)) }
  var isEmpty: Bool { bitmap == 0 }
  var count: Int { bitmap.nonzeroBitCount }

  borrowing func contains(_ child: Int) -> Bool { bitmap & (1 << UInt32(child)) != 0 }

  /// The last child at or before `child`, or nil.
  borrowing func last(through child: Int) -> Int? {
    let found = bitmap & (~0 >> UInt32(31 - child))
    return found == 0 ? nil : 31 - found.leadingZeroBitCount
  }

  /// The first child after `child`, or 32.
  borrowing func first(after child: Int) -> Int {
    let found = child == 31 ? 0 : bitmap >> UInt32(child + 1)
    return found == 0 ? 32 : child + 1 + found.trailingZeroBitCount
  }

  /// A copy of the reference of a child that exists.
  borrowing func reference(_ child: Int) -> NodeReference {
    NodeReference(copying: entry(child))
  }

  /// The entry of a child that exists.
  @_lifetime(borrow self)
  borrowing func entry(_ child: Int) -> Span<UInt8> {
    precondition(contains(child), "no such child")
    return plain.bytes.extracting(place(child))
  }

  /// Writes the entry of a child, making room when it is new.
  mutating func set(_ child: Int, to entry: Span<UInt8>) {
    precondition(entry.count == width, "an entry of another shape")
    let place = place(child)
    let known = bitmap
    let (start, width) = (start, width)
    let end = start + 4 + known.nonzeroBitCount * width
    var bytes = plain.mutableBytes
    if known & (1 << UInt32(child)) == 0 {
      var index = end - 1
      while index >= place.lowerBound {
        bytes[index + width] = bytes[index]
        index -= 1
      }
      bytes.setBigEndian(UInt64(known | 1 << UInt32(child)), at: start, bytes: 4)
    }
    bytes.set(entry, at: place.lowerBound)
  }

  /// Takes a child out and wipes its entry.
  mutating func remove(_ child: Int) {
    guard contains(child) else { return }
    let place = place(child)
    let known = bitmap
    let (start, width) = (start, width)
    let end = start + 4 + known.nonzeroBitCount * width
    var bytes = plain.mutableBytes
    for index in place.lowerBound..<(end - width) { bytes[index] = bytes[index + width] }
    for index in (end - width)..<end { bytes[index] = 0 }
    bytes.setBigEndian(UInt64(known & ~(1 << UInt32(child))), at: start, bytes: 4)
  }

  private borrowing func place(_ child: Int) -> Range<Int> {
    let before = (bitmap & ((1 << UInt32(child)) - 1)).nonzeroBitCount
    let offset = start + 4 + before * width
    return offset..<(offset + width)
  }
}

/// The flags of an entry of a key leaf; the key itself is never taken out of secret memory.
enum KeyLeafEntry {
  /// `key 32 | flags u8 | version u40 | until day u16`.
  static let bytesCount = 40
  static let flagsAt = 32
  static let versionAt = 33
  static let versionBytes = 5
  static let untilDayAt = 38
  static let bucket: UInt8 = 3
  /// What the key belongs to; the other bits are ``KeyMarks``.
  static let kindMask: UInt8 = 0x1F

  /// An entry with a fresh random key.
  static func fresh(flags: UInt8) -> SecretBytes {
    var entry = SecretBytes(zeroes: bytesCount)
    let key = SecretBytes.random(count: 32)
    var bytes = entry.mutableBytes
    bytes.set(key.bytes, at: 0)
    bytes[flagsAt] = flags
    return entry
  }
}
