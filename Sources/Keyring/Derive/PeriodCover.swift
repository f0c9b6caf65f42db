package import EventModel
package import Sodium

/// The period keys of one retention class, as seeds of a binary tree from which those that were
/// punctured cannot be derived any more (Goldreich, Goldwasser and Micali, 1986).
///
/// ```
///              s                 the children of a node are the halves of its keystream
///          s0      s1            leaf = period key; a cover is the set of the highest nodes
///        [x]  s01    s10 s11     that have no punctured leaf below them
/// ```
/// Expiry in order leaves at most one seed a level; a hole out of order adds at most depth - 1.
/// A value: puncturing answers a new cover, and what holds the old one must be destroyed.
package struct PeriodCover: ~Copyable, Sendable {
  /// A seed: `depth u8 | prefix u32 | seed 32`.
  package static let entryBytes = 37
  /// What the count byte holds, and what a tenant's node has room for.
  static let seedsMax = 200

  private let entries: SecretBytes
  /// Levels of the tree: 16 for days, 20 for hours.
  package let depth: Int
  /// How many seeds there are.
  package let count: Int

  /// Covers every period that the unit can count, from a fresh random seed.
  package init(unit: PeriodUnit) {
    self.init(unit: unit, seed: SecretBytes.random(count: 32).bytes)
  }

  /// Covers every period, from `seed` (32 bytes).
  package init(unit: PeriodUnit, seed: Span<UInt8>) {
    precondition(seed.count == 32, "a seed has 32 bytes")
    depth = Self.depth(unit)
    count = 1
    var entries = SecretBytes(zeroes: Self.entryBytes)
    var bytes = entries.mutableBytes
    bytes.set(seed, at: 5)
    self.entries = entries
  }

  /// Reads `count` seeds; nil when they cannot be a cover.
  package init?(unit: PeriodUnit, count: Int, entries: Span<UInt8>) {
    guard count <= Self.seedsMax, entries.count == count * Self.entryBytes else { return nil }
    let depth = Self.depth(unit)
    for offset in stride(from: 0, to: entries.count, by: Self.entryBytes) {
      let level = Int(entries[offset])
      guard level <= depth, entries.bigEndian(at: offset + 1, bytes: 4) >> UInt64(level) == 0
      else { return nil }
    }
    self.depth = depth
    self.count = count
    self.entries = SecretBytes(copying: entries)
  }

  static func depth(_ unit: PeriodUnit) -> Int { unit == .day ? 16 : 20 }

  /// The key of a period, or nil when it was punctured or lies beyond the tree.
  package borrowing func key(for period: UInt32) -> SecretBytes? {
    guard period >> UInt32(depth) == 0 else { return nil }
    for index in 0..<count {
      let node = node(index)
      guard period >> UInt32(depth - node.depth) == node.prefix else { continue }
      var seed = SecretBytes(copying: seed(index))
      for level in node.depth..<depth {
        Self.descend(&seed, bit: period >> UInt32(depth - 1 - level) & 1)
      }
      return seed
    }
    return nil
  }

  /// The cover without the periods in `range`; nil when it would have more than ``seedsMax`` seeds.
  package borrowing func puncturing(_ range: Range<UInt32>) -> PeriodCover? {
    var builder = Builder(range: range, depth: depth)
    for index in 0..<count where !builder.isFull {
      let node = node(index)
      builder.keep(node, seed(index))
    }
    return builder.isFull ? nil : PeriodCover(builder)
  }

  /// The same seeds once more.
  package borrowing func copy() -> PeriodCover { PeriodCover(copying: self) }

  /// The same periods under fresh random seeds, none of which follows from another.
  package borrowing func renewed() -> PeriodCover {
    PeriodCover(renewing: self)
  }

  /// How many of these periods can still be derived.
  package func liveCount(in range: Range<UInt32>) -> Int {
    let (lower, upper) = (UInt64(range.lowerBound), UInt64(range.upperBound))
    return (0..<count).reduce(0) { sum, index in
      let (first, end) = bounds(index)
      return sum + Int(min(end, upper) - min(max(first, lower), min(end, upper)))
    }
  }

  /// True when periods were punctured out of order: some after the first that can be derived.
  package var hasHoles: Bool {
    let covered = (0..<count).reduce(into: UInt64(0)) { sum, index in
      let (first, end) = bounds(index)
      sum += end - first
    }
    return covered < (1 << UInt64(depth)) - UInt64(firstPeriod ?? 0)
  }

  /// The periods below one seed.
  private func bounds(_ index: Int) -> (first: UInt64, end: UInt64) {
    let width = UInt64(1) << UInt64(depth - node(index).depth)
    let first = UInt64(node(index).prefix) * width
    return (first, first + width)
  }

  /// The first period that can still be derived, or nil when none can.
  package var firstPeriod: UInt32? {
    (0..<count).map { node($0).prefix << UInt32(depth - node($0).depth) }.min()
  }

  /// The first period from which on every one can be derived.
  package var solidFrom: UInt32 {
    var start = UInt64(1) << UInt64(depth)
    for (first, end) in (0..<count).map({ bounds($0) }).sorted(by: { $0.end > $1.end }) {
      guard end == start else { break }
      start = first
    }
    return UInt32(clamping: start)
  }

  /// Length of what ``write(to:at:)`` writes.
  package var bytesCount: Int { count * Self.entryBytes }

  /// Writes the seeds as a tenant's node has them.
  package borrowing func write(to bytes: inout MutableSpan<UInt8>, at offset: Int) {
    bytes.set(entries.bytes.extracting(0..<bytesCount), at: offset)
  }
}

extension PeriodCover {
  private struct Node {
    let depth: Int
    let prefix: UInt32
  }

  /// Gathers the seeds of a new cover.
  private struct Builder: ~Copyable {
    let range: Range<UInt32>
    let depth: Int
    var entries = SecretBytes(zeroes: PeriodCover.entryBytes * PeriodCover.seedsMax)
    var count = 0
    var isFull = false

    init(range: Range<UInt32>, depth: Int) {
      self.range = range
      self.depth = depth
    }

    /// Keeps what of the subtree lies outside the range.
    mutating func keep(_ node: Node, _ seed: Span<UInt8>) {
      let width = UInt64(1) << UInt64(depth - node.depth)
      let first = UInt64(node.prefix) * width
      let (lower, upper) = (UInt64(range.lowerBound), UInt64(range.upperBound))
      if lower >= upper || first >= upper || first + width <= lower { return append(node, seed) }
      if lower <= first && first + width <= upper { return }
      for bit: UInt32 in 0...1 {
        var child = SecretBytes(copying: seed)
        PeriodCover.descend(&child, bit: bit)
        keep(Node(depth: node.depth + 1, prefix: node.prefix << 1 | bit), child.bytes)
      }
    }

    private mutating func append(_ node: Node, _ seed: Span<UInt8>) {
      guard count < PeriodCover.seedsMax else {
        isFull = true
        return
      }
      let offset = count * PeriodCover.entryBytes
      var bytes = entries.mutableBytes
      bytes[offset] = UInt8(node.depth)
      bytes.setBigEndian(UInt64(node.prefix), at: offset + 1, bytes: 4)
      bytes.set(seed, at: offset + 5)
      count += 1
    }
  }

  private init(copying cover: borrowing PeriodCover) {
    (depth, count) = (cover.depth, cover.count)
    entries = cover.entries.copy()
  }

  private init(renewing cover: borrowing PeriodCover) {
    (depth, count) = (cover.depth, cover.count)
    var entries = cover.entries.copy()
    var bytes = entries.mutableBytes
    for index in 0..<cover.count {
      bytes.set(SecretBytes.random(count: 32).bytes, at: index * Self.entryBytes + 5)
    }
    self.entries = entries
  }

  private init(_ builder: borrowing Builder) {
    depth = builder.depth
    count = builder.count
    entries = SecretBytes(
      copying: builder.entries.bytes.extracting(0..<(builder.count * Self.entryBytes)))
  }

  private borrowing func node(_ index: Int) -> Node {
    let offset = index * Self.entryBytes
    return Node(
      depth: Int(entries.bytes[offset]),
      prefix: UInt32(entries.bytes.bigEndian(at: offset + 1, bytes: 4)))
  }

  @_lifetime(borrow self)
  private borrowing func seed(_ index: Int) -> Span<UInt8> {
    entries.bytes.extracting((index * Self.entryBytes + 5)..<((index + 1) * Self.entryBytes))
  }

  /// Replaces a node's seed by its child's.
  private static func descend(_ seed: inout SecretBytes, bit: UInt32) {
    var children = SecretBytes(zeroes: 64)
    var stream = children.mutableBytes
    ChaCha20.keystream(into: &stream, key: seed.bytes)
    var target = seed.mutableBytes
    target.set(children.bytes.extracting(Int(bit) * 32..<(Int(bit) + 1) * 32), at: 0)
  }
}
