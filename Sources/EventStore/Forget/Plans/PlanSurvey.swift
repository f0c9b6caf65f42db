import EventModel
import Keyring
import Sodium
import Storage

/// What was counted for a target, before the writer's thread plans, restricts or destroys it.
struct PlanSurvey: Sendable {
  /// What was found, by what was looked for.
  private enum Found: Sendable {
    case subjects(ShredSurvey)
    case findings(ShredFindings)
    /// A whole tenant with so many events.
    case tenant(UInt64)
  }

  let tenant: TenantNumber
  let target: PlanTarget
  private let found: Found

  /// Surveys what somebody names.
  static func survey(
    _ target: ShredTarget, tenant number: TenantNumber, shared: SharedEngine
  ) throws(StoreError) -> PlanSurvey {
    let resolved = try shared.withState { (state) throws(StoreError) -> PlanTarget in
      guard let tenant = state.tenants[number] else { throw .noTenant }
      return try PlanTarget(target, tenant, state)
    }
    return try survey(resolved, tenant: number, shared: shared)
  }

  /// Surveys what a plan has; `isDue` when persons may be gone meanwhile.
  static func survey(
    _ target: PlanTarget, tenant: TenantNumber, isDue: Bool = false, shared: SharedEngine
  ) throws(StoreError) -> PlanSurvey {
    let found: Found
    switch target {
    case .subjects(let persons):
      found = .subjects(
        try ShredSurvey.survey(persons, tenant: tenant, mayBeGone: isDue, shared: shared))
    case .events, .stream, .period:
      found = .findings(try ShredFindings.survey(target, tenant: tenant, shared: shared))
    case .tenant, .offboarding:
      let holds = try HeaderWalk(shared: shared, tenant: tenant).holds()
      if let id = holds.any { throw .held(id) }
      found = .tenant(
        try shared.withState { (state) throws(StoreError) in
          guard let tenant = state.tenants[tenant] else { throw .noTenant }
          return tenant.committed.position
        })
    }
    return PlanSurvey(tenant: tenant, target: target, found: found)
  }

  /// What would be destroyed.
  func plan(token: String, hash: [UInt8]? = nil) -> ShredPlan {
    switch found {
    case .subjects(let survey): ShredPlan(survey, token: token, hash: hash)
    case .findings(let findings): ShredPlan(findings, token: token, hash: hash)
    case .tenant(let count): ShredPlan(wholeTenantEvents: count, token: token, hash: hash)
    }
  }

  /// True when nothing has come or gone since that would change what was found; on the writer's thread.
  func isStillTrue() throws(StoreError) -> Bool {
    switch found {
    case .subjects(let survey): try survey.isStillTrue()
    case .findings(let findings): try findings.isStillTrue()
    case .tenant: true
    }
  }

  /// Where the live events lie; of a whole tenant nobody is told.
  var positions: [UInt64] {
    switch found {
    case .subjects(let survey): survey.positions
    case .findings(let findings): findings.positions
    case .tenant: []
    }
  }

  /// What must be saved when that is done.
  var held: HeldFindings? {
    switch found {
    case .subjects(let survey): survey.held
    case .findings(let findings): findings.held
    case .tenant: nil
    }
  }

  /// What a rotation takes out.
  func removal(now: Int64, _ shared: SharedEngine) throws(StoreError) -> Removal {
    var removal = Removal()
    switch found {
    case .subjects(let survey):
      removal.parts[tenant] = try survey.part(now: now)
    case .findings(let findings):
      var part = findings.part
      #if DEBUG
        if TestHooks.isVariant("id-unmarked") { part.marks = [] }
      #endif
      removal.parts[tenant] = part
    case .tenant: removal.tenants = [tenant]
    }
    return removal
  }

  /// Keys and persons that are condemned until the plan is carried out.
  func restriction(_ shared: SharedEngine) throws(StoreError) -> KeyRestriction {
    var restriction = KeyRestriction()
    let slots: [Slot]
    switch found {
    case .subjects(let survey):
      slots = Array(survey.subjectSlots) + Array(survey.ownStreams.keys)
      for person in survey.persons {
        restriction.persons[person.mark] = (person.entry?.marks ?? []).union(.condemned)
      }
    case .findings(let findings): slots = findings.part.slots + findings.part.lapses.keys
    case .tenant: slots = []
    }
    restriction.slots = try shared.withState { (state) throws(StoreError) in
      guard let tenant = state.tenants[tenant] else { throw .noTenant }
      var marks: [Slot: KeyMarks] = [:]
      for slot in slots {
        guard let entry = try state.entry(tenant, slot) else { continue }
        marks[slot] = entry.marks.union(.condemned)
      }
      return marks
    }
    return restriction
  }

  /// Periods that are hidden until the plan is carried out.
  var periods: [Removal.Periods] {
    guard case .findings(let findings) = found else { return [] }
    return findings.part.periods
  }
}
