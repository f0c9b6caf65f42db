import EventModel
package import Keyring

/// What a rotation did that destroyed nothing but the readability of old copies.
package struct KeyRotation: Sendable {
  package let receipt: RotationReceipt
  /// When it was done: milliseconds since 1970.
  package let timeMilliseconds: Int64
  /// The generation that it began, if it did.
  package var generation: NewGeneration?
}

/// A generation of a tenant's keys that has just begun.
package struct NewGeneration: Sendable {
  package let number: UInt16
  /// The newest position that was given out before it; events up to it keep their old keys.
  package let lastPosition: UInt64
}

// Rotations without a plan: they erase no event, so that there is nothing to confirm.

extension ControlPlane {
  /// A new root, and the old one erased: every copy of the keyring that was taken before is noise now.
  func rotateRoot(_ actor: Actor) throws(StoreError) -> KeyRotation {
    try rotateKeys(Removal(), .rootRotated, .none, actor)
  }

  /// The same with a fresh key for every node of the tenant: whoever read its nodes' keys once cannot
  /// read with them what is added from now on.
  ///
  /// The writer stands still meanwhile; its time grows with the tenant's persons and streams.
  func rewrap(_ tenant: TenantNumber, _ actor: Actor) throws(StoreError) -> KeyRotation {
    var removal = Removal()
    removal.rewraps = [tenant]
    return try rotateKeys(removal, .tenantRewrapped, tenant, actor)
  }

  /// Fresh keys for everything that the tenant stores from now on, and a new root.
  ///
  /// What was stored before can be read as before, and is protected as before: whoever has its keys and its
  /// ciphertext has it.
  func rotateTenant(
    _ tenant: TenantNumber, _ cause: GenerationCause, _ actor: Actor
  ) throws(StoreError) -> KeyRotation {
    let now = shared.clock()
    let (next, last, stored) = try shared.withState { (state) throws(StoreError) in
      guard let found = state.tenants[tenant] else { throw .noTenant }
      let generation = try found.open(state.keyring).generation
      return (generation &+ 1, found.pendingPosition, found.pendingStoredMilliseconds)
    }
    var removal = Removal()
    removal.generations[tenant] = GenerationStart(
      cause: cause, milliseconds: now, storedThrough: max(now, stored))
    let entry = LedgerEntry(
      timeMilliseconds: now, act: .generationBegun, actor: actor.ledgerActor, tenant: tenant,
      result: cause == .compromised ? 1 : 0, count: UInt64(next))
    defer { shared.raiseBarrier(for: tenant) }
    let receipt = try rotate(removal, entry: entry, nil)
    return KeyRotation(
      receipt: receipt, timeMilliseconds: now,
      generation: NewGeneration(number: next, lastPosition: last))
  }

  private func rotateKeys(
    _ removal: Removal, _ act: LedgerEntry.Act, _ tenant: TenantNumber, _ actor: Actor
  ) throws(StoreError) -> KeyRotation {
    let now = shared.clock()
    let receipt = try rotate(removal, act, tenant, actor, plan: nil, reason: nil, now: now)
    return KeyRotation(receipt: receipt, timeMilliseconds: now)
  }
}
