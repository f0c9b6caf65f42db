/// A place of 256 hashes of a log: those of the subtrees of one height, side by side.
///
/// ```
/// level 2   [ .. ]                          each hash over 65,536 leaves
/// level 1   [ 256 hashes ][ .. ]            each hash over the 256 of the tile below it
/// level 0   [ 256 leaves ][ 256 leaves ].. [ 17 leaves ]
/// ```
/// Tiles only ever grow at their end, and a full one never changes again (C2SP tlog-tiles).
package struct TileID: Hashable, Sendable {
  /// How many hashes a full tile has.
  package static let hashesMax = 256
  static let heightBits = 8
  /// Positions have 48 bits: six levels.
  static let levelsMax = 6

  package let level: Int
  /// Counted among those of the same level, from the left.
  package let number: UInt64

  package init(level: Int, number: UInt64) {
    self.level = level
    self.number = number
  }
}

/// Hashes of a log that are in no tile yet: those of the subtrees of each level that became complete
/// since a number of leaves.
package struct LogTail: Hashable, Sendable {
  /// How many leaves there were when it began.
  package let start: UInt64
  /// By level; the first hash of a level is number `start >> (8 * level)`.
  package private(set) var levels: [[Hash256]] = []

  package init(start: UInt64) { self.start = start }

  package var isEmpty: Bool { levels.isEmpty }

  /// The number of a level's first hash.
  package func first(level: Int) -> UInt64 { start >> UInt64(TileID.heightBits * level) }

  /// The hash with this number, or nil when it is older or not complete.
  func hash(level: Int, _ number: UInt64) -> Hash256? {
    guard level < levels.count, number >= first(level: level) else { return nil }
    let place = number - first(level: level)
    return place < UInt64(levels[level].count) ? levels[level][Int(place)] : nil
  }

  /// Adds what began where this one ends.
  package mutating func append(_ next: LogTail) {
    for (level, hashes) in next.levels.enumerated() {
      if level == levels.count { levels.append([]) }
      levels[level] += hashes
    }
  }

  mutating func append(_ hash: Hash256, level: Int) {
    while levels.count <= level { levels.append([]) }
    levels[level].append(hash)
  }
}

/// A log that is growing: its right edge, and what was added.
package struct LogGrowth: Hashable, Sendable {
  package private(set) var frontier: Frontier
  package private(set) var added: LogTail

  package init(_ frontier: Frontier) {
    self.frontier = frontier
    added = LogTail(start: frontier.count)
  }

  /// Adds a leaf; one hash on average.
  package mutating func append(_ leaf: LeafHash) { frontier.append(leaf, to: &added) }
}
