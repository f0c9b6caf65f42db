import EventModel
import RESP

/// `ACCESS LIST`: the rules as they hold now, as far as they name tenants that the peer administrates.
///
/// Other tenants' names are not shown: forbidden looks like absent.
enum AccessReply {
  static func append(
    _ policy: AccessPolicy, for rights: Rights, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    func isShown(_ tenant: TenantName) -> Bool {
      !rights.roles(for: tenant).isDisjoint(with: [.operator, .auditor])
    }
    let peers = policy.peers.filter { $0.grant.tenants.contains(where: isShown) }
    let sockets = policy.sockets.filter { isShown($0.tenant) }
    encoder.array(peers.count + sockets.count, to: &bytes)
    for rule in peers {
      var map = MapReply(encoder: encoder)
      switch rule.match {
      case .uid(let uid): map.add("uid", UInt64(uid))
      case .gid(let gid): map.add("gid", UInt64(gid))
      }
      switch rule.grant.tenants {
      case .all: map.add("tenants", ["*"])
      case .some(let names): map.add("tenants", names.filter(isShown).map(\.text))
      }
      map.add("roles", rule.grant.roles.names)
      map.add("purposes", rule.grant.purposes)
      map.append(to: &bytes)
    }
    for rule in sockets {
      var map = MapReply(encoder: encoder)
      map.add("socket", rule.name.text)
      map.add("tenants", [rule.tenant.text])
      map.add("roles", rule.roles.names)
      map.add("purposes", rule.purposes)
      map.append(to: &bytes)
    }
  }
}
