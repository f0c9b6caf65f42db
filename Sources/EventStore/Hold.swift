package import EventModel

/// An act on legal holds: what is under one is not destroyed, whoever asks and whatever has ended.
package enum HoldAct: Sendable {
  case set(TenantName, HoldScope, HoldReason, reviewDay: UInt32)
  /// The holds of tenants for which the peer may ask.
  case list(PlanPermission)
  /// Hands out the events that a hold keeps, behind a position.
  case export(HoldID, PlanPermission, after: UInt64, limit: Int)
  /// Ends a hold: planned like a shred, since others may then destroy what it kept.
  case release(HoldID, PlanPermission, Confirmation)
}

/// Which hold: a tenant's number and its own within the tenant.
package struct HoldID: Hashable, Sendable {
  package let tenant: TenantNumber
  package let number: UInt32

  package init(tenant: TenantNumber, number: UInt32) {
    self.tenant = tenant
    self.number = number
  }

  /// Reads `2-1`.
  package init?(_ text: [UInt8]) {
    let parts = text.split(separator: 0x2D, omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ (1...9).contains($0.count) }),
      let tenant = UInt32(String(decoding: parts[0], as: UTF8.self)),
      let number = UInt32(String(decoding: parts[1], as: UTF8.self))
    else { return nil }
    self.init(tenant: TenantNumber(rawValue: tenant), number: number)
  }

  package var text: String { "\(tenant.rawValue)-\(number)" }
}

/// What is held, by the names that administrators say.
package enum HoldScope: Sendable {
  case subject([UInt8])
  case stream([UInt8])
  case retentionClass([UInt8])
  case tenant
}

/// Why something is held; a code, since free text could hold what must be forgotten.
package enum HoldReason: UInt8, Sendable, CaseIterable {
  case litigation = 1
  case investigation = 2
  case audit = 3
  case other = 4

  package var text: String {
    switch self {
    case .litigation: "litigation"
    case .investigation: "investigation"
    case .audit: "audit"
    case .other: "other"
    }
  }
}

/// A hold as administrators see it; of persons and streams it shows no name.
package struct HoldDetail: Sendable {
  package let id: HoldID
  package let tenant: TenantName?
  /// `datasubject`, `stream`, `class` or `tenant`.
  package let scope: String
  /// Of a class: its name.
  package let className: [UInt8]
  package let reason: HoldReason
  /// Days since 1970.
  package let reviewDay: UInt32
  /// True when the review is overdue.
  package let isOverdue: Bool
  package let setMilliseconds: Int64
  /// When it ends, once it is released.
  package let endsMilliseconds: Int64?
}

/// What the control plane answers about holds.
package enum HoldAnswer: Sendable {
  case holds([HoldDetail])
  /// Set, or released and in force until its end.
  case hold(HoldDetail)
  /// A dry run of a release, with its token.
  case plan(HoldDetail, token: String)
  case released
  case export(HoldExport)
}
