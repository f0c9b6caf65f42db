import EventModel
import EventStore
import Keyring
import RESP

extension ControlReply {
  /// Appends what `KEY STATUS tenant` answers.
  static func append(
    _ status: TenantKeyStatus, now: Int64, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    var map = MapReply(encoder: encoder)
    map.add("tenant", status.name.text)
    map.add("state", status.isSuspended ? "suspended" : "active")
    map.add("generation", UInt64(status.generations.last?.generation.number ?? 0))
    map.add("lineage", UInt64(status.lineage))
    map.add("age-days", days(status.generations.last?.generation.begun ?? now, now))
    map.add("names-since", Timestamp.text(status.createdMilliseconds))
    map.add("generations", maps: status.generations.reversed().map { row($0, now: now, encoder) })
    map.add("periods", maps: status.classes.map { row($0, encoder) })
    map.append(to: &bytes)
  }

  /// A generation's states with the time of each change.
  private static func row(
    _ status: GenerationStatus, now: Int64, _ encoder: ReplyEncoder
  ) -> MapReply {
    let found = status.generation
    var map = MapReply(encoder: encoder)
    map.add("generation", UInt64(found.number))
    map.add("state", status.state.rawValue)
    map.add("reason", reason(found.cause))
    map.add("age-days", days(found.begun, found.destroyed > 0 ? found.destroyed : now))
    map.add("activated", time: found.begun)
    map.add("deactivated", time: found.ended > 0 ? found.ended : nil)
    map.add("compromised", time: status.compromised)
    map.add("destroyed", time: found.destroyed > 0 ? found.destroyed : nil)
    return map
  }

  /// How far a class's period keys have gone.
  private static func row(_ status: ClassKeyStatus, _ encoder: ReplyEncoder) -> MapReply {
    func start(_ period: Period?) -> Int64? { period?.startMilliseconds }
    let next = Period(unit: status.active.unit, index: status.active.index + 1)
    var map = MapReply(encoder: encoder)
    map.add("class", String(decoding: status.name, as: UTF8.self))
    map.add("unit", status.active.unit == .day ? "day" : "hour")
    map.add("destroyed-before", time: status.first?.index == 0 ? nil : start(status.first))
    map.add("destroyed-later-ones", isTrue: status.hasHoles)
    map.add("active-from", time: start(status.active))
    map.add("pre-activation-from", time: start(next))
    return map
  }

  private static func reason(_ cause: GenerationCause) -> String {
    switch cause {
    case .tenantCreated: "created"
    case .rotated: "scheduled"
    case .compromised: "compromise"
    case .restored: "restored"
    }
  }

  private static func days(_ start: Int64, _ end: Int64) -> UInt64 {
    UInt64(max(0, end - start) / 86_400_000)
  }
}
