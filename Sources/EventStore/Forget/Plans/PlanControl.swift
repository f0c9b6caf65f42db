import EventModel
import Keyring
import Sodium
import Storage

// How shreds are planned, confirmed, approved, cancelled and carried out.
//
// dry run -> confirmed -+-> [approval] -+-> destroyed at once
//                       |               `-> waiting: restricted at once, destroyed at its time
//                       `-> the counts changed: dropped
//
// Order of a plan that waits: its documents, the marks on its keys and the ledger in one commit ->
// memory emptied -> answer. Order of its end: positions into the erasure log -> new root staged ->
// keys, documents and ledger in one commit -> old root erased. So a crash leaves it waiting or done.

extension ControlPlane {
  /// Runs one act on plans.
  func perform(
    _ act: PlanAct, _ actor: Actor, _ survey: Result<Survey, StoreError>?
  ) throws(StoreError) -> ControlAnswer {
    switch act {
    case .list(let isPermitted):
      return .plans(shared.plans.all.map(detail).filter { isPermitted($0.tenant) })
    case .status(let number, let isPermitted):
      return .planned(detail(try plan(number, isPermitted)))
    case .approve(let number, let isPermitted):
      return try approve(try plan(number, isPermitted), survey, actor)
    case .cancel(let number, let isPermitted):
      return try cancel(try plan(number, isPermitted), .cancelled, actor)
    case .carryOut(let number):
      return try carryOut(number, survey)
    }
  }

  /// Plans of tenants that the peer may not administrate look like none.
  private func plan(
    _ number: UInt32, _ isPermitted: PlanPermission
  ) throws(StoreError) -> StoredPlan {
    guard let plan = shared.plans.plan(number), isPermitted(name(of: plan.tenant)) else {
      throw .noPlan
    }
    return plan
  }

  func name(of tenant: TenantNumber) -> TenantName? {
    shared.withState { $0.tenants[tenant]?.name }
  }

  // MARK: dry run and confirmation

  /// Notes what destroying the target would take along, and answers the token for it.
  func planShred(
    _ tenant: TenantNumber, _ survey: Result<Survey, StoreError>?, _ actor: Actor
  ) throws(StoreError) -> ShredPlan {
    guard let survey = try survey?.get().shred() else { throw .corrupt }
    let now = shared.clock()
    var plan = survey.plan(token: PlanBook.newToken())
    plan.needsApproval = try needsApproval(survey, plan, now: now)
    let grace = try grace(tenant).milliseconds(survey.target.kind)
    if grace > 0 { plan.dueMilliseconds = now + grace }
    try shared.plans.add(
      PlanBook.Draft(
        tenant: tenant, targetHash: survey.target.hash, plan: plan, requester: actor.ledgerActor,
        madeMilliseconds: now),
      now: now)
    return plan
  }

  /// Confirms a dry run: destroys, or lets the plan wait for its day or a second user.
  func shred(
    _ tenant: TenantNumber, _ survey: Result<Survey, StoreError>?, _ request: ShredRequest,
    _ token: [UInt8], _ actor: Actor
  ) throws(StoreError) -> ControlAnswer {
    guard !token.isEmpty else { throw .confirmationMissing }
    guard let survey = try survey?.get().shred() else { throw .corrupt }
    let now = shared.clock()
    let draft = try shared.plans.find(token, tenant: tenant, target: survey.target, now: now)
    guard draft.plan.isSame(as: survey.plan(token: "")), try survey.isStillTrue() else {
      shared.plans.remove(draft)
      throw .planChanged
    }
    if let number = draft.number {
      guard let plan = shared.plans.plan(number), plan.state == .approval else { throw .noPlan }
      guard isApproved(plan, actor, request) else { throw .approvalAwaited(plan: number) }
      return try go(plan, survey, approvedBy: actor.ledgerActor, now: now)
    }
    var plan = draft.plan
    plan.request = request
    let number = try shared.plans.nextNumber()
    let isSecond =
      actor.uid != draft.requester.uid && actor.isApprover && request.mayApprove
    var stored = StoredPlan(
      number: number, tenant: tenant, kind: survey.target.kind, state: .waiting, request: request,
      plan: plan, requestedBy: isSecond ? draft.requester : actor.ledgerActor,
      confirmedMilliseconds: now, dueMilliseconds: now,
      target: survey.target)
    if try needsApproval(survey, plan, now: now), !isSecond {
      stored.state = .approval
      stored.dueMilliseconds = now + Limits.approvalMilliseconds
      try enter(stored, KeyRestriction(), .planConfirmed, 1, actor.ledgerActor)
      shared.plans.note(draft, isPlan: number)
      throw .approvalAwaited(plan: number)
    }
    do throws(StoreError) {
      let answer = try go(
        stored, survey, approvedBy: isSecond ? actor.ledgerActor : nil, now: now)
      shared.plans.remove(draft)
      return answer
    } catch {
      // Without room nothing was done, so the token goes on working once there is some.
      if error != .noSpace { shared.plans.remove(draft) }
      throw error
    }
  }

  /// Nobody approves what they asked for themselves.
  private func isApproved(_ plan: StoredPlan, _ actor: Actor, _ request: ShredRequest?) -> Bool {
    #if DEBUG
      if TestHooks.isVariant("self-approval") { return actor.isApprover }
    #endif
    return actor.isApprover && request?.mayApprove ?? true && actor.uid != plan.requestedBy.uid
  }

  private func approve(
    _ plan: StoredPlan, _ survey: Result<Survey, StoreError>?, _ actor: Actor
  ) throws(StoreError) -> ControlAnswer {
    guard plan.state == .approval else { throw .noPlan }
    guard isApproved(plan, actor, nil) else { throw .approvalAwaited(plan: plan.number) }
    let now = shared.clock()
    guard let found = try survey?.get().shred() else { throw .corrupt }
    guard plan.plan.isSame(as: found.plan(token: "")), try found.isStillTrue(),
      now < plan.dueMilliseconds
    else {
      _ = try cancel(plan, .lapsed, .daemon)
      throw .planChanged
    }
    return try go(plan, found, approvedBy: actor.ledgerActor, now: now)
  }

  /// Destroys at once, or restricts and lets the plan wait.
  private func go(
    _ confirmed: StoredPlan, _ survey: PlanSurvey, approvedBy: LedgerEntry.Actor?, now: Int64
  ) throws(StoreError) -> ControlAnswer {
    var plan = confirmed
    plan.approvedBy = approvedBy
    plan.state = .waiting
    plan.plan.request = plan.request
    let grace = try grace(plan.tenant).milliseconds(plan.kind)
    plan.dueMilliseconds = now + grace
    if let day = plan.request.dueDay {
      // A request is answered in time, whatever the tenant grants.
      plan.dueMilliseconds = max(now, min(plan.dueMilliseconds, (Int64(day) + 1) * 86_400_000))
    }
    let isStored = confirmed.state == .approval
    if plan.dueMilliseconds <= now {
      do throws(StoreError) {
        return .shredded(try destroy(plan, isStored: isStored, survey, now: now))
      } catch {
        guard error == .keyUnavailable else { throw error }
        try wait(plan, survey, approvedBy ?? plan.requestedBy)
        throw .destructionAwaited(plan: plan.number)
      }
    }
    try wait(plan, survey, approvedBy ?? plan.requestedBy)
    return .planned(detail(plan))
  }

  private func wait(
    _ confirmed: StoredPlan, _ survey: PlanSurvey, _ actor: LedgerEntry.Actor
  ) throws(StoreError) {
    var plan = confirmed
    let restriction = try survey.restriction(shared)
    plan.condemned = restriction.slots.keys.sorted()
    plan.periods = survey.periods
    let act: LedgerEntry.Act =
      plan.kind == .offboarding
      ? .tenantOffboarded : plan.approvedBy == nil ? .planConfirmed : .planApproved
    try enter(plan, restriction, act, 0, actor)
  }

  /// Keeps a plan and restricts what it names, in one commit.
  private func enter(
    _ plan: StoredPlan, _ restriction: KeyRestriction, _ act: LedgerEntry.Act, _ result: UInt8,
    _ actor: LedgerEntry.Actor
  ) throws(StoreError) {
    guard let documents = plan.documents else { throw .tooManyPlans }
    let entry = LedgerEntry(
      timeMilliseconds: shared.clock(), act: act, actor: actor, tenant: plan.tenant, result: result,
      planHash: plan.plan.hash, count: plan.plan.eventCount, subjectCount: plan.plan.subjectCount)
    try restrict(
      plan.tenant, restriction, documents: documents, entry, plan: plan.number)
  }

  // MARK: the end of a plan

  /// Takes a plan back: what it restricted is shown again, and what it held is forgotten.
  private func cancel(
    _ plan: StoredPlan, _ state: PlanState, _ actor: Actor
  ) throws(StoreError) -> ControlAnswer {
    guard plan.state.isOpen else { throw .noPlan }
    let now = shared.clock()
    var removal = Removal()
    if plan.state == .waiting { removal.parts[plan.tenant] = try relief(of: plan) }
    let finished = plan.finished(state, now: now)
    removal.documents = StoredPlan.edits(of: plan, to: finished) + superfluousEdits
    defer { reload([plan.number] + shared.plans.superfluous.map(\.number)) }
    _ = try rotate(
      removal, .planCancelled, plan.tenant, actor, plan: plan.plan, reason: nil, now: now)
    return .planned(detail(finished))
  }

  /// Lifts the marks that no other plan needs.
  private func relief(of plan: StoredPlan) throws(StoreError) -> Removal.Part {
    var others: Set<Slot> = []
    var marks: Set<Tag128> = []
    for other in shared.plans.open(plan.tenant)
    where other.number != plan.number && other.state == .waiting {
      others.formUnion(other.condemned)
      if case .subjects(let persons) = other.target { marks.formUnion(persons.map(\.mark)) }
    }
    var part = Removal.Part()
    try shared.withState { (state) throws(StoreError) in
      guard let tenant = state.tenants[plan.tenant] else { return }
      for slot in plan.condemned where !others.contains(slot) {
        guard let entry = try state.entry(tenant, slot) else { continue }
        part.slotMarks[slot] = entry.marks.subtracting(.condemned)
      }
      guard case .subjects(let persons) = plan.target else { return }
      for person in persons where !marks.contains(person.mark) {
        let keys = try PersonKeys(mark: person.mark, tags: [], tenant, state)
        part.replaceMark(of: keys, with: keys.entry?.marks.subtracting(.condemned) ?? [])
      }
    }
    return part
  }

  /// Destroys what a waiting plan names, when its time has come; lets one lapse that nobody approved.
  private func carryOut(
    _ number: UInt32, _ survey: Result<Survey, StoreError>?
  ) throws(StoreError) -> ControlAnswer {
    let now = shared.clock()
    guard let plan = shared.plans.plan(number), plan.state.isOpen, plan.dueMilliseconds <= now
    else {
      throw .noPlan
    }
    guard plan.state == .waiting else { return try cancel(plan, .lapsed, .daemon) }
    do throws(StoreError) {
      guard let survey = try survey?.get().shred() else { throw .corrupt }
      return .shredded(try destroy(plan, isStored: true, survey, now: now))
    } catch {
      switch error {
      case .noSubject, .noSubjects, .noStream, .noEvent, .noPeriod, .noTenant:
        // All of it is gone already, by its period or by another plan.
        return try cancel(plan, .done, .daemon)
      default:
        shared.plans.note(error, of: number)
        throw error
      }
    }
  }

  /// Destroys keys, and with them what the plan held.
  private func destroy(
    _ plan: StoredPlan, isStored: Bool, _ survey: PlanSurvey, now: Int64
  ) throws(StoreError) -> ShredReceipt {
    var destroyed = survey.plan(token: plan.plan.token, hash: plan.plan.hash)
    destroyed.request = plan.request
    var removal = try survey.removal(now: now, shared)
    var touched: [UInt32] = []
    if isStored {
      var finished = plan.finished(.done, now: now)
      finished.plan = destroyed
      removal.documents = StoredPlan.edits(of: plan, to: finished) + superfluousEdits
      touched = [plan.number] + shared.plans.superfluous.map(\.number)
    }
    if !removal.tenants.isEmpty {
      for other in shared.plans.open(plan.tenant) where other.number != plan.number {
        removal.documents += StoredPlan.edits(
          of: other, to: other.finished(.done, now: now))
        touched.append(other.number)
      }
    }
    defer { reload(touched) }
    let isTold = removal.tenants.isEmpty
    if isTold {
      try shared.erasures.stage(
        survey.positions, tenant: plan.tenant, now: now, planHash: destroyed.hash, shared: shared)
    }
    // Whether the act came to be, its rows tell by the ledger, also when it ends in an error.
    defer { if isTold { shared.erasuresMoved(plan.tenant) } }
    var facts = CertificateFacts()
    facts.requester = Actor(plan.requestedBy)
    if !plan.request.ticket.isEmpty {
      facts.ticket = String(decoding: plan.request.ticket, as: UTF8.self)
    }
    facts.restrictedCount = destroyed.restrictedEventCount
    facts.heldCount = destroyed.heldEventCount
    facts.received = plan.request.receivedDay.map { Timestamp.dayText(Int64($0)) }
    if isStored, plan.dueMilliseconds > plan.confirmedMilliseconds {
      facts.restrictedMilliseconds = plan.confirmedMilliseconds
    }
    let receipt = try rotate(
      removal, plan.kind.ledgerAct, plan.tenant, Actor(plan.approvedBy ?? plan.requestedBy),
      plan: destroyed, reason: plan.request.reason, facts: facts, saving: survey.held, now: now)
    return ShredReceipt(plan: destroyed, rotation: receipt, timeMilliseconds: now)
  }

  private var superfluousEdits: [DocumentEdit] {
    shared.plans.superfluous.flatMap { StoredPlan.edits(of: $0, to: nil) }
  }

  /// Takes plans from the documents again, whatever became of them.
  func reload(_ numbers: [UInt32]) {
    guard !numbers.isEmpty else { return }
    shared.withState { state in
      // A keyring that cannot be read is read at the next start.
      for number in numbers { try? shared.plans.reload(number, state.keyring) }
      state.apply(shared.plans)
    }
  }
}

extension PlanKind {
  fileprivate var ledgerAct: LedgerEntry.Act {
    switch self {
    case .subjects: .subjectShredded
    case .events: .eventsShredded
    case .stream: .streamShredded
    case .period: .periodShredded
    case .tenant, .offboarding: .tenantShredded
    }
  }
}

extension LedgerEntry.Actor {
  /// Whose process it was; nil for the daemon's own.
  var uid: UInt32? {
    switch self {
    case .daemon: nil
    case .uid(let uid), .socket(_, let uid): uid
    }
  }

  /// As administrators see it.
  var text: String {
    switch self {
    case .daemon: "daemon"
    case .uid(let uid): "uid:\(uid)"
    case .socket(let name, let uid): "socket:\(String(decoding: name, as: UTF8.self)) uid:\(uid)"
    }
  }
}

extension ControlPlane {
  /// What an administrator sees of a plan.
  func detail(_ plan: StoredPlan) -> PlanDetail {
    let today = shared.clock() / 86_400_000
    return PlanDetail(
      number: plan.number, tenant: name(of: plan.tenant), kind: plan.kind, state: plan.state,
      request: plan.request, plan: plan.plan, requestedBy: plan.requestedBy.text,
      approvedBy: plan.approvedBy?.text, confirmedMilliseconds: plan.confirmedMilliseconds,
      dueMilliseconds: plan.dueMilliseconds,
      finishedMilliseconds: plan.state.isOpen ? nil : plan.finishedMilliseconds,
      daysLeft: plan.request.dueDay.map { Int($0) - Int(today) },
      obstacle: shared.plans.obstacle(plan.number))
  }
}
