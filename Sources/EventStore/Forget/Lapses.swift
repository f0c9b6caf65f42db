import EventModel
import Keyring

extension SharedEngine {
  /// What a rotation takes out of the tenants because it has reached its last day before `day`, in days
  /// since 1970; at a time that the store trusts.
  ///
  /// A key stays while its person or stream is under a hold, or an event that needs it is under one on
  /// a class or the tenant; other holds have the keys of their events saved.
  func lapsedParts(on day: UInt16) throws(StoreError) -> [TenantNumber: Removal.Part] {
    var parts: [TenantNumber: Removal.Part] = [:]
    // One lock a tenant: others go on meanwhile.
    let now = clock()
    for tenant in withState({ $0.keyring.tenants.map(\.number) }) {
      let found = try withState { (state) throws(StoreError) -> (LapsedKeys, Holds)? in
        guard state.tenants[tenant] != nil else { return nil }
        let lapsed = try StoreError.translating { () throws(KeyringError) in
          try state.keyring.lapsedKeys(tenant, on: day)
        }
        return lapsed.slots.isEmpty ? nil : (lapsed, try Holds(tenant, state, now: now))
      }
      guard case (var lapsed, let holds)? = found else { continue }
      let walk = HeaderWalk(shared: self, tenant: tenant)
      let count = lapsed.slots.count
      lapsed.slots = try walk.withoutHeld(lapsed.slots, holds)
      guard !lapsed.slots.isEmpty else { continue }
      var part = Removal.Part()
      part.slots = lapsed.slots
      // What is held is asked again every time, until the hold is released.
      part.nextLapseDay = lapsed.slots.count < count ? day : lapsed.nextDay
      parts[tenant] = part
    }
    return parts
  }
}

extension HeaderWalk {
  /// Those of the keys that no hold needs.
  fileprivate func withoutHeld(_ slots: [Slot], _ holds: Holds) throws(StoreError) -> [Slot] {
    guard !holds.isEmpty else { return slots }
    var free: [Slot] = []
    for slot in slots where !holds.keeps(slot) {
      if try !hasHeldEvent(slot, holds) { free.append(slot) }
    }
    return free
  }

  /// Whether a live event that needs a person's or a stream's key is under a hold that forbids its end.
  private func hasHeldEvent(_ slot: Slot, _ holds: Holds) throws(StoreError) -> Bool {
    var isHeld = false
    for isStream in [false, true] where !isHeld {
      guard let term = try term(of: slot, isStream: isStream) else { continue }
      try forEach(term, ordinals: isStream ? 1...Limits.positionMax : 0...0) {
        routing, header, isLive in
        let needsKey = header.stream == slot || header.subjects.contains(slot)
        isHeld = isLive && needsKey && holds.forbidding(routing, header) != nil
        return !isHeld
      }
    }
    return isHeld
  }
}
