import EventModel

/// A log as it was at one moment: its right edge, and the hashes that no tile has.
///
/// Tiles are read when they are needed, through the closures given to the proofs, and only once each.
package struct MerkleLog: Sendable {
  private let frontier: Frontier
  /// One after the other, oldest first; before the first there are tiles.
  private let tails: [LogTail]

  package init(frontier: Frontier, tails: [LogTail]) {
    self.frontier = frontier
    self.tails = tails
  }

  /// How many leaves there are.
  package var size: UInt64 { frontier.count }

  /// Proves that a leaf, counted from 0, is in the log of `size` leaves; nil when a tile is not what it
  /// should be.
  ///
  /// `tile` returns a tile's hashes, of which at least those before the first tail must be there.
  package func inclusionProof<Failure: Error>(
    of leaf: UInt64, size: UInt64, tile: @escaping (TileID) throws(Failure) -> [Hash256]
  ) throws(Failure) -> FoundInclusion? {
    precondition(leaf < size && size <= self.size, "the leaf is not in the log")
    var reader = TileReader(tails: tails, tile: tile)
    let hash = LeafHash(try reader.hash(of: Subtree(height: 0, index: leaf)))
    let proof = InclusionProof(
      index: leaf, size: size,
      hashes: try reader.hashes(of: ProofNodes.inclusion(of: leaf, size: size)))
    guard reader.isWhole, let root = proof.root(from: hash),
      size < self.size || root == frontier.root()
    else { return nil }
    return FoundInclusion(leaf: hash, root: root, proof: proof, tilesRead: reader.tilesRead)
  }

  /// Proves that the log of `old` leaves is the beginning of that of `new`; nil when a tile is not what
  /// it should be.
  package func consistencyProof<Failure: Error>(
    from old: UInt64, to new: UInt64, tile: @escaping (TileID) throws(Failure) -> [Hash256]
  ) throws(Failure) -> FoundConsistency? {
    precondition(old > 0 && old <= new && new <= size, "the log was never so long")
    var reader = TileReader(tails: tails, tile: tile)
    let proof = ConsistencyProof(
      oldSize: old, newSize: new,
      hashes: try reader.hashes(of: ProofNodes.consistency(from: old, to: new)))
    let oldRoot = try reader.hash(of: 0..<old)
    let newRoot = new == size ? frontier.root() : try reader.hash(of: 0..<new)
    guard reader.isWhole, proof.proves(oldRoot, newRoot) else { return nil }
    return FoundConsistency(
      oldRoot: oldRoot, root: newRoot, proof: proof, tilesRead: reader.tilesRead)
  }

  /// The root over the first `size` leaves; nil when a tile is not what it should be.
  package func root<Failure: Error>(
    size: UInt64, tile: @escaping (TileID) throws(Failure) -> [Hash256]
  ) throws(Failure) -> Hash256? {
    precondition(size <= self.size, "the log was never so long")
    guard size < self.size else { return frontier.root() }
    var reader = TileReader(tails: tails, tile: tile)
    let root = try reader.hash(of: 0..<size)
    return reader.isWhole ? root : nil
  }
}

/// An inclusion proof with its two ends.
package struct FoundInclusion: Hashable, Sendable {
  package let leaf: LeafHash
  package let root: Hash256
  package let proof: InclusionProof
  /// How many tiles were read for it.
  package let tilesRead: Int
}

/// A consistency proof with the roots that it is about.
package struct FoundConsistency: Hashable, Sendable {
  package let oldRoot: Hash256
  package let root: Hash256
  package let proof: ConsistencyProof
  /// How many tiles were read for it.
  package let tilesRead: Int
}

/// Finds the hash of every node of a log.
private struct TileReader<Failure: Error> {
  let tails: [LogTail]
  let tile: (TileID) throws(Failure) -> [Hash256]
  private var tiles: [TileID: [Hash256]] = [:]
  /// False once a tile had no hash where there should be one.
  private(set) var isWhole = true

  init(tails: [LogTail], tile: @escaping (TileID) throws(Failure) -> [Hash256]) {
    self.tails = tails
    self.tile = tile
  }

  var tilesRead: Int { tiles.count }

  mutating func hashes(of nodes: [Range<UInt64>]) throws(Failure) -> [Hash256] {
    var found: [Hash256] = []
    for node in nodes { found.append(try hash(of: node)) }
    return found
  }

  /// The hash of a node, which may be ragged on the right.
  mutating func hash(of node: Range<UInt64>) throws(Failure) -> Hash256 {
    var parts: [Hash256] = []
    for subtree in Subtree.all(in: node) { parts.append(try hash(of: subtree)) }
    guard var hash = parts.popLast() else { return Hash256.sha256(Span()) }
    while let left = parts.popLast() { hash = Hash256.parent(left, hash) }
    return hash
  }

  /// Every eighth height is stored; what lies between is computed from the height below.
  mutating func hash(of subtree: Subtree) throws(Failure) -> Hash256 {
    guard subtree.height % TileID.heightBits != 0 else {
      return try stored(level: subtree.height / TileID.heightBits, subtree.index)
    }
    let halves = subtree.halves
    let left = try hash(of: halves.left)
    return Hash256.parent(left, try hash(of: halves.right))
  }

  private mutating func stored(level: Int, _ number: UInt64) throws(Failure) -> Hash256 {
    for tail in tails.reversed() where number >= tail.first(level: level) {
      if let hash = tail.hash(level: level, number) { return hash }
    }
    let id = TileID(level: level, number: number / UInt64(TileID.hashesMax))
    let place = Int(number % UInt64(TileID.hashesMax))
    if tiles[id] == nil { tiles[id] = try tile(id) }
    let hash = tiles[id]?[place] ?? .zero
    if hash == .zero { isWhole = false }
    return hash
  }
}
