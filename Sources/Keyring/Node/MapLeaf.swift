package import EventModel
import Sodium

/// A tag in the order of its bytes, as the map sorts and branches.
struct MapTag: Hashable, Comparable {
  private let high: UInt64
  private let low: UInt64

  init(_ tag: Tag128) {
    high = tag.low.byteSwapped
    low = tag.high.byteSwapped
  }

  init(_ bytes: Span<UInt8>, at offset: Int) {
    high = bytes.bigEndian(at: offset, bytes: 8)
    low = bytes.bigEndian(at: offset + 8, bytes: 8)
  }

  /// As SipHash gave it.
  var tag: Tag128 { Tag128(low: high.byteSwapped, high: low.byteSwapped) }

  /// Levels that have five whole bits.
  static let levels = 25

  /// Five bits, from the first byte's top bit on.
  func digit(_ level: Int) -> Int {
    let first = 5 * level
    if first + 5 <= 64 { return Int(high >> UInt64(59 - first) & 31) }
    if first >= 64 { return Int(low >> UInt64(123 - first) & 31) }
    let fromLow = UInt64(first + 5 - 64)
    return Int((high << fromLow | low >> (64 - fromLow)) & 31)
  }

  func write(to bytes: inout MutableSpan<UInt8>, at offset: Int) {
    bytes.setBigEndian(high, at: offset, bytes: 8)
    bytes.setBigEndian(low, at: offset + 8, bytes: 8)
  }

  static func < (left: MapTag, right: MapTag) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }
}

/// What the map has for a name.
package struct MapEntry: Hashable, Sendable {
  /// Where its key lies; slot 0 for a mark.
  package let slot: Slot
  package let kind: NameKind
  /// Of a mark: the first UTC day, as days since 1970, on which it no longer holds.
  package let untilDay: UInt16
  /// Of an erased event's id: where it stood.
  package var position: UInt64 = 0
}

/// A leaf of the map: at most 48 entries, ascending by tag.
///
/// ```
/// kind u8 = 4 | count u16 | entries: tag 16 | slot u40 | flags u8 | until day u16 | position u48 | zero 2
/// ```
enum MapLeaf {
  static let mark: UInt8 = 4
  static let entriesMax = 48
  private static let start = 3
  private static let width = 32

  /// A tag with its entry.
  struct Item {
    let tag: MapTag
    let entry: MapEntry
  }

  /// True when a node of the map is a leaf.
  static func isLeaf(_ plain: borrowing SecretBytes) -> Bool { plain.bytes[0] == mark }

  static func encode(_ items: ArraySlice<Item>) -> SecretBytes {
    precondition(items.count <= entriesMax, "a map leaf is full")
    var plain = SecretBytes(zeroes: NodeSealing.unitBytes)
    var bytes = plain.mutableBytes
    bytes[0] = mark
    bytes.setBigEndian(UInt64(items.count), at: 1, bytes: 2)
    var offset = start
    for item in items {
      item.tag.write(to: &bytes, at: offset)
      bytes.setBigEndian(item.entry.slot.rawValue, at: offset + 16, bytes: 5)
      bytes[offset + 21] = item.entry.kind.rawValue
      bytes.setBigEndian(UInt64(item.entry.untilDay), at: offset + 22, bytes: 2)
      bytes.setBigEndian(item.entry.position, at: offset + 24, bytes: 6)
      offset += width
    }
    return plain
  }

  /// All entries; nil when the plaintext is not a leaf.
  static func decode(_ secret: borrowing SecretBytes) -> [Item]? {
    let plain = secret.bytes
    guard let count = count(plain) else { return nil }
    var items: [Item] = []
    items.reserveCapacity(count)
    for index in 0..<count {
      guard let item = item(plain, index) else { return nil }
      items.append(item)
    }
    return items
  }

  /// The entry of one tag, or nil.
  static func find(_ tag: MapTag, in secret: borrowing SecretBytes) -> MapEntry? {
    let plain = secret.bytes
    guard let count = count(plain) else { return nil }
    var bounds = 0..<count
    while !bounds.isEmpty {
      let middle = bounds.lowerBound + bounds.count / 2
      let found = MapTag(plain, at: start + middle * width)
      if found == tag { return item(plain, middle)?.entry }
      bounds = found < tag ? (middle + 1)..<bounds.upperBound : bounds.lowerBound..<middle
    }
    return nil
  }

  private static func count(_ plain: Span<UInt8>) -> Int? {
    let count = Int(plain.bigEndian(at: 1, bytes: 2))
    return plain[0] == mark && count <= entriesMax ? count : nil
  }

  private static func item(_ plain: Span<UInt8>, _ index: Int) -> Item? {
    let offset = start + index * width
    guard let kind = NameKind(rawValue: plain[offset + 21]) else { return nil }
    return Item(
      tag: MapTag(plain, at: offset),
      entry: MapEntry(
        slot: Slot(rawValue: plain.bigEndian(at: offset + 16, bytes: 5)), kind: kind,
        untilDay: UInt16(plain.bigEndian(at: offset + 22, bytes: 2)),
        position: plain.bigEndian(at: offset + 24, bytes: 6)))
  }
}
