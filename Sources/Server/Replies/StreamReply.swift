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
    if let stored = summary?.lastStoredMilliseconds {
      EventReply.appendTime(stored, encoder, &bytes)
    } else {
      encoder.null(to: &bytes)
    }
  }

  /// Appends one stream of `EVENT.STREAMS`.
  static func append(_ stream: StreamListing, _ encoder: ReplyEncoder, to bytes: inout [UInt8]) {
    encoder.map(3, to: &bytes)
    encoder.bulk("stream", to: &bytes)
    if let name = stream.name {
      encoder.bulk(name.span, to: &bytes)
    } else {
      encoder.null(to: &bytes)
    }
    encoder.bulk("version", to: &bytes)
    encoder.integer(stream.version, to: &bytes)
    encoder.bulk("stored", to: &bytes)
    EventReply.appendTime(stream.lastStoredMilliseconds, encoder, &bytes)
  }
}
