import EventModel
import EventStore
import RESP

/// A list of events that ends at a number of events or of bytes, whichever comes first.
struct EventList {
  private let encoder: ReplyEncoder
  private let countMax: Int
  private let bytesMax: Int
  private let isLiveOnly: Bool
  private let format: EventFormat
  private var bytes: [UInt8] = []
  private(set) var count = 0

  init(
    encoder: ReplyEncoder, count: Int, isLiveOnly: Bool = false,
    bytesMax: Int = Limits.replyBytesMax, format: EventFormat = .map
  ) {
    self.encoder = encoder
    self.isLiveOnly = isLiveOnly
    self.bytesMax = bytesMax
    self.format = format
    countMax = count
  }

  var isEmpty: Bool { count == 0 }
  var byteCount: Int { bytes.count }

  /// Adds an event; returns false when no more fit.
  ///
  /// The first event always fits, or a large one could never be read.
  mutating func add(_ event: ReadEvent, body: Span<UInt8>, stream: Span<UInt8>? = nil) -> Bool {
    if isLiveOnly, event.state != .live { return true }
    let before = bytes.count
    bytes.makeRoom(for: body.count + 512)
    format.append(event, body: body, stream: stream, encoder, to: &bytes)
    guard bytes.count <= bytesMax || count == 0 else {
      bytes.removeLast(bytes.count - before)
      return false
    }
    count += 1
    return count < countMax
  }

  /// The list as a reply.
  func encoded() -> [UInt8] {
    var reply: [UInt8] = []
    reply.reserveCapacity(bytes.count + 16)
    encoder.array(count, to: &reply)
    reply += bytes
    return reply
  }
}
