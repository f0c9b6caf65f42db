import EventModel
import Keyring
import Storage
import Synchronization

// How retention classes are made and their policies changed.
//
// What takes nothing back is done at once. A shorter maximum is planned, confirmed with the plan's
// token and in force a week later, or at once when another user, an approver, confirms it; a shorter
// minimum is only done then.

extension ControlPlane {
  /// Runs one act on a tenant's classes.
  func perform(
    _ act: RetentionAct, _ tenant: TenantNumber, _ actor: Actor,
    survey: Result<Survey, StoreError>?
  ) throws(StoreError) -> RetentionAnswer {
    switch act {
    case .list:
      let (found, map) = (try classes(tenant), try typeMap(tenant))
      return .classes(found.map { RetentionDetail($0, map) })
    case .map(let type, let name):
      return .done(try self.map(type, to: name, tenant, actor))
    case .set(let request, let confirmation):
      guard confirmation != .dryRun else {
        guard let survey = try survey?.get().retention() else { throw .corrupt }
        return .plan(try plan(request, tenant, survey, actor))
      }
      return .done(try set(request, confirmation, tenant, actor))
    }
  }

  private func classes(_ number: TenantNumber) throws(StoreError) -> [RetentionClass] {
    try shared.withState { (state) throws(StoreError) in
      guard let tenant = state.tenants[number] else { throw .noTenant }
      return try tenant.open(state.keyring).keys.classes
    }
  }

  private func typeMap(_ tenant: TenantNumber) throws(StoreError) -> TypeMap {
    try shared.withState { (state) throws(StoreError) in
      try StoreError.translating { () throws(KeyringError) in try state.keyring.typeMap(tenant) }
    }
  }

  private func map(
    _ type: [UInt8], to name: [UInt8], _ tenant: TenantNumber, _ actor: Actor
  ) throws(StoreError) -> RetentionDetail {
    guard let found = try classes(tenant).first(where: { $0.name == name }) else {
      throw .unknownClass
    }
    var map = try typeMap(tenant)
    guard map.set(type, found.number) else { throw .tooManyTypes }
    try shared.withState { (state) throws(StoreError) in
      if let failure = state.failure { throw failure }
      try StoreError.translating { () throws(KeyringError) in
        try state.keyring.setTypeMap(
          tenant, map,
          entry: LedgerEntry(
            timeMilliseconds: shared.clock(), act: .typeMapped, actor: actor.ledgerActor,
            tenant: tenant, count: UInt64(found.number.rawValue)))
      }
      state.tenants[tenant]?.close()
    }
    return RetentionDetail(found, map)
  }

  private func plan(
    _ request: RetentionRequest, _ tenant: TenantNumber, _ survey: RetentionSurvey, _ actor: Actor
  ) throws(StoreError) -> RetentionPlan {
    let now = shared.clock()
    let found = try classes(tenant).first { $0.name == request.className }
    // Refused now what would be refused then.
    let next = try Self.changed(found?.policy, request, now: now, isApproved: false)
    let plan = RetentionPlan(
      name: request.className, weight: found?.policy.weight(of: request.change, now: now) ?? .plain,
      eventCount: survey.eventCount,
      inForceMilliseconds: next.shortening?.inForceMilliseconds ?? 0, token: PlanBook.newToken())
    try retentionPlans.add(
      RetentionPlanBook.Entry(
        tenant: tenant, request: request, before: found?.policy, uid: actor.uid,
        madeMilliseconds: now),
      token: plan.token, now: now)
    return plan
  }

  private func set(
    _ request: RetentionRequest, _ confirmation: Confirmation, _ tenant: TenantNumber,
    _ actor: Actor
  ) throws(StoreError) -> RetentionDetail {
    let now = shared.clock()
    let before = try classes(tenant).first { $0.name == request.className }?.policy
    let weight = before?.weight(of: request.change, now: now) ?? .plain
    var isApproved = false
    if case .token(let token) = confirmation {
      let entry = try retentionPlans.find(token, tenant: tenant, request: request, now: now)
      guard entry.before == before else { throw .planChanged }
      isApproved = actor.isApprover && actor.uid != entry.uid
    } else if weight != .plain {
      throw .confirmationMissing
    }
    guard weight != .shortensMinimum || isApproved else { throw .needsApproval }
    let policy = try Self.changed(before, request, now: now, isApproved: isApproved)
    let act: LedgerEntry.Act
    let result: UInt8
    switch weight {
    case .plain: (act, result) = (.classSet, before == nil ? 0 : 1)
    case .shortensMaximum: (act, result) = (.maximumShortened, isApproved ? 1 : 0)
    case .shortensMinimum: (act, result) = (.minimumShortened, 0)
    }
    try shared.withState { (state) throws(StoreError) in
      if let failure = state.failure { throw failure }
      try StoreError.translating { () throws(KeyringError) in
        _ = try state.keyring.setClass(
          tenant, name: request.className, policy: policy,
          entry: LedgerEntry(
            timeMilliseconds: now, act: act, actor: actor.ledgerActor, result: result))
      }
      // What was opened has the classes of before.
      state.tenants[tenant]?.close()
    }
    if case .token(let token) = confirmation { retentionPlans.remove(token) }
    let number = try classes(tenant).first { $0.name == request.className }?.number
    return RetentionDetail(
      name: request.className, policy: policy, types: try typeMap(tenant).types(of: number))
  }

  private static func changed(
    _ before: RetentionPolicy?, _ request: RetentionRequest, now: Int64, isApproved: Bool
  ) throws(StoreError) -> RetentionPolicy {
    do throws(RetentionRefusal) {
      if let before {
        return try before.changed(by: request.change, now: now, isApproved: isApproved)
      }
      guard let retention = request.change.maximum?.retention else { throw .noMaximum }
      return try RetentionPolicy(retention).changed(
        by: request.change, now: now, isApproved: isApproved)
    } catch {
      throw .retention(error)
    }
  }
}

extension RetentionDetail {
  init(_ found: RetentionClass, _ map: TypeMap) {
    self.init(name: found.name, policy: found.policy, types: map.types(of: found.number))
  }
}

extension TypeMap {
  func types(of number: ClassNumber?) -> [[UInt8]] {
    classes.filter { $0.value == number }.keys.sorted { $0.lexicographicallyPrecedes($1) }
  }
}

/// Dry runs of retention changes that wait for their confirmation; in memory only.
final class RetentionPlanBook: Sendable {
  struct Entry: Sendable {
    let tenant: TenantNumber
    let request: RetentionRequest
    /// The class's policy at the dry run; nil: there was no such class.
    let before: RetentionPolicy?
    let uid: UInt32
    let madeMilliseconds: Int64
  }

  private let entries = Mutex<[String: Entry]>([:])

  /// Notes a plan; throws `.tooManyPlans` when too many wait.
  func add(_ entry: Entry, token: String, now: Int64) throws(StoreError) {
    let isFull = entries.withLock { entries in
      entries = entries.filter { now - $0.value.madeMilliseconds < Limits.planMilliseconds }
      guard entries.count < Limits.plansMax else { return true }
      entries[token] = entry
      return false
    }
    if isFull { throw .tooManyPlans }
  }

  /// The plan of this token, if it is for this change and not too old.
  func find(
    _ token: [UInt8], tenant: TenantNumber, request: RetentionRequest, now: Int64
  ) throws(StoreError) -> Entry {
    let text = String(decoding: token, as: UTF8.self)
    guard let entry = entries.withLock({ $0[text] }), entry.tenant == tenant,
      entry.request == request, now - entry.madeMilliseconds < Limits.planMilliseconds
    else { throw .confirmationUnknown }
    return entry
  }

  /// A plan is carried out at most once.
  func remove(_ token: [UInt8]) {
    entries.withLock { $0[String(decoding: token, as: UTF8.self)] = nil }
  }
}
