package import EventModel
import Keyring
import Storage

// Who may take a tenant's events out in bulk, and until when.
//
// An officer grants it to a user or a named socket that has the role exporter, to the end of a day. Where
// the tenant asks for it, another user with the role approver must approve. The ledger keeps all of it;
// the document only what has not ended.

extension ControlPlane {
  /// Runs one act on grants.
  func perform(_ act: GrantAct, _ actor: Actor) throws(StoreError) -> ControlAnswer {
    let now = shared.clock()
    switch act {
    case .set(let name, let peer, let day):
      return .grant(try set(try number(name), peer, untilDay: day, actor, now))
    case .list(let isPermitted):
      return .grants(
        try shared.withState { (state) throws(StoreError) in
          var found: [GrantDetail] = []
          for tenant in state.tenants.values.sorted(by: { $0.number < $1.number })
          where isPermitted(tenant.name) {
            found += try state.grants(tenant.number).grants.filter { !$0.hasEnded(now) }
              .map { state.detail($0, tenant.number) }
          }
          return found
        })
    case .approve(let id, let isPermitted):
      let grant = try edit(id, isPermitted, .grantApproved, actor, now) {
        (grants, index) throws(StoreError) in
        guard !grants.grants[index].isApproved else { throw .noGrant }
        guard grants.grants[index].setBy != actor.uid || Self.ownApproves else {
          throw .needsApproval
        }
        grants.grants[index].isApproved = true
      }
      return .grant(grant)
    case .revoke(let id, let isPermitted):
      _ = try edit(id, isPermitted, .grantRevoked, actor, now) { grants, index in
        grants.grants.remove(at: index)
      }
      return .done
    }
  }

  /// Only the broken variant lets somebody approve their own grant.
  private static var ownApproves: Bool {
    #if DEBUG
      return TestHooks.isVariant("grant-self-approved")
    #else
      return false
    #endif
  }

  private func set(
    _ tenant: TenantNumber, _ peer: GrantPeer, untilDay: UInt32, _ actor: Actor, _ now: Int64
  ) throws(StoreError) -> GrantDetail {
    let today = UInt32(clamping: now / 86_400_000)
    guard untilDay >= today, untilDay - today <= Limits.grantDaysMax else {
      throw .untilUnsuitable
    }
    return try shared.withState { (state) throws(StoreError) in
      var grants = try state.grants(tenant)
      grants.grants.removeAll { $0.hasEnded(now) }
      guard grants.grants.count < Limits.grantsMax else { throw .tooManyGrants }
      let grant = StoredGrants.Grant(
        number: grants.nextNumber, peer: peer, setBy: actor.uid, setMilliseconds: now,
        untilDay: untilDay, isApproved: !grants.needsApproval)
      grants.grants.append(grant)
      grants.nextNumber += 1
      try state.keep(
        grants, tenant,
        LedgerEntry(
          timeMilliseconds: now, act: .grantSet, actor: actor.ledgerActor, tenant: tenant,
          result: grant.isApproved ? 0 : 1, count: UInt64(grant.number)))
      return state.detail(grant, tenant)
    }
  }

  /// Changes a grant that has not ended; answers it as it was or is.
  private func edit(
    _ id: GrantID, _ isPermitted: PlanPermission, _ act: LedgerEntry.Act, _ actor: Actor,
    _ now: Int64, _ change: (inout StoredGrants, Int) throws(StoreError) -> Void
  ) throws(StoreError) -> GrantDetail {
    try shared.withState { (state) throws(StoreError) in
      guard let tenant = state.tenants[id.tenant], isPermitted(tenant.name) else { throw .noGrant }
      var grants = try state.grants(id.tenant)
      guard
        let index = grants.grants.firstIndex(where: {
          $0.number == id.number && !$0.hasEnded(now)
        })
      else { throw .noGrant }
      var grant = grants.grants[index]
      try change(&grants, index)
      if let changed = grants.grants.first(where: { $0.number == id.number }) { grant = changed }
      try state.keep(
        grants, id.tenant,
        LedgerEntry(
          timeMilliseconds: now, act: act, actor: actor.ledgerActor, tenant: id.tenant,
          count: UInt64(id.number)))
      return state.detail(grant, id.tenant)
    }
  }

  /// Grants of the tenant need a second user from now on, or no longer; those there are stay as they are.
  func setExportApproval(
    _ tenant: TenantNumber, _ isNeeded: Bool, _ actor: Actor
  ) throws(StoreError) -> ControlAnswer {
    try shared.withState { (state) throws(StoreError) in
      var grants = try state.grants(tenant)
      grants.needsApproval = isNeeded
      try state.keep(
        grants, tenant,
        LedgerEntry(
          timeMilliseconds: shared.clock(), act: .exportApprovalSet, actor: actor.ledgerActor,
          tenant: tenant, result: isNeeded ? 1 : 0))
    }
    return .done
  }
}

extension EventStore {
  /// Throws `.noGrant` unless the peer may take the tenant's events out now; the ledger has that, too.
  ///
  /// Blocks; never call it on an event loop.
  package func checkGrant(
    _ tenant: TenantNumber, _ actor: Actor, verb: String
  ) throws(StoreError) {
    #if DEBUG
      if TestHooks.isVariant("export-ungranted") { return }
    #endif
    let (now, peer) = (shared.clock(), actor.grantPeer)
    let isGranted = try shared.withState { (state) throws(StoreError) in
      _ = try state.activeTenant(tenant)
      return try state.grants(tenant).grants.contains { $0.peer == peer && $0.isInForce(now) }
    }
    guard !isGranted else { return }
    shared.note(Refusal(verb: verb, reason: .noGrant), actor, tenant: tenant)
    throw .noGrant
  }

  /// A page of what there is about a person was read for the officer `actor`; written down before it is
  /// given out.
  ///
  /// Blocks; never call it on an event loop.
  package func noteSubjectExport(
    _ tenant: TenantNumber, _ actor: Actor, eventCount: Int
  ) throws(StoreError) {
    try shared.withState { (state) throws(StoreError) in
      if let failure = state.failure { throw failure }
      try StoreError.translating { () throws(KeyringError) in
        try state.keyring.appendLedger(
          LedgerEntry(
            timeMilliseconds: shared.clock(), act: .subjectExported, actor: actor.ledgerActor,
            tenant: tenant, count: UInt64(eventCount), subjectCount: 1))
      }
    }
  }
}

extension EngineState {
  /// Writes a tenant's grants with their line of the ledger.
  fileprivate func keep(
    _ grants: StoredGrants, _ tenant: TenantNumber, _ entry: LedgerEntry
  ) throws(StoreError) {
    if let failure { throw failure }
    try StoreError.translating { () throws(KeyringError) in
      try keyring.setDocuments(
        tenant: tenant, [StoredGrants.id: grants.document], entry: entry)
    }
  }

  fileprivate func detail(_ grant: StoredGrants.Grant, _ tenant: TenantNumber) -> GrantDetail {
    GrantDetail(
      id: GrantID(tenant: tenant, number: grant.number), tenant: tenants[tenant]?.name,
      peer: grant.peer, isApproved: grant.isApproved, setMilliseconds: grant.setMilliseconds,
      untilDay: grant.untilDay)
  }
}
