package import EventModel

/// The state of a key in the words of NIST SP 800-57, part 1.
package enum KeyState: String, Sendable {
  /// Made, and not to be used yet.
  case preActivation = "pre-activation"
  case active
  /// Not used for a while: the tenant is suspended.
  case suspended
  /// Opens what it sealed, and seals nothing.
  case deactivated
  /// The same, and somebody may have it.
  case compromised
  case destroyed
}

/// A generation of a tenant's keys and what has become of it.
package struct GenerationStatus: Sendable {
  package let generation: Generation
  package let state: KeyState
  /// When an operator said that somebody may have it: milliseconds since 1970.
  package let compromised: Int64?
}

/// How far the keys of a class's periods have gone, over all generations.
package struct ClassKeyStatus: Sendable {
  package let name: [UInt8]
  /// The first period whose key is there; nil when none is.
  package let first: Period?
  /// True when keys of later periods are destroyed too.
  package let hasHoles: Bool
  /// The period of which events are stored now: keys of later ones are to be activated.
  package let active: Period
}

/// A tenant's keys as `KEY STATUS tenant` shows them.
package struct TenantKeyStatus: Sendable {
  package let name: TenantName
  /// When the keys that no rotation replaces were made: those of the map and of impersonal events.
  package let createdMilliseconds: Int64
  package let isSuspended: Bool
  package let lineage: UInt16
  /// Ascending; the last seals new events.
  package let generations: [GenerationStatus]
  package let classes: [ClassKeyStatus]
}

extension Keyring {
  /// The tenant's keys, their states and when these changed; `now` is in milliseconds since 1970.
  package func keyStatus(
    _ tenant: TenantNumber, now: Int64
  ) throws(KeyringError) -> TenantKeyStatus {
    guard let summary = tenants.first(where: { $0.number == tenant }) else {
      throw .unknownTenant
    }
    let keys = try tenantKeys(tenant)
    return TenantKeyStatus(
      name: summary.name, createdMilliseconds: summary.createdMilliseconds,
      isSuspended: summary.isSuspended, lineage: keys.lineage,
      generations: Self.states(try generations(tenant), isSuspended: summary.isSuspended),
      classes: keys.classes.map {
        let unit = $0.policy.unit
        return ClassKeyStatus(
          name: $0.name, first: $0.cover.firstPeriod.map { Period(unit: unit, index: $0) },
          hasHoles: $0.cover.hasHoles, active: Period(unit: unit, containing: now))
      })
  }

  /// What has become of each generation; one is compromised when a later one was begun for that reason.
  static func states(_ generations: [Generation], isSuspended: Bool) -> [GenerationStatus] {
    var found: [GenerationStatus] = []
    var compromised: Int64?
    for generation in generations.reversed() {
      let state: KeyState =
        if generation.destroyed > 0 {
          .destroyed
        } else if compromised != nil {
          .compromised
        } else if generation.ended > 0 {
          .deactivated
        } else {
          isSuspended ? .suspended : .active
        }
      found.append(
        GenerationStatus(generation: generation, state: state, compromised: compromised))
      if generation.cause == .compromised { compromised = generation.begun }
    }
    return found.reversed()
  }

  /// When the root of today took the place of the one before: milliseconds since 1970, from the ledger.
  func rootBegun() throws(KeyringError) -> Int64 {
    // Epochs never fall along the ledger, and the first line of one is that of the rotation.
    var (low, high) = (UInt64(1), nextLedgerIndex - 1)
    while low < high {
      let middle = low + (high - low) / 2
      let line = try ledgerEntries(from: middle, limit: 1).first?.entry
      if line?.epoch ?? 0 < epoch { low = middle + 1 } else { high = middle }
    }
    return try ledgerEntries(from: low, limit: 1).first?.entry.timeMilliseconds ?? 0
  }
}
