import EventStore
import RESP

/// What `EVENT.ERASURES` answers.
enum ErasureReply {
  /// Appends a list of `{number time positions}`, positions as pairs of first and last.
  ///
  /// Ends early, but never before the first, when there are more than 8 MiB.
  static func append(_ erasures: [Erasure], _ encoder: ReplyEncoder, to bytes: inout [UInt8]) {
    var list: [UInt8] = []
    var count = 0
    for erasure in erasures where count == 0 || list.count < bytesMax {
      append(erasure, encoder, to: &list)
      count += 1
    }
    encoder.array(count, to: &bytes)
    bytes += list
  }

  private static let bytesMax = 8 << 20

  private static func append(_ erasure: Erasure, _ encoder: ReplyEncoder, to bytes: inout [UInt8]) {
    encoder.map(3, to: &bytes)
    encoder.bulk("number", to: &bytes)
    encoder.integer(erasure.number, to: &bytes)
    encoder.bulk("time", to: &bytes)
    EventReply.appendTime(erasure.timeMilliseconds, encoder, &bytes)
    encoder.bulk("positions", to: &bytes)
    encoder.array(erasure.positions.count, to: &bytes)
    for range in erasure.positions {
      encoder.array(2, to: &bytes)
      encoder.integer(range.lowerBound, to: &bytes)
      encoder.integer(range.upperBound, to: &bytes)
    }
  }
}
