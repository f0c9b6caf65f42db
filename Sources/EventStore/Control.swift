package import EventModel
package import Keyring

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
  package private(set) var isDaemon = false

  /// The daemon itself.
  package static let daemon: Actor = {
    var actor = Actor(uid: 0, socketName: nil, isApprover: false)
    actor.isDaemon = true
    return actor
  }()

  package init(uid: UInt32, socketName: String?, isApprover: Bool) {
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
  /// Counts what destroying the person's keys would erase and answers the token for it.
  case planShredSubject(TenantName, subject: [UInt8])
  case shredSubject(TenantName, subject: [UInt8], reason: ReasonCode, token: [UInt8])
  case planShred(TenantName, ShredTarget)
  case shred(TenantName, ShredTarget, reason: ReasonCode, token: [UInt8])
  case planShredTenant(TenantName)
  case shredTenant(TenantName, reason: ReasonCode, token: [UInt8])
  /// Lifts the mark of an erased person, so that new events (under a new key) are taken again.
  case enrolSubject(TenantName, subject: [UInt8])
  case keyStatus

  // Retention classes.
  case retention(TenantName, RetentionAct)

  // Rotations.
  /// Replaces the root, so that no old copy of the keyring opens any more.
  case rotateRoot
  /// Gives every node of the tenant a fresh key, and replaces the root.
  case rewrapTenant(TenantName)

  // Restrictions.
  case restrictSubject(TenantName, subject: [UInt8], PersonDemand)
  /// Lifts a restriction and an objection.
  case unrestrictSubject(TenantName, subject: [UInt8])

  // Certificates.
  /// The certificates behind the index `after`, at most `limit`.
  case certificates(after: UInt64, limit: Int)
  /// One certificate, by its name.
  case certificate([UInt8])

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
    case .shredSubject, .shred, .shredTenant, .restrictSubject: true
    default: false
    }
  }
}

/// What can be shredded besides persons and tenants.
package enum ShredTarget: Hashable, Sendable {
  /// Single events, by their positions: at most ``Limits/shredEventsMax``.
  case events([UInt64])
  /// A stream with all its events, by its name.
  case stream([UInt8])
  /// What was stored under a class (empty: `default`) on a UTC day, counted from 1970-01-01.
  case period(className: [UInt8], day: UInt32)
}

/// What an administrator can set for a tenant.
package enum TenantOption: Hashable, Sendable {
  /// Every event must have an id of the client's (`ids required|optional`).
  case demandsIDs(Bool)
}

/// What a control act answers.
package enum ControlAnswer: Sendable {
  case done
  case tenants([TenantDetail])
  case tenant(TenantDetail)
  case plan(ShredPlan)
  case shredded(ShredReceipt)
  case keyStatus(KeyringStatus)
  case rotated(KeyRotation)
  case retention(RetentionAnswer)
  case certificates([CertificateSummary])
  case certificate(Certificate)
  case expiry(ExpiryReport)
  case retentionStatus(RetentionStatus)
  case clock(ClockStatus)
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
}

/// What a shred would destroy.
package struct ShredPlan: Sendable {
  /// The token to confirm with: 32 hexadecimal digits.
  package let token: String
  /// Live events that will be erased.
  package let eventCount: UInt64
  /// Of these, events that name other persons too; any person, unless a person is shredded.
  package let sharedEventCount: UInt64
  /// Of these, events that name nobody and go with the person's streams.
  package let impersonalEventCount: UInt64
  /// Events that are meant too and were erased before.
  package let erasedEventCount: UInt64
  /// Streams that die because they name nobody else.
  package let ownStreamCount: UInt64
  /// Streams that go on because they name others; their names survive.
  package let sharedStreamCount: UInt64
  /// Keys that will be destroyed.
  package let keyCount: UInt64
  /// True when a second user must confirm.
  package let needsApproval: Bool
}

/// What a shred did.
package struct ShredReceipt: Sendable {
  package let plan: ShredPlan
  package let rotation: RotationReceipt
  /// When it was done: milliseconds since 1970.
  package let timeMilliseconds: Int64
}
