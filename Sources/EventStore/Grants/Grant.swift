package import EventModel

/// An act on grants: who may take a tenant's events out in bulk, and until when.
package enum GrantAct: Sendable {
  /// To the end of the day `untilDay`, counted from 1970.
  case set(TenantName, GrantPeer, untilDay: UInt32)
  /// The grants of tenants for which the peer may ask.
  case list(PlanPermission)
  case approve(GrantID, PlanPermission)
  case revoke(GrantID, PlanPermission)
}

/// To whom something is granted.
package enum GrantPeer: Hashable, Sendable {
  case uid(UInt32)
  /// A named socket, whoever is behind it.
  case socket([UInt8])

  /// As the ledger names actors: `uid:1201`, `socket:web-7`.
  package var text: String {
    switch self {
    case .uid(let uid): "uid:\(uid)"
    case .socket(let name): "socket:" + String(decoding: name, as: UTF8.self)
    }
  }
}

extension Actor {
  /// The actor as grants name it: a named socket stands for whoever is behind it.
  package var grantPeer: GrantPeer {
    if let socketName { return .socket(Array(socketName.utf8)) }
    return .uid(uid)
  }
}

/// Which grant: a tenant's number and its own within the tenant.
package struct GrantID: Hashable, Sendable {
  package let tenant: TenantNumber
  package let number: UInt32

  init(tenant: TenantNumber, number: UInt32) {
    self.tenant = tenant
    self.number = number
  }

  /// Reads `2-1`.
  package init?(_ text: [UInt8]) {
    guard let id = HoldID(text) else { return nil }
    self.init(tenant: id.tenant, number: id.number)
  }

  package var text: String { "\(tenant.rawValue)-\(number)" }
}

/// A grant as administrators see it.
package struct GrantDetail: Sendable {
  package let id: GrantID
  package let tenant: TenantName?
  package let peer: GrantPeer
  /// False while a second user must approve.
  package let isApproved: Bool
  package let setMilliseconds: Int64
  /// The last day, counted from 1970.
  package let untilDay: UInt32
}
