import EventModel
import RESP

/// `ACCESS LIST`: the rules as they hold now.
enum AccessReply {
  static func append(
    _ policy: AccessPolicy, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    encoder.array(policy.peers.count + policy.sockets.count, to: &bytes)
    for rule in policy.peers {
      var map = MapReply(encoder: encoder)
      switch rule.match {
      case .uid(let uid): map.add("uid", UInt64(uid))
      case .gid(let gid): map.add("gid", UInt64(gid))
      }
      switch rule.grant.tenants {
      case .all: map.add("tenants", ["*"])
      case .some(let names): map.add("tenants", names.map(\.text))
      }
      map.add("roles", rule.grant.roles.names)
      map.add("purposes", rule.grant.purposes)
      map.append(to: &bytes)
    }
    for rule in policy.sockets {
      var map = MapReply(encoder: encoder)
      map.add("socket", rule.name.text)
      map.add("tenants", [rule.tenant.text])
      map.add("roles", rule.roles.names)
      map.add("purposes", [])
      map.append(to: &bytes)
    }
  }
}
