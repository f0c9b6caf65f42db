import EventModel
import EventStore
import RESP

extension ControlReply {
  /// The block to go on behind, or null at the end, and the lines.
  static func append(_ page: AccessPage, _ encoder: ReplyEncoder, to bytes: inout [UInt8]) {
    encoder.array(2, to: &bytes)
    if let next = page.next {
      encoder.integer(next, to: &bytes)
    } else {
      encoder.null(to: &bytes)
    }
    encoder.array(page.rows.count, to: &bytes)
    for line in page.rows {
      var map = MapReply(encoder: encoder)
      map.add("block", line.block)
      map.add("run", Timestamp.text(line.runMilliseconds))
      add(line.row, to: &map)
      map.append(to: &bytes)
    }
  }

  private static func add(_ row: AccessRow, to map: inout MapReply) {
    map.add("connection", row.peer.connection)
    map.add("uid", UInt64(row.peer.uid))
    map.add("socket", String(decoding: row.peer.socketName, as: UTF8.self))
    map.add("verb", row.verb.text)
    map.add("purpose", String(decoding: row.purpose, as: UTF8.self))
    map.add("first", Timestamp.text(row.firstMilliseconds))
    map.add("last", Timestamp.text(row.lastMilliseconds))
    map.add("replies", row.replyCount)
    map.add("events", row.eventCount)
    map.add("bytes", row.byteCount)
    map.add("positions", row.positions.map(\.text))
  }
}

extension ClosedRange<UInt64> {
  /// `7` or `7-12`.
  var text: String { count == 1 ? "\(lowerBound)" : "\(lowerBound)-\(upperBound)" }
}
