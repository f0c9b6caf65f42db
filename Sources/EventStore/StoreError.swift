package import EventModel

/// Why the store did not do what it was asked; each case says whose move it is.
package enum StoreError: Error, Hashable, Sendable {
  /// The device is full. The operator frees space; reads and shreds go on.
  case noSpace
  /// The device failed. The store reads on but writes no more until it is restarted; whether what
  /// was asked for is stored is unknown, so the caller retries with the same id.
  case ioFailure
  /// The store has stopped writing after an I/O failure. The operator restarts it.
  case readOnly
  /// A stored value failed its authentication. The operator restores a backup.
  case corrupt
  /// The records are newer than the keys, or older. The operator brings the matching files.
  case rolledBack
  /// The tenant takes no events at present. The tenant's administrator resumes it.
  case suspended
  /// There is no such tenant. The caller's mistake.
  case noTenant
  /// The name is taken. The caller chooses another.
  case tenantExists
  /// There are ``Limits/tenantsMax`` tenants. The operator's move.
  case tooManyTenants
  /// The person was erased. The caller stops writing about them, or an officer enrols them again.
  case subjectShredded
  /// The person restricted the use of their data or objected, or a shred of theirs waits. The
  /// caller stops writing about them; an officer lifts what can be lifted.
  case subjectRestricted
  /// A shred of the stream waits. The caller writes to another.
  case streamRestricted
  /// The stream's version is not what the caller expected. The caller reads and decides again.
  case wrongVersion(expected: Expectation, actual: UInt64)
  /// The tenant has no such retention class. The caller's mistake.
  case unknownClass
  /// A class cannot promise that. The caller's mistake.
  case retention(RetentionRefusal)
  /// What is to be destroyed is under a hold. An officer releases it.
  case held(HoldID)
  /// There is no such grant, or none that is in force for the caller. An officer makes one.
  case noGrant
  /// A grant ends on a day to come, within ``Limits/grantDaysMax``. The caller's mistake.
  case untilUnsuitable
  /// The tenant has ``Limits/grantsMax`` grants. An officer revokes some.
  case tooManyGrants
  /// There is no such hold. The caller's mistake.
  case noHold
  /// A hold is reviewed on a day to come. The caller's mistake.
  case reviewPast
  /// The tenant has ``Limits/holdsMax`` holds. An officer releases some.
  case tooManyHolds
  /// Events of a class in compliance mode are kept until their minimum has passed. Nobody's move.
  case minimumPending
  /// The tenant has ``Limits/classesMax`` classes. The caller uses one of them.
  case tooManyClasses
  /// The map of a tenant's types is full. The caller writes `CLASS` with the events.
  case tooManyTypes
  /// The caller's event is larger than ``Limits`` allow.
  case tooBig
  /// There is no event at this position (yet), or with this id. The caller's mistake.
  case noEvent
  /// The event at this position has expired, or its period was shredded. Nobody's move.
  case expired(position: UInt64)
  /// The period is not over, so it cannot be shredded. The caller waits for its end.
  case periodNotOver
  /// Nothing of this period can be opened. The caller's mistake.
  case noPeriod
  /// The clock leapt ahead, so nothing expires. The operator looks at it (`CLOCK CONFIRM`), or it is waited.
  case clockUncertain
  /// The clock shows a period that was destroyed. The operator sets it right.
  case clockBehind
  /// Too many holes among the tenant's periods, or too many generations. The caller waits until older
  /// ones expire.
  case tooManyHoles
  /// The stream has no event, or it was shredded. The caller's mistake.
  case noStream
  /// The tenant has no key for this person. The caller's mistake; never an empty certificate.
  case noSubject
  /// The tenant has no key for `count` of several persons; the caller's mistake. `first` counts from 1.
  case noSubjects(count: Int, first: Int)
  /// There is no such plan, or it is finished. The caller's mistake.
  case noPlan
  /// A second user must approve the plan of this number. Another person's move.
  case approvalAwaited(plan: UInt32)
  /// What the plan of this number names is restricted; it is destroyed as soon as a root holder can be
  /// reached. The operator's move.
  case destructionAwaited(plan: UInt32)
  /// A destroying act needs the token of its dry run. The caller makes one.
  case confirmationMissing
  /// The token is unknown, used or older than an hour. The caller makes a new dry run.
  case confirmationUnknown
  /// The events changed since the dry run. The caller looks at a new one.
  case planChanged
  /// A second user with the role approver must confirm. Another person's move.
  case needsApproval
  /// Too many plans wait. The caller confirms or lets some lapse.
  case tooManyPlans
  /// No root holder can be reached for the erasure. The operator's move; nothing was destroyed.
  case keyUnavailable
  /// The keys are destroyed in the store, but an old root may still be in a holder: nothing may be
  /// called erased yet. The operator's move; it is tried again at the next act and at start.
  case erasurePending
  /// The newest report has no such package. The caller makes the report again.
  case noPackage
  /// Too many incidents were reported. Nobody's move: older ones can still be looked at.
  case tooManyIncidents
  /// There is no certificate of this name. The caller's mistake.
  case noCertificate
  /// There is no such bundle, or it was left alone for too long. The caller begins anew.
  case noBundle
  /// A tenant is gone since the bundle was begun. The caller begins anew.
  case bundleOutdated
  /// The daemon is ending. The caller connects again later.
  case shuttingDown
  /// Another event of the same batch was refused, so this one was not stored either.
  case batchRefused
  /// There is another event of this id and source, at this position. The caller's mistake.
  case idConflict(position: UInt64)
  /// The event of this id and source, at this position, was erased; it is not taken again. Nobody's
  /// move: what was to be forgotten stays forgotten.
  case eventErased(position: UInt64)
  /// The tenant takes no event without an id of the client's. The caller's mistake.
  case idMissing
  /// A log that was not yet, or never will be, as long as a proof was asked for; it has `size` leaves. The
  /// caller's mistake.
  case notInLog(size: UInt64)
  /// The cursor is forged, of another tenant or query, or of a time before a restore. The caller
  /// begins anew.
  case badCursor
}

/// What a writer expects of the stream that it appends to.
package enum Expectation: Hashable, Sendable {
  case any
  /// The stream has no event.
  case none
  /// The stream has at least one event.
  case exists
  /// The stream's newest event has this version.
  case version(UInt64)

  /// True when a stream at `version` (0: no event) is as expected.
  package func allows(_ version: UInt64) -> Bool {
    switch self {
    case .any: true
    case .none: version == 0
    case .exists: version > 0
    case .version(let expected): version == expected
    }
  }
}
