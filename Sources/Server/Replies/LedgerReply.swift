import EventModel
import EventStore
import RESP

/// A line of the ledger as `AUDIT LOG` answers it.
enum LedgerReply {
  static func append(_ line: LedgerLine, _ encoder: ReplyEncoder, to bytes: inout [UInt8]) {
    let entry = line.entry
    var map = MapReply(encoder: encoder)
    map.add("index", line.index)
    map.add("time", Timestamp.text(entry.timeMilliseconds))
    map.add("act", entry.act.text)
    map.add("result", line.result)
    map.add("actor", entry.actor.text)
    map.add("tenant", line.tenant?.text ?? "")
    map.add("epoch", entry.epoch)
    map.add("count", entry.count)
    if entry.subjectCount > 0 { map.add("subjects", entry.subjectCount) }
    if entry.planHash.contains(where: { $0 != 0 }) { map.add("plan", entry.planHash.hexadecimal) }
    if !entry.ticket.isEmpty { map.add("ticket", String(decoding: entry.ticket, as: UTF8.self)) }
    if entry.receivedDay > 0 { map.add("received", Timestamp.dayText(Int64(entry.receivedDay))) }
    if !entry.verb.isEmpty { map.add("verb", String(decoding: entry.verb, as: UTF8.self)) }
    map.append(to: &bytes)
  }
}

extension LedgerEntry.Actor {
  /// `daemon`, `uid:1201`, or `socket:web-7`, behind which the uid says nothing.
  var text: String {
    switch self {
    case .daemon: "daemon"
    case .uid(let uid): "uid:\(uid)"
    case .socket(let name, _): "socket:" + String(decoding: name, as: UTF8.self)
    }
  }
}
