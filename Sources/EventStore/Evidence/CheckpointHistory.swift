import EventModel
import TransparencyLog

/// What is kept of a log's checkpoints; signing is deterministic, so their text and signature follow
/// (Docs/Format.md, section 5.6).
///
/// ```
/// older ..  | one each 30 days | one a day, for 32 days | the newest 24 |
/// ```
struct CheckpointHistory: Equatable {
  struct Entry: Equatable {
    let size: UInt64
    let timeMilliseconds: Int64
    let root: Hash256
  }

  static let entriesMax = 80
  private static let newestMax = 24
  private static let days: Int64 = 32
  private static let entryBytes = 48
  static let bytesCount = 8 + entriesMax * entryBytes

  /// Oldest first.
  private(set) var entries: [Entry] = []

  init() {}

  /// Adds a checkpoint; false when the log has not grown since the last.
  mutating func add(_ entry: Entry) -> Bool {
    guard entries.last?.size != entry.size else { return false }
    entries.append(entry)
    thin()
    return true
  }

  private mutating func thin() {
    guard entries.count > Self.newestMax else { return }
    let newest = Self.day(entries[entries.count - 1])
    var kept: [Entry] = []
    var last: (isDay: Bool, number: Int64)?
    for entry in entries.dropLast(Self.newestMax) {
      let day = Self.day(entry)
      let isDay = newest - day < Self.days
      let number = isDay ? day : day / 30
      if let last, last == (isDay, number) { continue }
      last = (isDay, number)
      kept.append(entry)
    }
    kept += entries.suffix(Self.newestMax)
    entries = kept.suffix(Self.entriesMax)
  }

  private static func day(_ entry: Entry) -> Int64 { entry.timeMilliseconds / 86_400_000 }

  /// The stored form, of one length.
  var bytes: [UInt8] {
    var bytes: [UInt8] = [1, 0, 0, 0]
    bytes.appendBigEndian(UInt64(entries.count), bytes: 4)
    for entry in entries {
      bytes.appendBigEndian(entry.size, bytes: 8)
      bytes.appendBigEndian(UInt64(bitPattern: entry.timeMilliseconds), bytes: 8)
      bytes += entry.root.bytes
    }
    bytes.append(contentsOf: repeatElement(0, count: Self.bytesCount - bytes.count))
    return bytes
  }

  /// Nil when these are not the bytes of a history.
  init?(_ bytes: [UInt8]) {
    let span = bytes.span
    guard bytes.count == Self.bytesCount, bytes[0] == 1 else { return nil }
    let count = Int(span.bigEndian(at: 4, bytes: 4))
    guard count <= Self.entriesMax else { return nil }
    for index in 0..<count {
      let at = 8 + index * Self.entryBytes
      let time = Int64(bitPattern: span.bigEndian(at: at + 8, bytes: 8))
      guard time >= 0 else { return nil }
      entries.append(
        Entry(
          size: span.bigEndian(at: at, bytes: 8), timeMilliseconds: time,
          root: Hash256(span, at: at + 16)))
    }
  }
}
