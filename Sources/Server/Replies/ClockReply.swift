import EventModel
import EventStore
import RESP

extension ControlReply {
  /// Appends what `CLOCK STATUS` answers.
  static func append(
    _ status: ClockStatus, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    let state =
      switch status.state {
      case .trusted: "trusted"
      case .waiting: "waiting"
      case .paused: "paused"
      }
    var map = MapReply(encoder: encoder)
    map.add("state", state)
    map.add("time", Timestamp.text(status.reading.wall))
    map.add("expected", Timestamp.text(status.expectedMilliseconds))
    map.add("mark", time: status.markMilliseconds)
    map.add("synchronized", isTrue: status.reading.isSynchronized)
    if let wait = status.waitMilliseconds { map.add("wait-seconds", UInt64(wait) / 1_000) }
    map.append(to: &bytes)
  }
}
