import EventModel
import Keyring
import Sodium
import Storage

/// Carries out the acts of the control plane, on the writer's thread, between its commits.
///
/// So an act sees everything that was acknowledged before it, and what comes after sees it whole.
final class ControlPlane: Sendable {
  let shared: SharedEngine
  let retentionPlans = RetentionPlanBook()
  let desk = CertificateDesk()
  let holdReleases = HoldReleases()
  let incidents = IncidentDesk()

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
      guard var detail = try details().first(where: { $0.name == name }) else { throw .noTenant }
      detail.grace = try grace(number)
      detail.holdCount = try shared.withState { (state) throws(StoreError) in
        try UInt64(state.storedHolds(number).count { $0.holds(shared.clock()) })
      }
      let evidence = try shared.withState { (state) throws(StoreError) in
        try state.evidenceSettings(number)
      }
      detail.needsExportApproval = try shared.withState { (state) throws(StoreError) in
        try state.grants(number).needsApproval
      }
      (detail.isStrict, detail.accessDays) = (evidence.isStrict, evidence.accessDays)
      return .tenant(detail)
    case .suspendTenant(let name): return try setSuspended(name, true, actor)
    case .resumeTenant(let name): return try setSuspended(name, false, actor)
    case .setTenant(let name, .demandsIDs(let demandsIDs)):
      return try setDemandsIDs(name, demandsIDs, actor)
    case .setTenant(let name, .grace(let kind, let milliseconds)):
      return try setGrace(try number(name), kind, milliseconds, actor)
    case .setTenant(let name, .exportApproval(let isNeeded)):
      return try setExportApproval(try number(name), isNeeded, actor)
    case .grant(let act): return try perform(act, actor)
    case .setTenant(let name, .isStrict(let isStrict)):
      return try setEvidence(try number(name), actor, result: isStrict ? 1 : 0, count: 0) {
        guard $0.isStrict != isStrict else { return }
        ($0.isStrict, $0.strictMilliseconds) = (isStrict, shared.clock())
      }
    case .setTenant(let name, .accessDays(let days)):
      return try setEvidence(try number(name), actor, result: 2, count: UInt64(days)) {
        $0.accessDays = days
      }
    case .accessLog:
      guard let page = try survey?.get().accessPage() else { throw .corrupt }
      return .accessPage(page)
    case .incident:
      guard let survey = try survey?.get().incident() else { throw .corrupt }
      return .incident(try incident(survey, actor))
    case .incidentPackage(let incident, let name, let part):
      guard let found = incidents.part(incident, name, part) else { throw .noPackage }
      return .incidentPackage(found)
    case .enrolKey(let name, let key): return try enrolKey(try number(name), key, actor)
    case .planShred(let name, _):
      return .plan(try planShred(try number(name), survey, actor))
    case .shred(let name, _, let request, let token):
      return try shred(try number(name), survey, request, token, actor)
    case .plan(let act): return try perform(act, actor, survey)
    case .enrolSubject(let name, let subject):
      return try enrol(try number(name), subject, actor)
    case .restrictSubject(let name, let subject, let demand):
      return try restrict(try number(name), subject, demand, actor)
    case .unrestrictSubject(let name, let subject):
      return try unrestrict(try number(name), subject, actor)
    case .hold(let act): return .hold(try perform(act, actor, survey))
    case .retention(let name, let act):
      return .retention(try perform(act, try number(name), actor, survey: survey))
    case .certificates(let after, let limit):
      return .certificates(try certificates(after: after, limit: limit))
    case .certificate(let name): return .certificate(try certificate(name))
    case .evidence(let act): return .evidence(try perform(act))
    case .copies: return .copies(try copies().backups)
    case .retireCopy(let id):
      try retireCopy(id, actor)
      return .done
    case .bundle:
      guard let answer = try survey?.get().bundle() else { throw .corrupt }
      return .bundle(answer)
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
    case .tenantKeyStatus(let name):
      let (number, now) = (try number(name), shared.clock())
      let status = try shared.withState { (state) throws(StoreError) in
        try StoreError.translating { () throws(KeyringError) in
          try state.keyring.keyStatus(number, now: now)
        }
      }
      return .tenantKeyStatus(status, now: now)
    case .rotateRoot: return .rotated(try rotateRoot(actor))
    case .rewrapTenant(let name): return .rotated(try rewrap(try number(name), actor))
    case .rotateTenant(let name, let cause):
      return .rotated(try rotateTenant(try number(name), cause, actor))
    }
  }

  func number(_ name: TenantName) throws(StoreError) -> TenantNumber {
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

  /// Destroys keys, with the line of the ledger and the certificate, and lets go of everything that
  /// was derived.
  func rotate(
    _ removal: Removal, _ act: LedgerEntry.Act, _ tenant: TenantNumber, _ actor: Actor,
    plan: ShredPlan?, reason: ReasonCode?, facts: CertificateFacts = CertificateFacts(),
    saving held: HeldFindings? = nil, now: Int64
  ) throws(StoreError) -> RotationReceipt {
    let draft = try CertificateDraft(
      act, removal, tenant, actor, plan: plan, reason: reason, facts: facts, copies: try copies(),
      now: now, shared: shared)
    // Also when it fails: the keys may be gone all the same.
    defer { shared.raiseBarrier(for: tenant) }
    let entry = LedgerEntry(
      timeMilliseconds: now, act: act, actor: actor.ledgerActor, tenant: tenant,
      result: reason?.ledgerResult ?? 0, planHash: plan?.hash ?? [], count: plan?.eventCount ?? 0,
      subjectCount: plan?.subjectCount ?? 0, ticket: plan?.request?.ticket ?? [],
      receivedDay: plan?.request?.receivedDay ?? 0)
    return try rotate(removal, entry: entry, draft, saving: held)
  }

  /// The same, without a word to whoever sends answers.
  ///
  /// `held` are the events that must be saved, if somebody has looked for them.
  func rotate(
    _ wanted: Removal, entry: LedgerEntry, _ draft: CertificateDraft?,
    saving held: HeldFindings? = nil
  ) throws(StoreError) -> RotationReceipt {
    let findings = try findings(held, wanted)
    let receipt = try shared.withState { (state) throws(StoreError) -> RotationReceipt in
      if let failure = state.failure { throw failure }
      var removal = wanted
      try state.refuseHeld(removal, now: shared.clock())
      removal.documents += try state.edits(saving: findings, shared.log)
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
        shared.accessLog.remove(removal.tenants)
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

  /// What was found, or what is found now if something came between.
  private func findings(
    _ held: HeldFindings?, _ removal: Removal
  ) throws(StoreError) -> HeldFindings {
    if let held, try held.isStillTrue(removal, shared) { return held }
    return try HeldFindings.find(removal, shared)
  }
}

extension Actor {
  /// The actor as the ledger names it.
  var ledgerActor: LedgerEntry.Actor {
    if isDaemon { return .daemon }
    if let socketName { return .socket(name: Array(socketName.utf8), uid: uid) }
    return .uid(uid)
  }

  /// Who did what the ledger says.
  init(_ actor: LedgerEntry.Actor) {
    switch actor {
    case .daemon: self = .daemon
    case .uid(let uid): self.init(uid: uid, socketName: nil, isApprover: false)
    case .socket(let name, let uid):
      self.init(
        uid: uid, socketName: String(decoding: name, as: UTF8.self), isApprover: false)
    }
  }
}

extension ReasonCode {
  /// How the ledger says it: 0 means that no reason was asked for.
  var ledgerResult: UInt8 { UInt8((Self.allCases.firstIndex(of: self) ?? 0) + 1) }
}

extension ShredPlan {
  init(_ survey: ShredSurvey, token: String, hash: [UInt8]?) {
    self.init(
      token: token, hash: hash, eventCount: survey.eventCount,
      sharedEventCount: survey.sharedEventCount,
      impersonalEventCount: survey.impersonalEventCount, erasedEventCount: 0,
      ownStreamCount: UInt64(survey.ownStreams.keys.count { survey.fates.untilDays[$0] == nil }),
      sharedStreamCount: survey.sharedStreamCount,
      keyCount: UInt64(
        survey.subjectSlots.count + survey.ownStreams.count - survey.fates.untilDays.count),
      subjectCount: UInt64(survey.persons.count))
    note(survey.fates)
    if let held = survey.held { note(held) }
  }

  /// Notes what is kept for a while.
  mutating func note(_ fates: KeyFates) {
    restrictedEventCount = UInt64(fates.positions.count)
    restrictedUntilDay = fates.lastDay
  }

  /// Notes what holds keep.
  mutating func note(_ held: HeldFindings) { heldEventCount = held.count }

  init(wholeTenantEvents count: UInt64, token: String, hash: [UInt8]?) {
    self.init(
      token: token, hash: hash, eventCount: count, sharedEventCount: 0, impersonalEventCount: 0,
      erasedEventCount: 0, ownStreamCount: 0, sharedStreamCount: 0, keyCount: 1, subjectCount: 0)
  }

  /// True when both would destroy the same.
  func isSame(as other: ShredPlan) -> Bool {
    eventCount == other.eventCount && sharedEventCount == other.sharedEventCount
      && impersonalEventCount == other.impersonalEventCount
      && erasedEventCount == other.erasedEventCount
      && ownStreamCount == other.ownStreamCount && sharedStreamCount == other.sharedStreamCount
      && keyCount == other.keyCount && subjectCount == other.subjectCount
      && restrictedEventCount == other.restrictedEventCount
      && heldEventCount == other.heldEventCount
  }
}
