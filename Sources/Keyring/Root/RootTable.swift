import EventModel

/// Which holders a store has, as its top node says (Docs/Format.md, section 4).
///
/// ```
/// holders u8 | next number u8 | zero 6 | per holder 8: number u8 | zero 1 | confirmed epoch u48
/// ```
/// Sealed under the root, so that nobody leaves a holder out or slips one in: a holder that is not there
/// is missing, and keeps every later erasure unconfirmed until it is back or was removed by an act of
/// its own.
struct RootTable: Equatable {
  static let bytesCount = 64

  struct Entry: Equatable {
    let number: UInt8
    /// The epoch whose root it had alone, all others overwritten, when this was written last.
    var confirmed: UInt64
  }

  private(set) var entries: [Entry] = []
  /// Numbers are never given twice.
  private(set) var nextNumber: UInt8 = 0

  /// The holders of a new store.
  init(count: Int, epoch: UInt64) { for _ in 0..<count { add(confirmed: epoch) } }

  init(_ bytes: Span<UInt8>) {
    nextNumber = bytes[1]
    for index in 0..<min(Int(bytes[0]), Limits.rootHoldersMax) {
      let at = 8 + 8 * index
      entries.append(
        Entry(number: bytes[at], confirmed: bytes.bigEndian(at: at + 2, bytes: 6)))
    }
  }

  var bytes: [UInt8] {
    var bytes: [UInt8] = [UInt8(entries.count), nextNumber, 0, 0, 0, 0, 0, 0]
    for entry in entries {
      bytes += [entry.number, 0]
      bytes.appendBigEndian(entry.confirmed, bytes: 6)
    }
    return bytes + [UInt8](repeating: 0, count: Self.bytesCount - bytes.count)
  }

  func contains(_ number: UInt8) -> Bool { entries.contains { $0.number == number } }

  func confirmedEpoch(_ number: UInt8) -> UInt64? {
    entries.first { $0.number == number }?.confirmed
  }

  /// True when every holder has the root of `epoch` and no other.
  func areAllConfirmed(_ epoch: UInt64) -> Bool { entries.allSatisfy { $0.confirmed == epoch } }

  mutating func confirm(_ number: UInt8, _ epoch: UInt64) {
    for index in entries.indices where entries[index].number == number {
      entries[index].confirmed = epoch
    }
  }

  mutating func add(confirmed: UInt64) {
    precondition(entries.count < Limits.rootHoldersMax, "asked before")
    entries.append(Entry(number: nextNumber, confirmed: confirmed))
    nextNumber += 1
  }

  mutating func remove(_ number: UInt8) { entries.removeAll { $0.number == number } }
}
