import EventModel
import EventStore
import RESP

extension ControlReply {
  /// What a report says; the names of its packages' tenants only for those that the peer administrates.
  static func append(_ found: IncidentAnswer, _ state: ConnectionState, to bytes: inout [UInt8]) {
    let encoder = state.encoder
    var map = MapReply(encoder: encoder)
    map.add("incident", found.incident)
    map.add("version", found.version)
    map.add("notify-until", Timestamp.text(found.notifyUntilMilliseconds))
    map.add("minutes-left", "\(found.millisecondsLeft / 60_000)")
    map.add("packages", found.packages.map { "\($0.tenant.text)=\($0.parts)" })
    map.add("summary", String(decoding: found.summary, as: UTF8.self))
    map.append(to: &bytes)
  }
}
