import EventStore
import RESP

extension ControlReply {
  /// What was answered about a bundle: what was begun, or pieces as pairs of file and bytes.
  static func append(_ answer: BundleAnswer, _ encoder: ReplyEncoder, to bytes: inout [UInt8]) {
    switch answer {
    case .begun(let start):
      var map = MapReply(encoder: encoder)
      map.add("bundle", start.token)
      map.add("ledger", start.ledgerCount)
      map.add("logs", UInt64(start.logCount))
      map.add("events", start.eventCount)
      map.append(to: &bytes)
    case .pieces(let pieces):
      encoder.array(pieces.count, to: &bytes)
      for piece in pieces {
        encoder.array(2, to: &bytes)
        encoder.bulk(piece.file, to: &bytes)
        encoder.bulk(piece.bytes.span, to: &bytes)
      }
    }
  }
}
