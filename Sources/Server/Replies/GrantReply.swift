import EventModel
import EventStore
import RESP

extension ControlReply {
  /// A grant as `GRANT` answers it.
  static func append(_ grant: GrantDetail, _ encoder: ReplyEncoder, to bytes: inout [UInt8]) {
    var map = MapReply(encoder: encoder)
    map.add("id", grant.id.text)
    map.add("tenant", grant.tenant?.text ?? "")
    map.add("peer", grant.peer.text)
    map.add("state", grant.isApproved ? "granted" : "approval")
    map.add("set", Timestamp.text(grant.setMilliseconds))
    map.add("until", Timestamp.dayText(Int64(grant.untilDay)))
    map.append(to: &bytes)
  }
}
