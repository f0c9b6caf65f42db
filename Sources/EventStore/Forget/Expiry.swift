package import Keyring
import EventModel
import Sodium
import Storage

/// What an expiry run did, or would do.
package struct ExpiryReport: Sendable {
  /// When, as far as the store trusts its clock: milliseconds since 1970.
  package let timeMilliseconds: Int64
  /// Events that expired.
  package let eventCount: UInt64
  /// Events that holds keep though they are over, or a key of theirs is.
  package let heldCount: UInt64
  /// Tenants that they belonged to.
  package let tenantCount: UInt64
  /// Periods of classes that had events.
  package let periodCount: UInt64
  /// Months and days of the index whose postings end with them.
  package let bucketCount: UInt64
  /// Nil after a dry run, and when nothing was due.
  package let rotation: RotationReceipt?

  init(_ survey: ExpirySurvey, rotation: RotationReceipt?) {
    timeMilliseconds = survey.due.now
    eventCount = survey.eventCount
    heldCount = survey.held?.count ?? 0
    tenantCount = survey.tenantCount
    periodCount = survey.periodCount
    bucketCount = UInt64(survey.due.buckets.count)
    self.rotation = rotation
  }
}

/// How far expiry has come, over all tenants.
package struct RetentionStatus: Sendable {
  /// True when nothing expires until somebody has looked at the clock.
  package let isPaused: Bool
  /// The last run that found something.
  package let lastRun: ExpiryMark?
  /// Events that are over and can still be read.
  package let dueEventCount: UInt64
  /// When the first of them was over: milliseconds since 1970.
  package let dueSinceMilliseconds: Int64?
  /// How far the ciphertext of what was destroyed has been dropped.
  package let purge: PurgeStatus
}

// How what has reached its end is destroyed: every class of every tenant in one rotation.

extension ControlPlane {
  /// Destroys the periods that are over, in the order in which a shred destroys its keys.
  ///
  /// What was promised when the events were stored needs no plan and no second user. Answers that were
  /// read before may still reach their clients: they were not expired when they were read.
  func expire(
    _ survey: Result<Survey, StoreError>?, isDryRun: Bool, _ actor: Actor
  ) throws(StoreError) -> ExpiryReport {
    guard var survey = try survey?.get().expiry() else { throw .corrupt }
    guard !isDryRun else { return ExpiryReport(survey, rotation: nil) }
    let now = try shared.trustedNow()
    // Another act came between, or the clock went back: counted once more, while appends wait.
    let isStillTrue = try survey.isStillTrue()
    if survey.due.now > now || !isStillTrue {
      survey = try ExpirySurvey.survey(shared, now: now)
    }
    guard !survey.isEmpty else { return ExpiryReport(survey, rotation: nil) }
    // Random, so that the ledger tells which rows of erased positions belong to it, and nothing else.
    let planHash = Random.bytes(32)
    let entry = LedgerEntry(
      timeMilliseconds: survey.due.now, act: .periodsExpired, actor: actor.ledgerActor,
      planHash: planHash, count: survey.eventCount)
    var removal = survey.removal
    removal.expiry = ExpiryMark(
      milliseconds: survey.due.now, eventCount: survey.eventCount)
    #if DEBUG
      if TestHooks.isVariant("version-forgotten") {
        for tenant in removal.parts.keys { removal.parts[tenant]?.versions = [:] }
      }
    #endif
    try shared.erasures.stage(
      survey.positions, in: survey.sequences, now: survey.due.now, planHash: planHash,
      shared: shared)
    // Whether the run came to be, its rows tell by the ledger, also when it ends in an error.
    defer { shared.erasuresMoved(Array(survey.positions.keys)) }
    var facts = CertificateFacts()
    facts.eventCount = survey.eventCount
    facts.heldCount = survey.held?.count ?? 0
    let draft = try CertificateDraft(
      .periodsExpired, removal, TenantNumber(rawValue: 0), actor, plan: nil, reason: .retention,
      facts: facts, copies: try copies(), now: survey.due.now, shared: shared)
    let receipt = try rotate(removal, entry: entry, draft, saving: survey.held)
    shared.accessLog.remove(survey.accessBlocks, shared)
    return ExpiryReport(survey, rotation: receipt)
  }

  /// What is due and what was done.
  func retentionStatus(
    _ survey: Result<Survey, StoreError>?
  ) throws(StoreError) -> RetentionStatus {
    guard let survey = try survey?.get().expiry() else { throw .corrupt }
    return RetentionStatus(
      isPaused: clockStatus().state != .trusted,
      lastRun: shared.withState { $0.keyring.lastExpiry }, dueEventCount: survey.eventCount,
      dueSinceMilliseconds: survey.dueSinceMilliseconds, purge: try shared.purgeStatus())
  }
}
