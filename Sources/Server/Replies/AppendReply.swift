import EventModel
import EventStore
import RESP

/// What `EVENT.APPEND` and `EVENT.BATCH` answer after the commit.
enum AppendReply {
  /// The parts of the map that never change, as bytes: this is written once for each event.
  private static let start2 = Array("*10\r\n$8\r\nposition\r\n:".utf8)
  private static let start3 = Array("%5\r\n$8\r\nposition\r\n:".utf8)
  private static let version = Array("\r\n$7\r\nversion\r\n:".utf8)
  private static let id = Array("\r\n$2\r\nid\r\n".utf8)
  private static let time = Array("$4\r\ntime\r\n".utf8)
  private static let end = Array("$9\r\nduplicate\r\n:0\r\n".utf8)

  /// Appends the map of one stored event.
  static func append(
    _ result: AppendResult, _ note: AppendNote, batch: Span<UInt8>, _ encoder: ReplyEncoder,
    to bytes: inout [UInt8]
  ) {
    bytes += encoder.version == .resp3 ? start3 : start2
    DecimalNumber.append(result.position, to: &bytes)
    bytes += version
    DecimalNumber.append(result.version, to: &bytes)
    bytes += id
    if note.isUUID {
      EventReply.appendUUID(batch.extracting(note.id.range), encoder, &bytes)
    } else {
      encoder.bulk(batch.extracting(note.id.range), to: &bytes)
    }
    bytes += time
    if note.time.isEmpty {
      EventReply.appendTime(result.storedMilliseconds, encoder, &bytes)
    } else {
      encoder.bulk(batch.extracting(note.time.range), to: &bytes)
    }
    bytes += end
  }

  /// Appends the reply to one command, whose events are `events` of the batch.
  static func append(
    _ pending: PendingAppends, _ events: Range<Int>, batch: Span<UInt8>, _ encoder: ReplyEncoder,
    to bytes: inout [UInt8]
  ) {
    let results = pending.batch.results
    if let error = refusal(results, events) {
      return encoder.error(error.line, to: &bytes)
    }
    if pending.notes[events.lowerBound].isBatch { encoder.array(events.count, to: &bytes) }
    for index in events {
      append(results[index], pending.notes[index], batch: batch, encoder, to: &bytes)
    }
  }

  /// Why the command stored nothing; for several events with the number of the one refused, from 1.
  private static func refusal(_ results: [AppendResult], _ events: Range<Int>) -> CommandError? {
    guard events.upperBound <= results.count else { return CommandError(.shuttingDown) }
    var refused: (index: Int, error: StoreError)?
    for index in events {
      guard let error = results[index].error else { continue }
      if refused == nil || refused?.error == .batchRefused { refused = (index, error) }
    }
    guard let refused else { return nil }
    let error = CommandError(refused.error)
    guard events.count > 1, refused.error != .batchRefused else { return error }
    return CommandError(
      error.word, "\(error.text) event \(refused.index - events.lowerBound + 1)")
  }
}
