package import EventModel
package import Keyring
import Sodium

/// Why something is destroyed; a code, since free text could hold what must be forgotten.
package enum ReasonCode: String, Sendable, CaseIterable {
  case art17
  case consent
  case objection
  case capturedSecret = "captured-secret"
  case offboarding
  case retention
  case other
}

/// Who asks.
package struct Actor: Sendable, Hashable {
  package let uid: UInt32
  /// The named socket's name, when the peer came through one.
  package let socketName: String?
  /// True when the peer has the role approver.
  package let isApprover: Bool
  /// True for what the daemon does by itself.
  package let isDaemon: Bool

  package static let daemon = Actor(uid: 0, socketName: nil, isApprover: false, isDaemon: true)

  package init(uid: UInt32, socketName: String?, isApprover: Bool, isDaemon: Bool = false) {
    self.isDaemon = isDaemon
    self.uid = uid
    self.socketName = socketName
    self.isApprover = isApprover
  }
}

/// An act of the control plane; acts run one after the other, between the writer's commits.
package enum ControlAct: Sendable {
  case createTenant(TenantName, Retention)
  case listTenants
  case tenantInfo(TenantName)
  case suspendTenant(TenantName)
  case resumeTenant(TenantName)
  case setTenant(TenantName, TenantOption)
  /// Counts what destroying the target's keys would erase and answers the token for it.
  case planShred(TenantName, ShredTarget)
  case shred(TenantName, ShredTarget, ShredRequest, token: [UInt8])
  case plan(PlanAct)
  /// Lifts the mark of an erased person, so that new events (under a new key) are taken again.
  case enrolSubject(TenantName, subject: [UInt8])
  case keyStatus
  /// A tenant's keys, with their states and ages.
  case tenantKeyStatus(TenantName)

  // Retention classes.
  case retention(TenantName, RetentionAct)

  // Holds.
  case hold(HoldAct)

  // Grants.
  case grant(GrantAct)

  // The access log.
  /// Lines of a tenant's access log, whole blocks behind one.
  case accessLog(TenantName, after: UInt64, limit: Int)

  // Incidents.
  /// Says what somebody got who should not have.
  case incident(IncidentRequest)
  /// A part of a package of the newest report, counted from 1.
  case incidentPackage([UInt8], TenantName, part: Int)
  /// Sets the public key, 32 bytes, that reports about a tenant are sealed to.
  case enrolKey(TenantName, key: [UInt8])

  // Rotations.
  /// Replaces the root, so that no old copy of the keyring opens any more.
  case rotateRoot
  /// Gives every node of the tenant a fresh key, and replaces the root.
  case rewrapTenant(TenantName)
  /// New keys for what the tenant stores from now on, and a new root.
  case rotateTenant(TenantName, GenerationCause)

  // Restrictions.
  case restrictSubject(TenantName, subject: [UInt8], PersonDemand)
  /// Lifts a restriction and an objection.
  case unrestrictSubject(TenantName, subject: [UInt8])

  // Certificates.
  /// The certificates behind the index `after`, at most `limit`.
  case certificates(after: UInt64, limit: Int)
  /// One certificate, by its name.
  case certificate([UInt8])
  /// The backups that certificates name as copies.
  case copies
  /// Strikes off a backup, by its identity of 16 bytes: the operator says that it is destroyed.
  case retireCopy([UInt8])

  /// What an auditor takes along.
  case bundle(BundleAct)
  // Evidence.
  case evidence(EvidenceAct)

  // Retention.
  /// Destroys what has reached the end of its time, in every class of every tenant.
  case expire(isDryRun: Bool)
  case retentionStatus

  // The clock.
  /// What the daemon does once an hour: a time mark, and what is over goes.
  case hourly
  case clockStatus
  /// Vouches for the clock.
  case confirmClock
}

extension ControlAct {
  /// True when after its answer nothing may be sent that was read before it.
  package var isBarrier: Bool {
    switch self {
    case .shred, .restrictSubject, .plan(.approve): true
    default: false
    }
  }
}

/// What is done with plans, by their numbers.
package enum PlanAct: Sendable {
  case list(PlanPermission)
  case status(UInt32, PlanPermission)
  case approve(UInt32, PlanPermission)
  case cancel(UInt32, PlanPermission)
  /// By the daemon, when its time has come.
  case carryOut(UInt32)
}

/// What can be shredded.
package enum ShredTarget: Hashable, Sendable {
  /// Persons, by their identifiers: at most ``Limits/shredSubjectsMax``.
  case subjects([[UInt8]])
  /// Single events, by their positions: at most ``Limits/shredEventsMax``.
  case events([UInt64])
  /// A stream with all its events, by its name.
  case stream([UInt8])
  /// What was stored under a class (empty: `default`) on a UTC day, counted from 1970-01-01.
  case period(className: [UInt8], day: UInt32)
  case tenant
  /// The tenant, after a time in which it takes no events and is read.
  case offboarding
}

/// What an administrator can set for a tenant.
package enum TenantOption: Hashable, Sendable {
  /// Every event must have an id of the client's (`ids required|optional`).
  case demandsIDs(Bool)
  /// How long a confirmed shred of a kind waits.
  case grace(PlanKind, milliseconds: Int64)
  /// Grants need a second user's approval.
  case exportApproval(Bool)
  /// Every reply waits for its line in the access log.
  case isStrict(Bool)
  /// Days that the access log is kept.
  case accessDays(UInt16)
}

/// What a control act answers.
package enum ControlAnswer: Sendable {
  case done
  case tenants([TenantDetail])
  case tenant(TenantDetail)
  case plan(ShredPlan)
  case shredded(ShredReceipt)
  /// Confirmed; restricted and to be destroyed later.
  case planned(PlanDetail)
  case plans([PlanDetail])
  case keyStatus(KeyringStatus)
  case tenantKeyStatus(TenantKeyStatus, now: Int64)
  case rotated(KeyRotation)
  case retention(RetentionAnswer)
  case certificates([CertificateSummary])
  case certificate(Certificate)
  case expiry(ExpiryReport)
  case retentionStatus(RetentionStatus)
  case clock(ClockStatus)
  case copies([KnownBackup])
  case hold(HoldAnswer)
  case grants([GrantDetail])
  case grant(GrantDetail)
  case accessPage(AccessPage)
  case bundle(BundleAnswer)
  case evidence(EvidenceAnswer)
  case incident(IncidentAnswer)
  case incidentPackage([UInt8])
}

/// A tenant as administrators see it.
package struct TenantDetail: Sendable {
  package let name: TenantName
  package let isSuspended: Bool
  /// True when every event must have an id of the client's.
  package let demandsIDs: Bool
  package let createdMilliseconds: Int64
  package let retention: Retention
  /// The newest position.
  package let lastPosition: UInt64
  /// How many of the events since the daemon started name nobody.
  package let impersonalCount: UInt64
  /// How long confirmed shreds wait; nil where many tenants are listed.
  package var grace: Grace?
  /// Holds in force; nil where many tenants are listed.
  package var holdCount: UInt64?
  /// True when grants need a second user's approval; nil where many tenants are listed.
  package var needsExportApproval: Bool?
  /// True when every reply waits for its line in the access log; nil where many tenants are listed.
  package var isStrict: Bool?
  /// Days that the access log is kept; nil where many tenants are listed.
  package var accessDays: UInt16?
}

/// What a shred would destroy.
package struct ShredPlan: Sendable {
  /// The token to confirm with: 32 hexadecimal digits; empty when it was confirmed.
  package let token: String
  /// What the ledger keeps of the plan: a hash of its token, which is random and so is its salt.
  package let hash: [UInt8]
  /// Live events that will be erased.
  package let eventCount: UInt64
  /// Of these, events that name other persons too; any person, unless persons are shredded.
  package let sharedEventCount: UInt64
  /// Of these, events that name nobody and go with the persons' streams.
  package let impersonalEventCount: UInt64
  /// Events that are meant too and were erased before.
  package let erasedEventCount: UInt64
  /// Streams that die because they name nobody else.
  package let ownStreamCount: UInt64
  /// Streams that go on because they name others; their names survive.
  package let sharedStreamCount: UInt64
  /// Keys that will be destroyed.
  package let keyCount: UInt64
  /// Persons that will be erased.
  package let subjectCount: UInt64
  /// Live events that will be restricted, and erased when the minimum of their class has passed.
  package var restrictedEventCount: UInt64 = 0
  /// The UTC day, as days since 1970, on which the last of these is erased; 0: there is none.
  package var restrictedUntilDay: UInt16 = 0
  /// Live events that holds keep, restricted, though a key of theirs will be destroyed.
  package var heldEventCount: UInt64 = 0
  /// True when a second user must confirm.
  package var needsApproval = false
  /// When it will be destroyed if it is confirmed now; nil: at once.
  package var dueMilliseconds: Int64?
  /// What it was confirmed with; the ledger keeps its ticket.
  package var request: ShredRequest?

  init(
    token: String, hash: [UInt8]? = nil, eventCount: UInt64, sharedEventCount: UInt64,
    impersonalEventCount: UInt64, erasedEventCount: UInt64, ownStreamCount: UInt64,
    sharedStreamCount: UInt64, keyCount: UInt64, subjectCount: UInt64
  ) {
    self.token = token
    self.hash =
      hash
      ?? KeyDerivation.checksum(
        count: 32, context: KeyDerivation.Context("LT1.plan"), message: Array(token.utf8).span)
    self.eventCount = eventCount
    self.sharedEventCount = sharedEventCount
    self.impersonalEventCount = impersonalEventCount
    self.erasedEventCount = erasedEventCount
    self.ownStreamCount = ownStreamCount
    self.sharedStreamCount = sharedStreamCount
    self.keyCount = keyCount
    self.subjectCount = subjectCount
  }
}

/// What a shred did.
package struct ShredReceipt: Sendable {
  package let plan: ShredPlan
  package let rotation: RotationReceipt
  /// When it was done: milliseconds since 1970.
  package let timeMilliseconds: Int64
}
