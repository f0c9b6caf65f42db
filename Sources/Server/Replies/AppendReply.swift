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
  private static let isNew = Array("$9\r\nduplicate\r\n:0\r\n".utf8)
  private static let isDuplicate = Array("$9\r\nduplicate\r\n:1\r\n".utf8)

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
    bytes += result.isDuplicate ? isDuplicate : isNew
  }

  /// Appends the reply to one command, whose events are `events` of the batch.
  static func append(
    _ pending: PendingAppends, _ events: Range<Int>, batch: Span<UInt8>, _ encoder: ReplyEncoder,
    to bytes: inout [UInt8]
  ) {
    if let error = refusal(pending, events) {
      return encoder.error(error.line, to: &bytes)
    }
    appendStored(pending, events, batch: batch, encoder, to: &bytes)
  }

  /// The same when it is known that nothing was refused.
  static func appendStored(
    _ pending: PendingAppends, _ events: Range<Int>, batch: Span<UInt8>, _ encoder: ReplyEncoder,
    to bytes: inout [UInt8]
  ) {
    if pending.notes[events.lowerBound].isBatch { encoder.array(events.count, to: &bytes) }
    for index in events {
      let (result, note) = (pending.batch.results[index], pending.notes[index])
      if result.error == nil {
        append(result, note, batch: batch, encoder, to: &bytes)
      } else {
        appendSkipped(note, batch: batch, encoder, to: &bytes)
      }
    }
  }

  /// Appends the map of an event that was left out because its person was erased.
  private static func appendSkipped(
    _ note: AppendNote, batch: Span<UInt8>, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    encoder.map(5, to: &bytes)
    for name in ["position", "version"] {
      encoder.bulk(name, to: &bytes)
      encoder.null(to: &bytes)
    }
    encoder.bulk("id", to: &bytes)
    if note.isUUID {
      EventReply.appendUUID(batch.extracting(note.id.range), encoder, &bytes)
    } else {
      encoder.bulk(batch.extracting(note.id.range), to: &bytes)
    }
    encoder.bulk("time", to: &bytes)
    encoder.null(to: &bytes)
    bytes += isNew
  }

  /// Why the command stored nothing; for several events with the number of the one refused, from 1.
  private static func refusal(
    _ pending: PendingAppends, _ events: Range<Int>
  ) -> CommandError? {
    guard let refused = firstRefused(pending, events) else { return nil }
    let error = CommandError(refused.error)
    guard events.count > 1, refused.error != .batchRefused else { return error }
    return CommandError(
      error.word, "\(error.text) event \(refused.index - events.lowerBound + 1)")
  }

  /// The event because of which nothing was stored, if any.
  static func firstRefused(
    _ pending: PendingAppends, _ events: Range<Int>
  ) -> (index: Int, error: StoreError)? {
    let results = pending.batch.results
    guard events.upperBound <= results.count else { return (events.lowerBound, .shuttingDown) }
    var refused: (index: Int, error: StoreError)?
    for index in events {
      guard let error = results[index].error else { continue }
      if error == .subjectShredded, pending.batch.requests[index].skipsErased { continue }
      if refused == nil || refused?.error == .batchRefused { refused = (index, error) }
    }
    return refused
  }
}
