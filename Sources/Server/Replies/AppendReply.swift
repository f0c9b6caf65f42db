import EventModel
import EventStore
import RESP

/// What `EVENT.APPEND` and `EVENT.BATCH` answer after the commit.
enum AppendReply {
  /// Appends the map of one stored event.
  static func append(
    _ result: AppendResult, _ note: AppendNote, batch: Span<UInt8>, _ encoder: ReplyEncoder,
    to bytes: inout [UInt8]
  ) {
    encoder.map(5, to: &bytes)
    encoder.bulk("position", to: &bytes)
    encoder.integer(result.position, to: &bytes)
    encoder.bulk("version", to: &bytes)
    encoder.integer(result.version, to: &bytes)
    encoder.bulk("id", to: &bytes)
    if note.isUUID {
      EventReply.appendUUID(batch.extracting(note.id.range), encoder, &bytes)
    } else {
      encoder.bulk(batch.extracting(note.id.range), to: &bytes)
    }
    encoder.bulk("time", to: &bytes)
    if note.time.isEmpty {
      EventReply.appendTime(result.storedMilliseconds, encoder, &bytes)
    } else {
      encoder.bulk(batch.extracting(note.time.range), to: &bytes)
    }
    encoder.bulk("duplicate", to: &bytes)
    encoder.integer(Int64(0), to: &bytes)
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
