package import EventModel

/// What was asked for; the numbers are part of the format.
package enum AccessVerb: UInt8, Sendable, CaseIterable {
  case get = 1
  case range = 2
  case read = 3
  case query = 4
  case count = 5
  case stream = 6
  case streams = 7
  case erasures = 8
  case proof = 9
  /// Events taken out in bulk, under a grant.
  case export = 16
  /// What there is about one person, for that person.
  case subjectExport = 17
  /// What a hold keeps.
  case holdExport = 18

  /// The verb as it was said.
  package var text: String {
    switch self {
    case .get: "EVENT.GET"
    case .range: "EVENT.RANGE"
    case .read: "EVENT.READ"
    case .query: "EVENT.QUERY"
    case .count: "EVENT.COUNT"
    case .stream: "EVENT.STREAM"
    case .streams: "EVENT.STREAMS"
    case .erasures: "EVENT.ERASURES"
    case .proof: "EVENT.PROOF"
    case .export: "EVENT.EXPORT"
    case .subjectExport: "EXPORT DATASUBJECT"
    case .holdExport: "HOLD EXPORT"
    }
  }

  /// True when nothing may leave before the log has it on the disk, however little it is.
  package var isExport: Bool { rawValue >= Self.export.rawValue }
}

/// Who got something, through which connection of the daemon's run.
package struct AccessPeer: Hashable, Sendable {
  /// From 1 in each run of the daemon.
  package let connection: UInt64
  package let uid: UInt32
  /// The named socket's name; empty when the peer came through none.
  package let socketName: [UInt8]

  package init(connection: UInt64, uid: UInt32, socketName: [UInt8]) {
    self.connection = connection
    self.uid = uid
    self.socketName = socketName
  }
}

/// Positions of events whose content is in a reply.
package struct ServedPositions: Hashable, Sendable {
  /// In the order in which they were read; ``ordered`` puts them in theirs.
  package private(set) var ranges: [ClosedRange<UInt64>] = []
  /// How many events that is, those that were given twice counted twice.
  package private(set) var count: UInt64 = 0

  package init() {}

  /// Adds one event; neighbours in either direction are one interval.
  package mutating func add(_ position: UInt64) {
    count += 1
    if let last = ranges.last {
      if position == last.upperBound + 1 {
        return ranges[ranges.count - 1] = last.lowerBound...position
      }
      if position + 1 == last.lowerBound {
        return ranges[ranges.count - 1] = position...last.upperBound
      }
    }
    ranges.append(position...position)
  }

  /// Adds what another part of the same reply has.
  package mutating func add(_ other: ServedPositions) {
    ranges += other.ranges
    count += other.count
  }

  /// Ascending intervals that do not touch one another.
  package var ordered: [ClosedRange<UInt64>] { ranges.united }
}

extension [ClosedRange<UInt64>] {
  /// The same numbers as ascending ranges that do not touch one another.
  package var united: [ClosedRange<UInt64>] {
    var united: [ClosedRange<UInt64>] = []
    for range in sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = united.last, range.lowerBound <= last.upperBound + 1 {
        united[united.count - 1] =
          last.lowerBound...Swift.max(last.upperBound, range.upperBound)
      } else {
        united.append(range)
      }
    }
    return united
  }
}

/// One reply that is about to leave, as the access log gets to know of it.
package struct AccessRecord: Sendable {
  package let tenant: TenantNumber
  package let peer: AccessPeer
  package let verb: AccessVerb
  /// A code, at most 32 bytes.
  package let purpose: [UInt8]
  package let positions: ServedPositions
  package let byteCount: UInt64

  package init(
    tenant: TenantNumber, peer: AccessPeer, verb: AccessVerb, purpose: [UInt8],
    positions: ServedPositions, byteCount: UInt64
  ) {
    self.tenant = tenant
    self.peer = peer
    self.verb = verb
    self.purpose = purpose
    self.positions = positions
    self.byteCount = byteCount
  }

  /// True when it must be on the disk before the reply leaves, whoever's events it has.
  package var isBulk: Bool { positions.count > Limits.bulkEvents || verb.isExport }
}
