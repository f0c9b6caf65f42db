package import EventModel
import Sodium
import Storage

/// What somebody got who should not have.
package enum ExposureClass: String, Sendable, CaseIterable {
  /// The files, or a backup of them.
  case storage
  /// The files and the root of that time.
  case storageAndRoot = "storage+root"
  /// The account of a peer: whatever it was given, and could have asked for.
  case peer
  /// The account of an administrator.
  case `operator`
  /// The daemon's memory.
  case memory
}

/// Of which tenants a peer may read events.
package enum PeerReach: Hashable, Sendable {
  case all
  case some([TenantName])

  func contains(_ tenant: TenantName) -> Bool {
    switch self {
    case .all: true
    case .some(let names): names.contains(tenant)
    }
  }
}

/// What a report is to be about.
package struct IncidentRequest: Hashable, Sendable {
  /// In the order of ``ExposureClass``.
  package let exposed: [ExposureClass]
  /// Milliseconds since 1970; the access log is asked for whole minutes.
  package let from: Int64
  package let through: Int64
  /// When somebody became aware: 72 hours run from then on.
  package let aware: Int64
  /// Nil: all tenants.
  package let tenant: TenantName?
  /// The peer's uid; nil: any.
  package let uid: UInt32?
  /// The peer's named socket; nil: any.
  package let socketName: [UInt8]?
  /// What the access file lets the peer read today.
  package let reach: PeerReach
  /// False: only looked at, without a version and packages.
  package let isReport: Bool

  package init(
    exposed: [ExposureClass], from: Int64, through: Int64, aware: Int64, tenant: TenantName?,
    uid: UInt32?, socketName: [UInt8]?, reach: PeerReach, isReport: Bool
  ) {
    self.exposed = exposed
    self.from = from
    self.through = through
    self.aware = aware
    self.tenant = tenant
    self.uid = uid
    self.socketName = socketName
    self.reach = reach
    self.isReport = isReport
  }

  /// The first millisecond of the first minute.
  var fromMinute: Int64 { from - from % AccessRow.minuteMilliseconds }
  /// The last millisecond of the last minute.
  var throughMinute: Int64 {
    through - through % AccessRow.minuteMilliseconds + AccessRow.minuteMilliseconds - 1
  }

  /// True when a line of the access log is of the peer in question.
  func isAbout(_ peer: AccessPeer) -> Bool {
    #if DEBUG
      if TestHooks.isVariant("incident-anybody") { return true }
    #endif
    return (uid == nil || uid == peer.uid) && (socketName == nil || socketName == peer.socketName)
  }

  /// What names the incident: reports with the same are versions of one another.
  var hash: [UInt8] {
    let parts: CanonicalJSON = [
      "exposed": .array(exposed.map { .string($0.rawValue) }), "from": .string("\(from)"),
      "through": .string("\(through)"), "aware": .string("\(aware)"),
      "tenant": .string(tenant?.text ?? ""), "uid": .string(uid.map { "\($0)" } ?? ""),
      "socket": .string(String(decoding: socketName ?? [], as: UTF8.self)),
    ]
    return KeyDerivation.checksum(
      count: 32, context: KeyDerivation.Context("LT1.incident"), message: parts.bytes.span)
  }
}
