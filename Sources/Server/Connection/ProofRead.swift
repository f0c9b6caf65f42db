import EventModel
import EventStore
import RESP

/// A proof about a tenant's log.
struct ProofRead: Sendable {
  enum Kind: Sendable {
    /// That the event at a position is in the log of `size` events, or of all.
    case inclusion(UInt64, size: UInt64?)
    case consistency(old: UInt64, new: UInt64)
  }

  var tenant: TenantNumber
  var kind: Kind
}

extension ProofRead {
  /// Returns the map that `EVENT.PROOF` answers, with hashes as they stand in checkpoints.
  func run(on store: EventStore, _ encoder: ReplyEncoder) throws(StoreError) -> [UInt8] {
    var map = MapReply(encoder: encoder)
    let proof: TenantProof
    switch kind {
    case .inclusion(let position, let size):
      proof = try store.inclusionProof(tenant, position: position, size: size)
      map.add("position", position)
    case .consistency(let old, let new):
      proof = try store.consistencyProof(tenant, from: old, to: new)
      map.add("old", old)
      if let root = proof.oldRoot { map.add("oldroot", Base64.encode(root)) }
    }
    map.add("size", proof.size)
    if let leaf = proof.leaf { map.add("leaf", Base64.encode(leaf)) }
    map.add("root", Base64.encode(proof.root))
    map.add("hashes", proof.hashes.map(Base64.encode))
    var bytes: [UInt8] = []
    map.append(to: &bytes)
    return bytes
  }
}
