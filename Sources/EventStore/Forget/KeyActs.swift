import EventModel
package import Keyring

/// What a rotation did that destroyed nothing but the readability of old copies.
package struct KeyRotation: Sendable {
  package let receipt: RotationReceipt
  /// When it was done: milliseconds since 1970.
  package let timeMilliseconds: Int64
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

  private func rotateKeys(
    _ removal: Removal, _ act: LedgerEntry.Act, _ tenant: TenantNumber, _ actor: Actor
  ) throws(StoreError) -> KeyRotation {
    let now = shared.clock()
    let receipt = try rotate(removal, act, tenant, actor, plan: nil, reason: nil, now: now)
    return KeyRotation(receipt: receipt, timeMilliseconds: now)
  }
}
