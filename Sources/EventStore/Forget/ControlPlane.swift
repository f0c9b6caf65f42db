import EventModel
import Keyring
import Sodium
import Storage

/// Carries out the acts of the control plane, on the writer's thread, between its commits.
///
/// So an act sees everything that was acknowledged before it, and what comes after sees it whole.
final class ControlPlane: Sendable {
  let shared: SharedEngine
  let plans = PlanBook()
  let retentionPlans = RetentionPlanBook()
  let desk = CertificateDesk()

  init(shared: SharedEngine) { self.shared = shared }

  /// Runs one act; the ledger has it, done or refused, when this returns.
  ///
  /// `survey` is what was found for acts that destroy keys.
  func perform(
    _ act: ControlAct, actor: Actor, survey: Result<Survey, StoreError>?
  ) throws(StoreError) -> ControlAnswer {
    switch act {
    case .createTenant(let name, let retention):
      return try createTenant(name, retention, actor)
    case .listTenants:
      return .tenants(try details())
    case .tenantInfo(let name):
      let number = try number(name)
      guard let detail = try details().first(where: { $0.name == name }) else { throw .noTenant }
      _ = number
      return .tenant(detail)
    case .suspendTenant(let name): return try setSuspended(name, true, actor)
    case .resumeTenant(let name): return try setSuspended(name, false, actor)
    case .setTenant(let name, .demandsIDs(let demandsIDs)):
      return try setDemandsIDs(name, demandsIDs, actor)
    case .planShredSubject(let name, let subject):
      return .plan(try planSubject(try number(name), subject, survey, actor))
    case .shredSubject(let name, let subject, let reason, let token):
      return .shredded(
        try shredSubject(try number(name), subject, survey, reason, token, actor))
    case .planShred(let name, let target):
      return .plan(try planShred(try number(name), target, survey, actor))
    case .shred(let name, let target, let reason, let token):
      return .shredded(
        try shred(try number(name), target, survey, reason, token, actor))
    case .planShredTenant(let name):
      return .plan(try planTenant(try number(name), actor))
    case .shredTenant(let name, let reason, let token):
      return .shredded(try shredTenant(try number(name), reason, token, actor))
    case .enrolSubject(let name, let subject):
      return try enrol(try number(name), subject, actor)
    case .restrictSubject(let name, let subject, let demand):
      return try restrict(try number(name), subject, demand, actor)
    case .unrestrictSubject(let name, let subject):
      return try unrestrict(try number(name), subject, actor)
    case .retention(let name, let act):
      return .retention(try perform(act, try number(name), actor, survey: survey))
    case .certificates(let after, let limit):
      return .certificates(try certificates(after: after, limit: limit))
    case .certificate(let name): return .certificate(try certificate(name))
    case .expire(let isDryRun):
      return .expiry(try expire(survey, isDryRun: isDryRun, actor))
    case .retentionStatus: return .retentionStatus(try retentionStatus(survey))
    case .hourly: return .expiry(try hourly(survey, actor))
    case .clockStatus: return .clock(clockStatus())
    case .confirmClock: return try confirmClock(actor)
    case .keyStatus:
      return .keyStatus(
        try shared.withState { (state) throws(StoreError) in
          try StoreError.translating { () throws(KeyringError) in try state.keyring.status() }
        })
    case .rotateRoot: return .rotated(try rotateRoot(actor))
    case .rewrapTenant(let name): return .rotated(try rewrap(try number(name), actor))
    }
  }

  private func number(_ name: TenantName) throws(StoreError) -> TenantNumber {
    guard let number = shared.withState({ $0.tenantsByName[name] }) else { throw .noTenant }
    return number
  }

  // MARK: tenants

  private func createTenant(
    _ name: TenantName, _ retention: Retention, _ actor: Actor
  ) throws(StoreError) -> ControlAnswer {
    try shared.withState { (state) throws(StoreError) in
      if let failure = state.failure { throw failure }
      let number = try StoreError.translating { () throws(KeyringError) in
        try state.keyring.createTenant(
          name, retention: retention, now: shared.clock(), actor: actor.ledgerActor)
      }
      guard let summary = state.keyring.tenants.first(where: { $0.number == number }) else {
        throw .corrupt
      }
      state.insert(summary)
    }
    return .done
  }

  private func setSuspended(
    _ name: TenantName, _ isSuspended: Bool, _ actor: Actor
  ) throws(StoreError) -> ControlAnswer {
    let number = try number(name)
    try shared.withState { (state) throws(StoreError) in
      try StoreError.translating { () throws(KeyringError) in
        try state.keyring.setSuspended(
          number, isSuspended, now: shared.clock(), actor: actor.ledgerActor)
      }
      state.tenants[number]?.isSuspended = isSuspended
    }
    return .done
  }

  private func setDemandsIDs(
    _ name: TenantName, _ demandsIDs: Bool, _ actor: Actor
  ) throws(StoreError) -> ControlAnswer {
    let number = try number(name)
    try shared.withState { (state) throws(StoreError) in
      try StoreError.translating { () throws(KeyringError) in
        try state.keyring.setDemandsIDs(
          number, demandsIDs, now: shared.clock(), actor: actor.ledgerActor)
      }
      state.tenants[number]?.demandsIDs = demandsIDs
    }
    return .done
  }

  private func details() throws(StoreError) -> [TenantDetail] {
    shared.withState { state in
      let retentions = Dictionary(
        uniqueKeysWithValues: state.keyring.tenants.map { ($0.number, $0.defaultRetention) })
      return state.tenants.values.compactMap { tenant in
        guard let retention = retentions[tenant.number] else { return nil }
        return TenantDetail(
          name: tenant.name, isSuspended: tenant.isSuspended, demandsIDs: tenant.demandsIDs,
          createdMilliseconds: tenant.createdMilliseconds, retention: retention,
          lastPosition: tenant.committed.position, impersonalCount: tenant.impersonalCount)
      }.sorted { $0.name < $1.name }
    }
  }

  // MARK: persons

  private func target(_ tenant: TenantNumber, _ subject: [UInt8]) throws(StoreError) -> PlanTarget {
    .subject(tenant, try tags(tenant, .suppression, [subject])[0])
  }

  /// The tags of names that have no class in the tenant's map.
  func tags(
    _ number: TenantNumber, _ kind: NameKind, _ names: [[UInt8]]
  ) throws(StoreError) -> [Tag128] {
    try shared.withState { (state) throws(StoreError) in
      guard let tenant = state.tenants[number] else { throw .noTenant }
      let secrets = try tenant.open(state.keyring)
      var resolver = NameResolver()
      return names.map { resolver.tag(kind, .default, $0.span, secrets.keys) }
    }
  }

  private func planSubject(
    _ tenant: TenantNumber, _ subject: [UInt8], _ survey: Result<Survey, StoreError>?,
    _ actor: Actor
  ) throws(StoreError) -> ShredPlan {
    guard let survey = try survey?.get().subject() else { throw .corrupt }
    let plan = ShredPlan(survey, token: PlanBook.newToken())
    let now = shared.clock()
    try plans.add(
      PlanBook.Entry(
        target: try target(tenant, subject), plan: plan, uid: actor.uid, madeMilliseconds: now),
      now: now)
    return plan
  }

  /// Destroys a person's keys: positions into the erasure log, stage root, commit, erase old root,
  /// empty caches, wait for reads.
  private func shredSubject(
    _ tenant: TenantNumber, _ subject: [UInt8], _ survey: Result<Survey, StoreError>?,
    _ reason: ReasonCode, _ token: [UInt8], _ actor: Actor
  ) throws(StoreError) -> ShredReceipt {
    let now = shared.clock()
    let entry = try plans.find(token, target: try target(tenant, subject), now: now)
    guard let survey = try survey?.get().subject() else { throw .corrupt }
    guard entry.plan.isSame(as: ShredPlan(survey, token: entry.plan.token)),
      try survey.isStillTrue(of: subject)
    else { throw .planChanged }
    let names = survey.ownStreams.values.compactMap { $0 }
    let person = try person(tenant, subject)
    let dead = try tags(tenant, .stream, names) + person.tags
    let today = UInt16(clamping: now / 86_400_000)
    var part = Removal.Part()
    part.slots = Array(survey.subjectSlots) + Array(survey.ownStreams.keys)
    part.tags = dead
    // Who objected did so for the time after the erasure too.
    part.marks = [
      Removal.Mark(
        tag: person.mark, untilDay: today + UInt16(Limits.suppressionDays),
        marks: person.marks.intersection(.objected))
    ]
    var removal = Removal()
    removal.parts[tenant] = part
    try shared.erasures.stage(
      survey.positions, tenant: tenant, now: now, planHash: entry.plan.hash, shared: shared)
    // Whether the act came to be, its rows tell by the ledger, also when it ends in an error.
    defer { shared.erasuresMoved(tenant) }
    let receipt = try rotate(
      removal, .subjectShredded, tenant, actor, plan: entry.plan, reason: reason, now: now)
    plans.remove(entry)
    return ShredReceipt(plan: entry.plan, rotation: receipt, timeMilliseconds: now)
  }

  private func enrol(
    _ tenant: TenantNumber, _ subject: [UInt8], _ actor: Actor
  ) throws(StoreError) -> ControlAnswer {
    let person = try person(tenant, subject)
    guard let entry = person.entry, entry.untilDay > 0 else { throw .noSubject }
    // Taking a mark away is a removal: it, too, must not be found in an old copy.
    var part = Removal.Part()
    part.tags = [person.mark]
    var removal = Removal()
    removal.parts[tenant] = part
    _ = try rotate(
      removal, .subjectEnrolled, tenant, actor, plan: nil, reason: nil, now: shared.clock())
    return .done
  }

  // MARK: whole tenants

  private func planTenant(
    _ tenant: TenantNumber, _ actor: Actor
  ) throws(StoreError) -> ShredPlan {
    let now = shared.clock()
    let count = try shared.withState { (state) throws(StoreError) -> UInt64 in
      guard let tenant = state.tenants[tenant] else { throw .noTenant }
      return tenant.committed.position
    }
    let plan = ShredPlan(wholeTenantEvents: count, token: PlanBook.newToken())
    try plans.add(
      PlanBook.Entry(target: .tenant(tenant), plan: plan, uid: actor.uid, madeMilliseconds: now),
      now: now)
    return plan
  }

  /// Destroys a tenant: one child of the tenants' array, whatever its events.
  private func shredTenant(
    _ tenant: TenantNumber, _ reason: ReasonCode, _ token: [UInt8], _ actor: Actor
  ) throws(StoreError) -> ShredReceipt {
    let now = shared.clock()
    let entry = try plans.find(token, target: .tenant(tenant), now: now)
    guard actor.uid != entry.uid, actor.isApprover else { throw .needsApproval }
    var removal = Removal()
    removal.tenants = [tenant]
    let receipt = try rotate(
      removal, .tenantShredded, tenant, actor, plan: entry.plan, reason: reason, now: now)
    plans.remove(entry)
    return ShredReceipt(plan: entry.plan, rotation: receipt, timeMilliseconds: now)
  }

  /// Destroys keys, with the line of the ledger and the certificate, and lets go of everything that
  /// was derived.
  func rotate(
    _ removal: Removal, _ act: LedgerEntry.Act, _ tenant: TenantNumber, _ actor: Actor,
    plan: ShredPlan?, reason: ReasonCode?, facts: CertificateFacts = CertificateFacts(), now: Int64
  ) throws(StoreError) -> RotationReceipt {
    let draft = try CertificateDraft(
      act, removal, tenant, actor, plan: plan, reason: reason, facts: facts, now: now,
      shared: shared)
    // Also when it fails: the keys may be gone all the same.
    defer { shared.raiseBarrier(for: tenant) }
    let entry = LedgerEntry(
      timeMilliseconds: now, act: act, actor: actor.ledgerActor, tenant: tenant,
      result: reason?.ledgerResult ?? 0, planHash: plan?.hash ?? [], count: plan?.eventCount ?? 0)
    return try rotate(removal, entry: entry, draft)
  }

  /// The same, without a word to whoever sends answers.
  func rotate(
    _ removal: Removal, entry: LedgerEntry, _ draft: CertificateDraft?
  ) throws(StoreError) -> RotationReceipt {
    let receipt = try shared.withState { (state) throws(StoreError) -> RotationReceipt in
      if let failure = state.failure { throw failure }
      // Emptied before as well as after: nothing may stay if the rotation ends half way.
      state.forgetKeys()
      if let draft { desk.hold(draft.samples, for: state.keyring.nextLedgerIndex) }
      // Whether the keys are gone, the keyring knows.
      defer { if !removal.buckets.isEmpty { shared.bucketsEnded(state) } }
      do throws(KeyringError) {
        let receipt = try state.keyring.rotate(
          removal, entry: entry, certificate: draft.map { draft in { draft.begun($0) } })
        state.remove(removal.tenants)
        shared.erasures.remove(removal.tenants)
        return receipt
      } catch {
        // Committed or not, what memory holds may be of before.
        if error == .erasureUnconfirmed { state.remove(removal.tenants) }
        state.forgetKeys()
        let failure = StoreError(error)
        if failure == .ioFailure { state.failure = .readOnly }
        throw failure
      }
    }
    shared.waitForReads()
    return receipt
  }
}

extension Actor {
  /// The actor as the ledger names it.
  var ledgerActor: LedgerEntry.Actor {
    if isDaemon {
      .daemon
    } else if let socketName {
      .socket(name: Array(socketName.utf8), uid: uid)
    } else {
      .uid(uid)
    }
  }
}

extension ReasonCode {
  /// How the ledger says it: 0 means that no reason was asked for.
  var ledgerResult: UInt8 { UInt8((Self.allCases.firstIndex(of: self) ?? 0) + 1) }
}

extension ShredPlan {
  /// What the ledger keeps of the plan: a hash of its token, which is random and so is its salt.
  var hash: [UInt8] {
    KeyDerivation.checksum(
      count: 32, context: KeyDerivation.Context("LT1.plan"), message: Array(token.utf8).span)
  }

  init(_ survey: ShredSurvey, token: String) {
    self.init(
      token: token, eventCount: survey.eventCount, sharedEventCount: survey.sharedEventCount,
      impersonalEventCount: survey.impersonalEventCount, erasedEventCount: 0,
      ownStreamCount: UInt64(survey.ownStreams.count), sharedStreamCount: survey.sharedStreamCount,
      keyCount: UInt64(survey.subjectSlots.count + survey.ownStreams.count), needsApproval: false)
  }

  init(wholeTenantEvents count: UInt64, token: String) {
    self.init(
      token: token, eventCount: count, sharedEventCount: 0, impersonalEventCount: 0,
      erasedEventCount: 0,
      ownStreamCount: 0, sharedStreamCount: 0, keyCount: 1, needsApproval: true)
  }

  /// True when both would destroy the same.
  func isSame(as other: ShredPlan) -> Bool {
    eventCount == other.eventCount && sharedEventCount == other.sharedEventCount
      && impersonalEventCount == other.impersonalEventCount
      && erasedEventCount == other.erasedEventCount
      && ownStreamCount == other.ownStreamCount && sharedStreamCount == other.sharedStreamCount
      && keyCount == other.keyCount
  }
}
