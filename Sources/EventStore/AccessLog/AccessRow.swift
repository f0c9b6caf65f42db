import EventModel

/// A line of the access log: what one connection got with one verb in one minute.
///
/// Replies of the same minute share a line, so that a scan of a million events is a handful of them.
package struct AccessRow: Hashable, Sendable {
  /// Intervals of one line; a reply that has more is told in several.
  static let rangesMax = 1_000
  static let minuteMilliseconds: Int64 = 60_000
  static let nameBytesMax = 32

  package let peer: AccessPeer
  package let verb: AccessVerb
  /// What the peer said that it reads for, a code; `unstated` when it said nothing.
  package let purpose: [UInt8]
  /// When its first and its last reply left: milliseconds since 1970, in the same minute.
  package private(set) var firstMilliseconds: Int64
  package private(set) var lastMilliseconds: Int64
  /// How many replies that were.
  package private(set) var replyCount: UInt64 = 1
  /// Events with content, those that were given twice counted twice.
  package private(set) var eventCount: UInt64
  /// Length of the replies.
  package private(set) var byteCount: UInt64
  /// Where these events stand: ascending, not touching one another.
  package private(set) var positions: [ClosedRange<UInt64>]

  init(_ record: AccessRecord, at milliseconds: Int64) {
    peer = record.peer
    verb = record.verb
    purpose = Array(record.purpose.prefix(Self.nameBytesMax))
    firstMilliseconds = milliseconds
    lastMilliseconds = milliseconds
    eventCount = record.positions.count
    byteCount = record.byteCount
    positions = record.positions.ordered
  }

  /// True when both can be told in one line.
  func isLike(_ other: AccessRow) -> Bool {
    peer == other.peer && verb == other.verb && purpose == other.purpose
      && firstMilliseconds / Self.minuteMilliseconds
        == other.firstMilliseconds / Self.minuteMilliseconds
      && positions.count + other.positions.count <= Self.rangesMax
  }

  /// Takes in another line that ``isLike(_:)`` this one.
  mutating func add(_ other: AccessRow) {
    firstMilliseconds = min(firstMilliseconds, other.firstMilliseconds)
    lastMilliseconds = max(lastMilliseconds, other.lastMilliseconds)
    replyCount += other.replyCount
    eventCount += other.eventCount
    byteCount += other.byteCount
    positions = (positions + other.positions).united
  }

  /// The same in lines that each have a bounded number of intervals.
  var parts: [AccessRow] {
    guard positions.count > Self.rangesMax else { return [self] }
    var parts: [AccessRow] = []
    var rest = positions[...]
    while !rest.isEmpty {
      var part = self
      part.positions = Array(rest.prefix(Self.rangesMax))
      rest = rest.dropFirst(Self.rangesMax)
      part.eventCount = part.positions.reduce(0) { $0 + UInt64($1.count) }
      (part.replyCount, part.byteCount) = (0, 0)
      parts.append(part)
    }
    let others = parts.dropFirst().reduce(0) { $0 + $1.eventCount }
    parts[0].eventCount = max(parts[0].eventCount, eventCount - min(eventCount, others))
    (parts[0].replyCount, parts[0].byteCount) = (replyCount, byteCount)
    return parts
  }
}

extension AccessRow {
  /// Length of what ``write(to:)`` appends.
  var bytesCount: Int { 53 + peer.socketName.count + purpose.count + 12 * positions.count }

  /// Appends the line as a block has it (Docs/Format.md, section 5.5).
  func write(to bytes: inout [UInt8]) {
    bytes.appendBigEndian(peer.connection, bytes: 8)
    bytes.appendBigEndian(UInt64(peer.uid), bytes: 4)
    bytes.append(UInt8(min(peer.socketName.count, Self.nameBytesMax)))
    bytes += peer.socketName.prefix(Self.nameBytesMax)
    bytes.append(verb.rawValue)
    bytes.append(UInt8(purpose.count))
    bytes += purpose
    bytes.appendBigEndian(UInt64(bitPattern: firstMilliseconds), bytes: 8)
    bytes.appendBigEndian(UInt64(lastMilliseconds - firstMilliseconds), bytes: 4)
    bytes.appendBigEndian(min(replyCount, UInt64(UInt32.max)), bytes: 4)
    bytes.appendBigEndian(eventCount, bytes: 8)
    bytes.appendBigEndian(byteCount, bytes: 8)
    bytes.appendBigEndian(UInt64(positions.count), bytes: 4)
    for range in positions {
      bytes.appendBigEndian(range.lowerBound, bytes: 6)
      bytes.appendBigEndian(range.upperBound, bytes: 6)
    }
  }

  /// Reads what ``write(to:)`` wrote; nil when it cannot be a line.
  init?(_ reader: inout PlanReader) {
    guard let connection = reader.number(8), let uid = reader.number(4),
      let socketName = reader.text(), let verb = reader.number(1).map(UInt8.init),
      let verb = AccessVerb(rawValue: verb), let purpose = reader.text(),
      let first = reader.number(8), let length = reader.number(4), let replies = reader.number(4),
      let events = reader.number(8), let bytes = reader.number(8), let count = reader.number(4),
      count <= UInt64(Self.rangesMax)
    else { return nil }
    peer = AccessPeer(connection: connection, uid: UInt32(uid), socketName: socketName)
    self.verb = verb
    self.purpose = purpose
    firstMilliseconds = Int64(bitPattern: first)
    lastMilliseconds = Int64(bitPattern: first) + Int64(length)
    (replyCount, eventCount, byteCount) = (replies, events, bytes)
    positions = []
    for _ in 0..<count {
      guard let first = reader.number(6), let last = reader.number(6), first <= last else {
        return nil
      }
      positions.append(first...last)
    }
  }
}
