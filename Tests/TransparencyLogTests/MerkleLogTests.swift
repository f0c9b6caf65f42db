import EventModel
import Foundation
import Testing

@testable import TransparencyLog

/// A log whose tiles are written at random times, as the index thread does, and its leaves.
private struct ModelLog {
  private(set) var leaves: [LeafHash] = []
  private var frontier = Frontier()
  private var frozen: LogTail?
  private var tail = LogTail(start: 0)
  private(set) var tiles: [TileID: [Hash256]] = [:]
  /// The root at sizes that are asked for; with `keepsRoots`, at every size.
  private(set) var roots: [Int: Hash256] = [0: Frontier().root()]
  private let keepsRoots: Bool

  init(keepsRoots: Bool = true) { self.keepsRoots = keepsRoots }

  var log: MerkleLog { MerkleLog(frontier: frontier, tails: [frozen, tail].compactMap { $0 }) }

  mutating func append() {
    let leaf = LeafHash(entry: UInt64(leaves.count).bigEndianBytes.span)
    leaves.append(leaf)
    frontier.append(leaf, to: &tail)
    if keepsRoots { keepRoot() }
  }

  mutating func keepRoot() { roots[leaves.count] = frontier.root() }

  /// What was set aside goes into the tiles.
  mutating func flush() {
    for (level, hashes) in (frozen ?? LogTail(start: 0)).levels.enumerated() {
      var number = frozen!.first(level: level)
      for hash in hashes {
        let id = TileID(level: level, number: number / 256)
        var tile = tiles[id] ?? Array(repeating: Hash256.sha256(Span()), count: 256)
        tile[Int(number % 256)] = hash
        tiles[id] = tile
        number += 1
      }
    }
    frozen = nil
  }

  mutating func freeze() {
    flush()
    frozen = tail
    tail = LogTail(start: frontier.count)
  }

  func tile(_ id: TileID) throws -> [Hash256] { try #require(tiles[id]) }

  func root(_ size: Int) throws -> Hash256 { try #require(roots[size]) }

  func checkInclusion(_ leaf: Int, _ size: Int) throws {
    let found = try #require(
      try log.inclusionProof(of: UInt64(leaf), size: UInt64(size), tile: tile))
    #expect(found.leaf == leaves[leaf])
    let root = try root(size)
    #expect(found.root == root)
    #expect(found.proof.proves(leaves[leaf], under: root))
  }

  func checkConsistency(_ old: Int, _ new: Int) throws {
    let found = try #require(
      try log.consistencyProof(from: UInt64(old), to: UInt64(new), tile: tile))
    let (oldRoot, newRoot) = (try root(old), try root(new))
    #expect(found.oldRoot == oldRoot && found.root == newRoot)
    #expect(found.proof.proves(oldRoot, newRoot))
  }
}

@Suite struct MerkleLogTests {
  @Test(arguments: [false, true])
  func `every proof of a short log is one`(isFlushed: Bool) throws {
    var model = ModelLog()
    for size in 1...66 {
      model.append()
      if isFlushed, size % 7 == 0 { model.freeze() }
      for leaf in 0..<size { try model.checkInclusion(leaf, size) }
      for old in 1...size { try model.checkConsistency(old, size) }
    }
    for size in 1...66 {
      let root = try model.root(size)
      #expect(try model.log.root(size: UInt64(size), tile: model.tile) == root)
    }
  }

  @Test func `proofs of long logs are right whatever lies in tiles and whatever in memory`() throws
  {
    let seed =
      ProcessInfo.processInfo.environment["LETHE_TEST_SEED"].flatMap { UInt64($0) }
      ?? UInt64.random(in: 0...UInt64(UInt32.max))
    print("proofs of long logs: LETHE_TEST_SEED=\(seed)")
    var state = seed
    func random(_ range: ClosedRange<Int>) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return range.lowerBound + Int(state >> 33) % range.count
    }
    var model = ModelLog(keepsRoots: false)
    // Beyond 65,536 leaves there are three levels of tiles.
    for step in 0..<60 {
      for _ in 0..<random(1...2_600) { model.append() }
      model.keepRoot()
      if random(0...2) > 0 { model.freeze() }
      if random(0...1) > 0 { model.flush() }
      guard step % 6 == 5 else { continue }
      let count = model.leaves.count
      for _ in 0..<4 {
        let sizes = model.roots.keys.filter { $0 > 0 }.sorted()
        let size = random(0...1) == 0 ? count : sizes[random(0...(sizes.count - 1))]
        try model.checkInclusion(random(0...(size - 1)), size)
        let older = sizes.filter { $0 <= size }
        try model.checkConsistency(older[random(0...(older.count - 1))], size)
      }
    }
    #expect(model.leaves.count > 65_536)
    #expect(Set(model.tiles.keys.map(\.level)) == [0, 1, 2])
  }

  @Test func `a hash that is not the log's own is noticed`() throws {
    var model = ModelLog()
    for _ in 0..<1_000 { model.append() }
    model.freeze()
    model.flush()
    for id in model.tiles.keys {
      let found = try model.log.inclusionProof(of: 3, size: 1_000) { wanted throws -> [Hash256] in
        var hashes = try model.tile(wanted)
        if wanted == id { hashes = hashes.map { _ in Hash256.sha256(Span()) } }
        return hashes
      }
      let isUsed = id == TileID(level: 0, number: 0) || id.level == 1 || id.number == 3
      #expect((found == nil) == isUsed)
    }
  }

  @Test func `a proof among ten million events reads at most six tiles`() {
    // The nodes of the deepest and of the most ragged proofs, each with the tiles that have its hashes.
    func tiles(_ nodes: [Range<UInt64>]) -> Int {
      Set(
        nodes.flatMap { Subtree.all(in: $0) }.map { subtree in
          let level = subtree.height / 8
          let first = subtree.index << UInt64(subtree.height % 8)
          return TileID(level: level, number: first / 256)
        }
      ).count
    }
    for size: UInt64 in [10_000_000, 9_999_999, 8_388_609, 16_777_215] {
      for leaf: UInt64 in [0, 1, 4_194_304, 5_000_000, size / 2 + 1, size - 2, size - 1] {
        #expect(tiles(ProofNodes.inclusion(of: leaf, size: size)) <= 6)
        #expect(tiles(ProofNodes.consistency(from: leaf + 1, to: size)) <= 9)
      }
    }
  }
}
