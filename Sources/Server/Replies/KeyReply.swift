import EventModel
import EventStore
import Keyring
import RESP

extension ControlReply {
  /// `KEY STATUS`.
  static func append(
    _ status: KeyringStatus, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    let map = MapReply(encoder: encoder)
    map.append(to: &bytes)
  }

  /// What a shred did.
  ///
  /// Never a bare "erased": the erasure class says what may be claimed.
  static func append(
    _ receipt: ShredReceipt, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    var map = MapReply(encoder: encoder)
    map.add("time", Timestamp.text(receipt.timeMilliseconds))
    map.add("events", receipt.plan.eventCount)
    map.add("events-naming-others", receipt.plan.sharedEventCount)
    map.add("streams", receipt.plan.ownStreamCount)
    map.add("streams-naming-others", receipt.plan.sharedStreamCount)
    map.append(to: &bytes)
  }
}
