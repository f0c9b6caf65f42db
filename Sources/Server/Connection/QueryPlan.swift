import EventModel
import EventStore
import RESP

/// A read that looks something up; runs on a reader thread.
enum QueryPlan: Sendable {
  /// The newest event of an id and a source (empty: none was given).
  case event(TenantNumber, id: [UInt8], source: [UInt8], EventFormat)
  case events(QueryRead)
  case count(TenantNumber, EventFilter)
  case streams(TenantNumber, count: Int, cursor: [UInt8]?)
  /// Waits for `blockMilliseconds` when nothing is behind its number.
  case erasures(ErasureRead, blockMilliseconds: Int?)
}

/// Live events that match, from a cursor on.
struct QueryRead: Sendable {
  var tenant: TenantNumber
  var filter = EventFilter()
  var isDescending = false
  var count = Limits.countDefault
  var cursor: [UInt8]?
  var format = EventFormat.map
}

/// Erasures behind a number.
struct ErasureRead: Sendable {
  var tenant: TenantNumber
  /// Nil is `$`: whatever is newest when the read first runs.
  var after: UInt64?
  var count = Limits.countDefault
}

extension QueryPlan {
  /// Runs the read; blocks on the disk.
  func run(
    on store: EventStore, _ encoder: ReplyEncoder, into answer: inout ReadAnswer,
    _ served: inout ServedPositions
  ) throws(StoreError) {
    switch self {
    case .event(let tenant, let id, let source, let format):
      try store.readEvent(tenant, id: id.span, source: source.span) { event, body in
        format.append(event, body: body, encoder, to: &answer.bytes)
        served.add(event.position)
      }
      guard !answer.bytes.isEmpty else { throw .noEvent }
    case .events(let read): answer.bytes = try read.run(on: store, encoder, &served)
    case .count(let tenant, let filter):
      encoder.integer(try store.count(tenant, filter), to: &answer.bytes)
    case .streams(let tenant, let count, let cursor):
      var list = CursorReply(encoder: encoder)
      let next = try store.streams(tenant, limit: count, cursor: cursor) { stream in
        list.add { StreamReply.append(stream, encoder, to: &$0) }
      }
      answer.bytes = list.encoded(next: next)
    case .erasures(let read, let block):
      let (bytes, after) = try read.run(on: store, encoder)
      answer.erasuresAfter = after
      // Without BLOCK an empty list is the answer; with it, nothing is, and the wait goes on.
      answer.bytes = bytes
      if bytes.isEmpty, block == nil { encoder.array(0, to: &answer.bytes) }
    }
  }
}

extension QueryRead {
  func run(
    on store: EventStore, _ encoder: ReplyEncoder, _ served: inout ServedPositions
  ) throws(StoreError) -> [UInt8] {
    var list = CursorReply(encoder: encoder)
    let next = try store.query(
      tenant, filter, isDescending: isDescending, limit: count, cursor: cursor
    ) { event, body in
      served.add(event.position)
      return list.add { bytes in
        bytes.makeRoom(for: body.count + 512)
        format.append(event, body: body, encoder, to: &bytes)
      }
    }
    return list.encoded(next: next)
  }
}

extension ErasureRead {
  /// The list of what is behind the number, or nothing, and the number that was read from.
  func run(
    on store: EventStore, _ encoder: ReplyEncoder
  ) throws(StoreError) -> (bytes: [UInt8], after: UInt64) {
    let start: UInt64
    if let after { start = after } else { start = try store.lastErasure(tenant) }
    var bytes: [UInt8] = []
    guard after != nil, count > 0 else { return (bytes, start) }
    let found = try store.erasures(tenant, after: start, limit: count)
    guard !found.isEmpty else { return (bytes, start) }
    ErasureReply.append(found, encoder, to: &bytes)
    return (bytes, start)
  }
}

/// A cursor and the list that came before it: ends at a number of bytes, and never drops what was
/// added, since the cursor stands behind it.
struct CursorReply {
  private let encoder: ReplyEncoder
  private var bytes: [UInt8] = []
  private var count = 0

  init(encoder: ReplyEncoder) { self.encoder = encoder }

  /// Returns false when that was the last.
  mutating func add(_ body: (inout [UInt8]) -> Void) -> Bool {
    body(&bytes)
    count += 1
    return bytes.count < Limits.replyBytesMax
  }

  /// `next` is empty at the end, which `0` says.
  func encoded(next: [UInt8]) -> [UInt8] {
    var reply: [UInt8] = []
    reply.reserveCapacity(bytes.count + 128)
    encoder.array(2, to: &reply)
    if next.isEmpty { encoder.bulk("0", to: &reply) } else { encoder.bulk(next.span, to: &reply) }
    encoder.array(count, to: &reply)
    reply += bytes
    return reply
  }
}
