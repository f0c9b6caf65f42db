package import EventModel

/// What goes with a shred: why, and for which request of which day.
package struct ShredRequest: Hashable, Sendable {
  package let reason: ReasonCode
  /// `[A-Za-z0-9-]`, at most 32; empty when there is none.
  package let ticket: [UInt8]
  /// The day on which the request came, in days since 1970.
  package let receivedDay: UInt32?
  /// True when the peer is an approver of this tenant.
  package let mayApprove: Bool

  package init(
    reason: ReasonCode, ticket: [UInt8] = [], receivedDay: UInt32? = nil, mayApprove: Bool = true
  ) {
    precondition(ticket.count <= 32, "a ticket has at most 32 bytes")
    self.reason = reason
    self.ticket = ticket
    self.receivedDay = receivedDay
    self.mayApprove = mayApprove
  }

  /// The last day on which the request may be answered: a month after it came (GDPR, article 12(3)).
  package var dueDay: UInt32? {
    receivedDay.map { UInt32(CivilDate(daysSince1970: Int($0)).aMonthLater.daysSince1970) }
  }
}

/// What kind of thing a plan destroys; the numbers are part of the format.
package enum PlanKind: UInt8, Sendable, CaseIterable {
  case subjects = 1
  case events = 2
  case stream = 3
  case period = 4
  case tenant = 5
  case offboarding = 6
}

/// How far a plan has come; the numbers are part of the format.
package enum PlanState: UInt8, Sendable {
  /// A second user must approve it; nothing is restricted.
  case approval = 1
  /// What it names is restricted and will be destroyed at its time.
  case waiting = 2
  case done = 3
  case cancelled = 4
  /// Nobody approved it in time, or what it counted had changed.
  case lapsed = 5

  package var isOpen: Bool { self == .approval || self == .waiting }
}

/// A plan as administrators see it; it names nobody.
package struct PlanDetail: Sendable {
  package let number: UInt32
  /// Nil when the tenant is gone.
  package let tenant: TenantName?
  package let kind: PlanKind
  package let state: PlanState
  package let request: ShredRequest
  package let plan: ShredPlan
  /// Uid or socket.
  package let requestedBy: String
  package let approvedBy: String?
  package let confirmedMilliseconds: Int64
  /// When it is destroyed; of a plan to be approved: when it lapses.
  package let dueMilliseconds: Int64
  package let finishedMilliseconds: Int64?
  /// Whole days that are left for the answer to the request; negative when it is overdue.
  package let daysLeft: Int?
  /// Why it was not carried out when it was due, or nil.
  package let obstacle: StoreError?
}

/// Says whether the peer may see or change plans of a tenant; nil is a tenant that is gone.
package typealias PlanPermission = @Sendable (TenantName?) -> Bool
