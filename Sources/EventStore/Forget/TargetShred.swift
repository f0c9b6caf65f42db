import EventModel
import Keyring
import Sodium
import Storage

// How events, streams and periods are planned and destroyed.

extension ControlPlane {
  /// What a plan of this target is bound to; holds no name.
  private func planTarget(
    _ tenant: TenantNumber, _ target: ShredTarget
  ) throws(StoreError) -> PlanTarget {
    switch target {
    case .events(let positions):
      var message: [UInt8] = []
      for position in Set(positions).sorted() { message.appendBigEndian(position, bytes: 8) }
      return .events(
        tenant,
        KeyDerivation.checksum(
          count: 32, context: KeyDerivation.Context("LT1.plan"), message: message.span))
    case .stream(let name): return .stream(tenant, try tags(tenant, .stream, [name])[0])
    case .period(let className, let day): return .period(tenant, className: className, day: day)
    }
  }

  /// Notes what destroying the target would take along, and answers the token for it.
  func planShred(
    _ tenant: TenantNumber, _ target: ShredTarget, _ survey: Result<Survey, StoreError>?,
    _ actor: Actor
  ) throws(StoreError) -> ShredPlan {
    guard let survey = try survey?.get() else { throw .corrupt }
    let plan = ShredPlan(try survey.findings(), token: PlanBook.newToken())
    let now = shared.clock()
    try plans.add(
      PlanBook.Entry(
        target: try planTarget(tenant, target), plan: plan, uid: actor.uid,
        madeMilliseconds: now),
      now: now)
    return plan
  }

  /// Destroys the target's keys, in the order in which a person's are destroyed.
  func shred(
    _ tenant: TenantNumber, _ target: ShredTarget, _ survey: Result<Survey, StoreError>?,
    _ reason: ReasonCode, _ token: [UInt8], _ actor: Actor
  ) throws(StoreError) -> ShredReceipt {
    let now = shared.clock()
    let entry = try plans.find(token, target: try planTarget(tenant, target), now: now)
    guard let findings = try survey?.get().findings() else { throw .corrupt }
    guard entry.plan.isSame(as: ShredPlan(findings, token: entry.plan.token)),
      try findings.isStillTrue()
    else { throw .planChanged }
    var part = findings.part
    #if DEBUG
      if TestHooks.isVariant("id-unmarked") { part.marks = [] }
    #endif
    var removal = Removal()
    removal.parts[tenant] = part
    try shared.erasures.stage(
      findings.positions, tenant: tenant, now: now, planHash: entry.plan.hash, shared: shared)
    // Whether the act came to be, its rows tell by the ledger, also when it ends in an error.
    defer { shared.erasuresMoved(tenant) }
    let receipt = try rotate(
      removal, target.ledgerAct, tenant, actor, plan: entry.plan, reason: reason, now: now)
    plans.remove(entry)
    return ShredReceipt(plan: entry.plan, rotation: receipt, timeMilliseconds: now)
  }
}

extension ShredTarget {
  fileprivate var ledgerAct: LedgerEntry.Act {
    switch self {
    case .events: .eventsShredded
    case .stream: .streamShredded
    case .period: .periodShredded
    }
  }
}
