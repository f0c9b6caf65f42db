import EventModel
import Storage

/// Tells which postings have lost their records, so that merging leaves them out.
///
/// Asks the log about 4,096 sequences at a time and keeps the answers of the latest groups. As long as
/// nothing was ever purged, which the number of records tells at once, nothing is asked.
struct PurgedRecords {
  private static let groupRecords: UInt64 = 4_096
  /// 2 MiB of answers: 16 million sequences.
  private static let groupsMax = 4_096

  private let tables: LogTables
  private let hasPurged: Bool
  /// A bit for each sequence of a group: its record is there.
  private var groups: [UInt64: [UInt64]] = [:]

  /// Looks once whether there is anything to ask.
  init(_ tables: LogTables) {
    self.tables = tables
    let isWhole = try? tables.read { (view) throws(StorageError) in
      UInt64(try view.recordCount()) == (try view.lastSequence())
    }
    // A log that cannot be read is not asked: a posting too many does no harm.
    hasPurged = isWhole == false
  }

  /// True when the posting's record is in the log, or when that cannot be told.
  mutating func keeps(_ posting: Posting) -> Bool {
    guard hasPurged else { return true }
    let (group, index) = posting.sequence.quotientAndRemainder(dividingBy: Self.groupRecords)
    if groups[group] == nil {
      if groups.count >= Self.groupsMax { groups.removeAll(keepingCapacity: true) }
      groups[group] = present(group)
    }
    guard let bits = groups[group] else { return true }
    return bits[Int(index / 64)] & (1 << (index % 64)) != 0
  }

  /// Nil when the log cannot be read.
  private func present(_ group: UInt64) -> [UInt64]? {
    let first = group * Self.groupRecords
    return try? tables.read { (view) throws(StorageError) in
      var bits = [UInt64](repeating: 0, count: Int(Self.groupRecords / 64))
      // What is appended from now on is not purged.
      let last = try view.lastSequence()
      try view.scan(from: first) { sequence, _ in
        guard sequence < first + Self.groupRecords else { return false }
        bits[Int((sequence - first) / 64)] |= 1 << ((sequence - first) % 64)
        return true
      }
      for sequence in first..<(first + Self.groupRecords) where sequence > last {
        bits[Int((sequence - first) / 64)] |= 1 << ((sequence - first) % 64)
      }
      return bits
    }
  }
}
