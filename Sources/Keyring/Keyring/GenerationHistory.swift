import EventModel

/// Why a generation of a tenant's keys was begun; the numbers are part of the format.
package enum GenerationCause: UInt8, Sendable, CaseIterable {
  case tenantCreated = 1
  /// By an operator, in good time.
  case rotated = 2
  /// By an operator, since somebody may have the keys of all before it.
  case compromised = 3
  case restored = 4
}

/// A generation that is about to begin.
package struct GenerationStart: Hashable, Sendable {
  package let cause: GenerationCause
  /// When: milliseconds since 1970.
  package let milliseconds: Int64
  /// No event of the generation before was stored later: milliseconds since 1970.
  package let storedThrough: Int64

  package init(cause: GenerationCause, milliseconds: Int64, storedThrough: Int64) {
    self.cause = cause
    self.milliseconds = milliseconds
    self.storedThrough = storedThrough
  }
}

/// A generation of a tenant's keys and when it changed its state: milliseconds since 1970, 0 for what
/// has not come.
package struct Generation: Hashable, Sendable {
  package let number: UInt16
  package let cause: GenerationCause
  package let begun: Int64
  /// When the next one took its place.
  package internal(set) var ended: Int64 = 0
  /// When its last key was destroyed.
  package internal(set) var destroyed: Int64 = 0
}

/// The generations of a tenant that had more than one, ascending; the document of number 0.
///
/// ```
/// format u8=1 | count u16 | rows of 28: generation u16 | cause u8 | zero 1 | begun ms u64 |
/// ended ms u64 | destroyed ms u64
/// ```
/// It holds no key. Of those that are destroyed the oldest make room.
struct GenerationHistory {
  private(set) var rows: [Generation]

  static let document = DocumentID(.generation, 0)
  private static let headBytes = 3
  private static let rowBytes = 28
  private static let rowsMax = Limits.generationsMax

  /// Of a tenant that has had one only.
  init(created milliseconds: Int64) {
    rows = [Generation(number: 1, cause: .tenantCreated, begun: milliseconds)]
  }

  /// Nil when the document is not a history.
  init?(_ document: Document) {
    let rows = document.withBytes { bytes -> [Generation]? in
      guard bytes.count >= Self.headBytes, bytes[0] == 1 else { return nil }
      let count = Int(bytes.bigEndian(at: 1, bytes: 2))
      guard bytes.count >= Self.headBytes + count * Self.rowBytes, count > 0 else { return nil }
      return (0..<count).compactMap { index in
        let start = Self.headBytes + index * Self.rowBytes
        guard let cause = GenerationCause(rawValue: bytes[start + 2]) else { return nil }
        func time(_ offset: Int) -> Int64 {
          Int64(bitPattern: bytes.bigEndian(at: start + offset, bytes: 8))
        }
        return Generation(
          number: UInt16(bytes.bigEndian(at: start, bytes: 2)), cause: cause, begun: time(4),
          ended: time(12), destroyed: time(20))
      }
    }
    guard let rows, !rows.isEmpty else { return nil }
    self.rows = rows
  }

  var contents: Document {
    var bytes: [UInt8] = [1]
    bytes.appendBigEndian(UInt64(rows.count), bytes: 2)
    for row in rows {
      bytes.appendBigEndian(UInt64(row.number), bytes: 2)
      bytes.append(contentsOf: [row.cause.rawValue, 0])
      for time in [row.begun, row.ended, row.destroyed] {
        bytes.appendBigEndian(UInt64(bitPattern: time), bytes: 8)
      }
    }
    return Document(copying: bytes.span)
  }

  /// Ends the newest and begins the next; `.tenantFull` when too many of them have keys.
  mutating func begin(_ start: GenerationStart) throws(KeyringError) {
    if rows.count >= Self.rowsMax, let gone = rows.firstIndex(where: { $0.destroyed > 0 }) {
      rows.remove(at: gone)
    }
    guard rows.count < Self.rowsMax, let last = rows.last else { throw .tenantFull }
    rows[rows.count - 1].ended = start.milliseconds
    rows.append(
      Generation(number: last.number + 1, cause: start.cause, begun: start.milliseconds))
  }

  mutating func destroy(_ number: UInt16, at milliseconds: Int64) {
    guard let index = rows.firstIndex(where: { $0.number == number }) else { return }
    rows[index].destroyed = milliseconds
  }
}
