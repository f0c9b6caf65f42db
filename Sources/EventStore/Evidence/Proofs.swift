package import EventModel
import Storage
import TransparencyLog

/// What proves something of a tenant's log; it holds hashes of ciphertext and nothing else, so it stays
/// true, and may be shown, when the events have been erased.
package struct TenantProof: Sendable {
  /// Of an inclusion proof: the hash of the event's leaf.
  package let leaf: [UInt8]?
  /// How many events the log has whose root the proof leads to.
  package let size: UInt64
  /// Of a consistency proof: the root of the older log.
  package let oldRoot: [UInt8]?
  package let root: [UInt8]
  /// As RFC 6962, section 2.1, orders them: the lowest first.
  package let hashes: [[UInt8]]
  /// How many tiles of the index were read.
  package let tilesRead: Int

  fileprivate init(_ found: FoundInclusion) {
    leaf = found.leaf.hash.bytes
    (size, oldRoot, root) = (found.proof.size, nil, found.root.bytes)
    hashes = found.proof.hashes.map(\.bytes)
    tilesRead = found.tilesRead
  }

  fileprivate init(_ found: FoundConsistency) {
    (leaf, size) = (nil, found.proof.newSize)
    (oldRoot, root) = (found.oldRoot.bytes, found.root.bytes)
    hashes = found.proof.hashes.map(\.bytes)
    tilesRead = found.tilesRead
  }
}

extension EventStore {
  /// Proves that the event at `position` is in the tenant's log of `size` events; nil: of all.
  ///
  /// Blocks; never call it on an event loop.
  package func inclusionProof(
    _ tenant: TenantNumber, position: UInt64, size: UInt64?
  ) throws(StoreError) -> TenantProof {
    let log = try shared.merkleLog(tenant)
    guard position > 0, position <= log.size else { throw .noEvent }
    let size = size ?? log.size
    guard size >= position, size <= log.size else { throw .notInLog(size: log.size) }
    let found = try log.inclusionProof(of: position - 1, size: size, tile: shared.tiles(of: tenant))
    guard let found else { throw .corrupt }
    return TenantProof(found)
  }

  /// Proves that the tenant's log of `old` events is the beginning of that of `new`.
  package func consistencyProof(
    _ tenant: TenantNumber, from old: UInt64, to new: UInt64
  ) throws(StoreError) -> TenantProof {
    let log = try shared.merkleLog(tenant)
    guard old > 0, old <= new, new <= log.size else { throw .notInLog(size: log.size) }
    let found = try log.consistencyProof(from: old, to: new, tile: shared.tiles(of: tenant))
    guard let found else { throw .corrupt }
    return TenantProof(found)
  }
}

extension SharedEngine {
  /// A tenant's log as it is now.
  ///
  /// Taken before tiles are read: what a flush moves into them meanwhile is in both.
  func merkleLog(_ number: TenantNumber) throws(StoreError) -> MerkleLog {
    try withState { (state) throws(StoreError) in
      let tenant = try state.activeTenant(number)
      return MerkleLog(
        frontier: tenant.committed.frontier,
        tails: [tenant.frozenLeaves, tenant.leaves].compactMap { $0 })
    }
  }

  /// Reads the tiles of a tenant's log.
  func tiles(of tenant: TenantNumber) -> (TileID) throws(StoreError) -> [Hash256] {
    { [index] (id) throws(StoreError) in
      try StoreError.translatingStorage { () throws(StorageError) in
        try index.tile(id, of: tenant)
      }
    }
  }
}
