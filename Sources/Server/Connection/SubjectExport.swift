import EventModel
import EventStore
import RESP
#if DEBUG
  import Storage
#endif

/// A page of what there is about a person: other persons in shared events are masked.
struct SubjectExport {
  private static let mask = Array("masked".utf8)

  let read: QueryRead
  let actor: Actor

  /// The cursor and the events; the ledger has the page when this returns.
  func run(
    on store: EventStore, _ encoder: ReplyEncoder, _ served: inout ServedPositions
  ) throws(StoreError) -> [UInt8] {
    var list = CursorReply(encoder: encoder)
    var count = 0
    var positions: [UInt64] = []
    let next = try store.query(
      read.tenant, read.filter, isDescending: false, limit: read.count, cursor: read.cursor
    ) { event, body in
      count += 1
      positions.append(event.position)
      let masked = self.masked(body)
      return list.add { read.format.append(event, body: masked.span, encoder, to: &$0) }
    }
    guard count > 0 || read.cursor != nil || !next.isEmpty else { throw .noSubject }
    for position in positions { served.add(position) }
    try store.noteSubjectExport(read.tenant, actor, eventCount: count)
    return list.encoded(next: next)
  }

  /// The body with other persons' identifiers replaced; what the payload says is left.
  private func masked(_ body: Span<UInt8>) -> [UInt8] {
    guard let reader = EventBodyReader(body) else { return body.array }
    #if DEBUG
      if TestHooks.isVariant("others-unmasked") { return body.array }
    #endif
    var bytes: [UInt8] = []
    let writer = EventBodyWriter(in: &bytes)
    reader.forEachField(in: body) { tag, place in
      guard let field = BodyField(rawValue: tag) else { return }
      let value = body.extracting(place)
      if field == .dataSubject, value.array != read.filter.subject {
        writer.append(field, Self.mask.span, in: &bytes)
      } else {
        writer.append(field, value, in: &bytes)
      }
    }
    _ = writer.finish(data: body.extracting(reader.data), in: &bytes)
    return bytes
  }
}
