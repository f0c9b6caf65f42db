import EventStore
import RESP

/// What `EVENT.STREAM` answers.
enum StreamReply {
  /// Appends the map; an unknown stream is all zeroes, as one that has no event.
  static func append(
    _ summary: StreamSummary?, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    encoder.map(4, to: &bytes)
    encoder.bulk("version", to: &bytes)
    encoder.integer(summary?.version ?? 0, to: &bytes)
    encoder.bulk("first", to: &bytes)
    encoder.integer(summary?.firstVersion ?? 0, to: &bytes)
    encoder.bulk("expired", to: &bytes)
    encoder.integer(summary?.expiredCount ?? 0, to: &bytes)
    encoder.bulk("stored", to: &bytes)
    if let summary {
      EventReply.appendTime(summary.lastStoredMilliseconds, encoder, &bytes)
    } else {
      encoder.null(to: &bytes)
    }
  }
}
