import EventModel
import EventStore
import NIOCore
import RESP

/// A list of events that ends at a number of events or of bytes, whichever comes first.
///
/// Events are gathered in buffers of one size, so that a long list neither grows by copies nor is
/// copied when it is sent. The header, whose length depends on the number of events, is written last.
struct EventList: Sendable {
  /// Room for the header in front of the first event.
  private static let headerRoom = 24

  private let encoder: ReplyEncoder
  private let countMax: Int
  private let bytesMax: Int
  private let isLiveOnly: Bool
  private let format: EventFormat
  private let buffers: ReplyBuffers
  private var chunks: [ByteBuffer] = []
  /// The header of an event's text, whose length is known last.
  private var head: [UInt8] = []
  private var event: [UInt8] = []
  private var stored = StoredTime()
  private(set) var count = 0
  private(set) var byteCount = 0
  /// Events whose content the list has.
  private(set) var served = ServedPositions()
  /// An event was left out because of its bytes.
  private(set) var isOutOfBytes = false

  init(
    encoder: ReplyEncoder, count: Int, isLiveOnly: Bool = false,
    bytesMax: Int = Limits.replyBytesMax, format: EventFormat = .map,
    buffers: ReplyBuffers = ReplyBuffers()
  ) {
    self.encoder = encoder
    self.isLiveOnly = isLiveOnly
    self.bytesMax = bytesMax
    self.format = format
    self.buffers = buffers
    countMax = count
  }

  var isEmpty: Bool { count == 0 }

  /// Adds an event; returns false when no more fit.
  ///
  /// The first event always fits, or a large one could never be read.
  mutating func add(_ event: ReadEvent, body: Span<UInt8>, stream: Span<UInt8>? = nil) -> Bool {
    if isLiveOnly, event.state != .live { return true }
    self.event.removeAll(keepingCapacity: true)
    head.removeAll(keepingCapacity: true)
    switch format {
    case .map:
      EventReply.append(event, body: body, stream: stream, encoder, &stored, to: &self.event)
    case .cloudEvents(let tenant):
      CloudEvent.append(
        event, body: body, stream: stream, tenant: tenant, &stored, to: &self.event)
      encoder.bulkHeader(self.event.count, to: &head)
      encoder.end(&self.event)
    }
    let size = head.count + self.event.count
    guard byteCount + size <= bytesMax || count == 0 else {
      isOutOfBytes = true
      return false
    }
    makeRoom(for: size)
    if !head.isEmpty { chunks[chunks.count - 1].writeBytes(head) }
    chunks[chunks.count - 1].writeBytes(self.event)
    byteCount += size
    count += 1
    if event.state == .live { served.add(event.position) }
    return count < countMax
  }

  /// An empty list of at most `count` events in the same protocol and memory.
  func part(count: Int) -> EventList {
    EventList(
      encoder: encoder, count: count, isLiveOnly: isLiveOnly, bytesMax: bytesMax,
      format: format, buffers: buffers)
  }

  /// True when all of another list can be added.
  func fits(_ other: EventList) -> Bool {
    count + other.count <= countMax && (isEmpty || byteCount + other.byteCount <= bytesMax)
  }

  /// Adds the events of another list, which ``fits(_:)``, behind those of this one.
  mutating func append(_ other: EventList) {
    isOutOfBytes = other.isOutOfBytes
    guard var first = other.chunks.first else { return }
    // Only in front of the whole list is room for a header.
    if !chunks.isEmpty { first.moveReaderIndex(to: Self.headerRoom) }
    chunks.append(first)
    chunks += other.chunks.dropFirst()
    count += other.count
    byteCount += other.byteCount
    served.add(other.served)
  }

  /// The list as a reply.
  func encoded() -> [UInt8] {
    var reply: [UInt8] = []
    reply.reserveCapacity(byteCount + Self.headerRoom)
    encoder.array(count, to: &reply)
    for index in chunks.indices {
      var chunk = chunks[index]
      if index == 0 { chunk.moveReaderIndex(to: Self.headerRoom) }
      reply.appendSpan(chunk.readableBytesUInt8Span)
    }
    return reply
  }

  /// The list as a reply in the buffers in which it was gathered.
  consuming func encodedInPlace() -> [ByteBuffer] {
    var header: [UInt8] = []
    encoder.array(count, to: &header)
    makeRoom(for: 0)
    let start = Self.headerRoom - header.count
    chunks[0].setBytes(header, at: start)
    chunks[0].moveReaderIndex(to: start)
    return chunks
  }

  private mutating func makeRoom(for count: Int) {
    if !chunks.isEmpty, chunks[chunks.count - 1].writableBytes >= count { return }
    var chunk = buffers.take(for: count + Self.headerRoom)
    if chunks.isEmpty { chunk.writeRepeatingByte(0, count: Self.headerRoom) }
    chunks.append(chunk)
  }
}
