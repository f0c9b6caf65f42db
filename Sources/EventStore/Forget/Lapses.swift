import EventModel
import Keyring

extension SharedEngine {
  /// What a rotation takes out of the tenants because it has reached its last day before `day`, in days
  /// since 1970; at a time that the store trusts.
  func lapsedParts(on day: UInt16) throws(StoreError) -> [TenantNumber: Removal.Part] {
    var parts: [TenantNumber: Removal.Part] = [:]
    // One lock a tenant: others go on meanwhile.
    let now = clock()
    for tenant in withState({ $0.keyring.tenants.map(\.number) }) {
      let lapsed = try withState { (state) throws(StoreError) -> LapsedKeys? in
        guard state.tenants[tenant] != nil else { return nil }
        var lapsed = try StoreError.translating { () throws(KeyringError) in
          try state.keyring.lapsedKeys(tenant, on: day)
        }
        guard !lapsed.slots.isEmpty else { return nil }
        let holds = try Holds(tenant, state, now: now)
        let kept = lapsed.slots.filter(holds.keeps)
        guard !kept.isEmpty else { return lapsed }
        // Asked again every time, until the hold is released.
        lapsed.slots.removeAll(where: holds.keeps)
        lapsed.nextDay = day
        return lapsed
      }
      guard let lapsed, !lapsed.slots.isEmpty else { continue }
      var part = Removal.Part()
      part.slots = lapsed.slots
      part.nextLapseDay = lapsed.nextDay
      parts[tenant] = part
    }
    return parts
  }
}
