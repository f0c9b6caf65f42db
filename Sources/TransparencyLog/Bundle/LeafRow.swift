package import EventModel

/// One event of a tenant's log in a bundle: the hash of its record, which can be recomputed, and what
/// the daemon states of it (Docs/Format.md, section 8.3).
package struct LeafRow: Hashable, Sendable {
  /// What has become of an event.
  package enum State: UInt8, Sendable, CaseIterable {
    case live = 0
    /// Kept, but shown to nobody.
    case restricted = 1
    /// A key that it needs was destroyed before its time was over.
    case erased = 2
    /// The key of its period was destroyed.
    case expired = 3
    /// The record is not what was written.
    case damaged = 4
    /// There is neither a record nor its hash.
    case missing = 5
  }

  package let recordHash: RecordHash
  package let state: State
  /// True when only the hash of the record is left.
  package let isPurged: Bool
  /// The number of its retention class; nil when nobody knows any more.
  package let classNumber: UInt8?
  /// When it was stored; of no meaning without a class.
  package let period: Period

  package init(
    recordHash: RecordHash, state: State, isPurged: Bool, classNumber: UInt8?, period: Period
  ) {
    self.recordHash = recordHash
    self.state = state
    self.isPurged = isPurged
    self.classNumber = classNumber
    self.period = period
  }

  /// The row of a position of which nothing is left.
  package static let missing = LeafRow(
    recordHash: RecordHash(Hash256([UInt8](repeating: 0, count: 32).span)), state: .missing,
    isPurged: false, classNumber: nil, period: Period(unit: .day, index: 0))

  /// What a row takes.
  package static let bytes = 40
  private static let noClass: UInt8 = 0xFF

  /// Appends `record hash 32 | class u8 | unit u8 | state u8 | purged u8 | period u32`.
  package func encode(to bytes: inout [UInt8]) {
    bytes += recordHash.hash.bytes
    bytes += [
      classNumber ?? Self.noClass, period.unit.rawValue, state.rawValue, isPurged ? 1 : 0,
    ]
    bytes.appendBigEndian(UInt64(period.index), bytes: 4)
  }

  /// Reads a row at `offset`; nil when it is none.
  package init?(_ row: Span<UInt8>, at offset: Int) {
    guard row.count >= offset + Self.bytes, let unit = PeriodUnit(rawValue: row[offset + 33]),
      let state = State(rawValue: row[offset + 34]), row[offset + 35] < 2
    else { return nil }
    self.init(
      recordHash: RecordHash(Hash256(row, at: offset)), state: state,
      isPurged: row[offset + 35] == 1,
      classNumber: row[offset + 32] == Self.noClass ? nil : row[offset + 32],
      period: Period(unit: unit, index: UInt32(row.bigEndian(at: offset + 36, bytes: 4))))
  }
}
