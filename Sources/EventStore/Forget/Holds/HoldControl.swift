import EventModel
import Keyring
import Sodium
import Storage
import Synchronization

// How holds are set and released.
//
// A release is planned: what was held may be destroyed by others from its end on, a week after the
// confirmation, or at once when another user, an approver, confirms. The hold's document then leaves the
// tree by a rotation, since it says that somebody was the matter of a dispute.

extension ControlPlane {
  /// Runs one act on holds.
  func perform(
    _ act: HoldAct, _ actor: Actor, _ survey: Result<Survey, StoreError>?
  ) throws(StoreError) -> HoldAnswer {
    switch act {
    case .set(let name, let scope, let reason, let reviewDay):
      return .hold(try set(try number(name), scope, reason, reviewDay, actor))
    case .list(let isPermitted):
      let now = shared.clock()
      return .holds(
        try shared.withState { (state) throws(StoreError) in
          var found: [HoldDetail] = []
          for tenant in state.tenants.values.sorted(by: { $0.number < $1.number })
          where isPermitted(tenant.name) {
            for hold in try state.storedHolds(tenant.number) where hold.holds(now) {
              found.append(try state.detail(hold, tenant.number, now))
            }
          }
          return found
        })
    case .export(let id, let isPermitted, let after, let limit):
      return .export(
        try export(id, isPermitted, after: after, limit: limit, survey, actor))
    case .release(let id, let isPermitted, let confirmation):
      return try release(id, isPermitted, confirmation, actor)
    }
  }

  private func set(
    _ tenant: TenantNumber, _ scope: HoldScope, _ reason: HoldReason, _ reviewDay: UInt32,
    _ actor: Actor
  ) throws(StoreError) -> HoldDetail {
    let now = shared.clock()
    guard Int64(reviewDay) * 86_400_000 > now else { throw .reviewPast }
    return try shared.withState { (state) throws(StoreError) in
      if let failure = state.failure { throw failure }
      let known = try state.storedHolds(tenant)
      let number = (known.map(\.number).max() ?? 0) + 1
      guard known.count < Limits.holdsMax, number <= HeldDocument.holdMax else {
        throw .tooManyHolds
      }
      let saved = try state.takeOver(scope, hold: number, of: tenant, shared.log)
      let hold = StoredHold(
        number: number, scope: try state.resolve(scope, tenant, mayBeGone: !saved.isEmpty),
        reason: reason, reviewDay: reviewDay, setMilliseconds: now)
      var documents = [hold.id: hold.document]
      for edit in saved { documents[edit.id] = edit.document }
      try StoreError.translating { () throws(KeyringError) in
        try state.keyring.setDocuments(
          tenant: tenant, documents,
          entry: LedgerEntry(
            timeMilliseconds: now, act: .holdSet, actor: actor.ledgerActor, tenant: tenant,
            result: reason.rawValue, count: UInt64(hold.number)))
      }
      // What was opened does not know what the hold has taken over.
      state.tenants[tenant]?.close()
      return try state.detail(hold, tenant, now)
    }
  }

  private func release(
    _ id: HoldID, _ isPermitted: PlanPermission, _ confirmation: Confirmation, _ actor: Actor
  ) throws(StoreError) -> HoldAnswer {
    let now = shared.clock()
    let found = try shared.withState { (state) throws(StoreError) -> StoredHold? in
      guard let tenant = state.tenants[id.tenant], isPermitted(tenant.name) else { return nil }
      return try state.storedHolds(id.tenant).first { $0.number == id.number && $0.holds(now) }
    }
    guard var hold = found else { throw .noHold }
    switch confirmation {
    case .none: throw .confirmationMissing
    case .dryRun:
      let token = PlanBook.newToken()
      holdReleases.note(token, id, uid: actor.uid, now: now)
      return .plan(
        try shared.withState { (state) throws(StoreError) in
          try state.detail(hold, id.tenant, now)
        }, token: token)
    case .token(let token):
      guard let uid = holdReleases.take(token, id, now: now) else { throw .confirmationUnknown }
      if actor.isApprover, actor.uid != uid {
        var removal = Removal()
        removal.documents = try shared.withState { (state) throws(StoreError) in
          try state.edits(ending: hold, of: id.tenant)
        }
        _ = try rotate(
          removal, .holdReleased, id.tenant, actor, plan: nil, reason: nil, now: now)
        return .released
      }
      hold.endsMilliseconds = now + Int64(Limits.shorteningDays) * 86_400_000
      return .hold(
        try shared.withState { (state) throws(StoreError) in
          try StoreError.translating { () throws(KeyringError) in
            try state.keyring.setDocuments(
              tenant: id.tenant, [hold.id: hold.document],
              entry: LedgerEntry(
                timeMilliseconds: now, act: .holdReleasePlanned, actor: actor.ledgerActor,
                tenant: id.tenant, count: UInt64(id.number)))
          }
          return try state.detail(hold, id.tenant, now)
        })
    }
  }
}

extension EngineState {
  /// What is held, by tags; throws when there is nothing under the name, unless it `mayBeGone`.
  fileprivate func resolve(
    _ scope: HoldScope, _ number: TenantNumber, mayBeGone: Bool
  ) throws(StoreError) -> StoredHold.Scope {
    guard let tenant = tenants[number] else { throw .noTenant }
    let secrets = try tenant.open(keyring)
    var resolver = NameResolver()
    switch scope {
    case .subject(let name):
      if try PersonKeys(name.span, tenant, self).slots.isEmpty, !mayBeGone { throw .noSubject }
      // Of classes that are made later too: the name is not kept.
      return .subject(
        (0..<UInt8(Limits.classesMax)).map {
          resolver.tag(.subject, ClassNumber(rawValue: $0), name.span, secrets.keys)
        })
    case .stream(let name):
      let tag = resolver.tag(.stream, .default, name.span, secrets.keys)
      let entry: MapEntry?
      do { entry = try keyring.entry(number, tag: tag) } catch { throw StoreError(error) }
      guard entry != nil || mayBeGone else { throw .noStream }
      return .stream(tag)
    case .retentionClass(let name):
      guard let found = secrets.retentionClass(named: name.span) else { throw .unknownClass }
      return .retentionClass(found.number)
    case .tenant: return .tenant
    }
  }

  fileprivate func detail(
    _ hold: StoredHold, _ number: TenantNumber, _ now: Int64
  ) throws(StoreError) -> HoldDetail {
    var (scope, name): (String, [UInt8]) = ("tenant", [])
    switch hold.scope {
    case .subject: scope = "datasubject"
    case .stream: scope = "stream"
    case .retentionClass(let found):
      scope = "class"
      let classes = try tenants[number]?.open(keyring).keys.classes ?? []
      name = classes.first { $0.number == found }?.name ?? []
    case .tenant: break
    }
    return HoldDetail(
      id: HoldID(tenant: number, number: hold.number), tenant: tenants[number]?.name, scope: scope,
      className: name, reason: hold.reason, reviewDay: hold.reviewDay,
      isOverdue: Int64(hold.reviewDay) * 86_400_000 <= now,
      setMilliseconds: hold.setMilliseconds,
      endsMilliseconds: hold.endsMilliseconds == 0 ? nil : hold.endsMilliseconds)
  }
}

/// Dry runs of releases that wait for their confirmation; in memory only.
final class HoldReleases: Sendable {
  private let waiting = Mutex<[String: (id: HoldID, uid: UInt32, madeMilliseconds: Int64)]>([:])

  func note(_ token: String, _ id: HoldID, uid: UInt32, now: Int64) {
    waiting.withLock { waiting in
      waiting = waiting.filter {
        now - $0.value.madeMilliseconds < Limits.planMilliseconds && $0.value.id != id
      }
      waiting[token] = (id, uid, now)
    }
  }

  /// Who made the dry run; its token is used up.
  func take(_ token: [UInt8], _ id: HoldID, now: Int64) -> UInt32? {
    waiting.withLock { waiting in
      let text = String(decoding: token, as: UTF8.self)
      guard let found = waiting[text], found.id == id,
        now - found.madeMilliseconds < Limits.planMilliseconds
      else { return nil }
      waiting[text] = nil
      return found.uid
    }
  }
}
