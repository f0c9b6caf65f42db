import EventModel
import Sodium
package import Storage
import Synchronization

/// Segments of one bucket on their way to become one: eight of a level, or what is left of a bucket that
/// takes nothing any more.
///
/// Memory is bounded: one block of each input, one of the output, and the output's fences. Blocks of
/// the output are committed as it goes, a few at a time, and nothing sees them; the last
/// transaction adds the output to the directory and removes the inputs, so a crash leaves either.
/// Unchecked: it is only touched with the index's maintenance lock held.
final class Merge: @unchecked Sendable {
  static let inputCount = 8
  /// Blocks between two commits: 1 MiB, so that a flush never waits long.
  private static let blocksPerCommit: UInt32 = 64

  let inputs: [Segment]
  var bucket: Bucket { inputs[0].entry.bucket }
  private var progress: MergeProgress
  private let reader: SegmentReader
  private let indexKey: SealingKey

  init(
    _ inputs: [Segment], reader: SegmentReader, indexKey: SealingKey
  ) throws(StorageError) {
    self.inputs = inputs
    self.reader = reader
    self.indexKey = indexKey
    let level = (inputs.map(\.entry.level).max() ?? 0) + 1
    progress = MergeProgress(
      writer: SegmentWriter(bucket: inputs[0].entry.bucket, level: level, key: inputs[0].key))
    for input in inputs { progress.cursors.append(try MergeCursor(input, reader)) }
  }

  /// Merges until the next commit and commits.
  ///
  /// True when all is done and `output` is in the directory instead of the inputs (nil: no posting
  /// was kept).
  func step(
    keep: (Posting) -> Bool, output: inout Segment?
  ) throws(StorageError) -> Bool {
    var isDone = false
    // By a day's postings a retry is known again, also of what has expired within the week.
    let isDay = bucket.isDay
    do {
      try reader.tables.write { (transaction: inout IndexTransaction) throws(StorageError) in
        isDone = try progress.mergeBlocks(
          Self.blocksPerCommit, { isDay || keep($0) }, reader: reader, in: &transaction)
        guard isDone else { return }
        output = try progress.writer.finish(indexKey: indexKey, in: &transaction)
        for input in inputs {
          try Segment.remove(input.entry, in: &transaction)
          input.isRemoved.store(true, ordering: .releasing)
        }
      }
    } catch {
      for input in inputs { input.isRemoved.store(false, ordering: .releasing) }
      throw error
    }
    return isDone
  }
}

/// Where the inputs are read and the output is written.
private struct MergeProgress: ~Copyable {
  var cursors: [MergeCursor] = []
  var writer: SegmentWriter

  init(writer: consuming SegmentWriter) { self.writer = writer }

  /// Writes so many blocks; true when the inputs are used up.
  mutating func mergeBlocks(
    _ count: UInt32, _ keep: (Posting) -> Bool, reader: SegmentReader,
    in transaction: inout IndexTransaction
  ) throws(StorageError) -> Bool {
    let end = writer.blockCount + count
    while writer.blockCount < end {
      var least: Int?
      for index in cursors.indices where !cursors[index].isAtEnd {
        guard let best = least else {
          least = index
          continue
        }
        if cursors[index].isBefore(cursors[best]) { least = index }
      }
      guard let least else { return true }
      if keep(cursors[least].posting) {
        try writer.append(cursors[least].tag, cursors[least].posting, in: &transaction)
      }
      try cursors[least].advance(reader)
    }
    return false
  }
}

/// A place in a segment that is read once, from its beginning to its end.
private struct MergeCursor {
  private(set) var tag: UInt64 = 0
  private(set) var posting = Posting(sequence: 0, ordinal: 0)
  private(set) var isAtEnd = false
  private let segment: Segment
  private var block: [UInt8] = []
  private var number = -1
  private var index = 0

  init(_ segment: Segment, _ reader: SegmentReader) throws(StorageError) {
    self.segment = segment
    try advance(reader)
  }

  func isBefore(_ other: MergeCursor) -> Bool {
    if tag != other.tag { return tag < other.tag }
    if posting.sequence != other.posting.sequence {
      return posting.sequence < other.posting.sequence
    }
    return posting.ordinal < other.posting.ordinal
  }

  mutating func advance(_ reader: SegmentReader) throws(StorageError) {
    index += 1
    if number < 0 || index == segment.postingCount(ofBlock: number) {
      number += 1
      index = 0
      guard number < Int(segment.entry.blockCount) else {
        isAtEnd = true
        block = []
        return
      }
      guard let next = try reader.uncachedBlock(number, of: segment) else { throw .corrupt }
      block = next
    }
    tag = SegmentCodec.tag(at: index, in: block)
    posting = SegmentCodec.posting(at: index, in: block)
  }
}

extension EventIndex {
  /// Merges eight segments of one bucket and level into one, if there are eight, or some of a bucket
  /// that takes no more.
  ///
  /// - Parameters:
  ///   - shouldYield: asked between commits (about every 50,000 postings); when it answers true the
  ///     merge is set aside and the next call goes on with it.
  ///   - keep: false for postings whose records were purged; they are dropped.
  /// - Returns: false when there is nothing to merge.
  /// - Throws: what reading or writing throws; the merge is then given up, the inputs stay.
  package func mergeOne(
    shouldYield: () -> Bool = { false }, keep: (Posting) -> Bool = { _ in true }
  ) throws(StorageError) -> Bool {
    try maintenance.withLock { maintenance throws(StorageError) in
      if maintenance.merge == nil {
        guard let inputs = segmentsToMerge() else { return false }
        maintenance.merge = try Merge(
          inputs, reader: reader, indexKey: indexKey)
      }
      guard let merge = maintenance.merge else { return false }
      var output: Segment?
      do throws(StorageError) {
        while try !merge.step(keep: keep, output: &output) {
          if shouldYield() { return true }
        }
      } catch {
        // The blocks that were committed already are removed now or at the next start.
        try? abandonMerge(&maintenance)
        throw error
      }
      finish(merge, output)
      maintenance.merge = nil
      return true
    }
  }

  /// Gives a merge up and removes what it has written.
  func abandonMerge(_ maintenance: inout Maintenance) throws(StorageError) {
    guard maintenance.merge != nil else { return }
    maintenance.merge = nil
    let known = state.withLock { $0.segments.map(\.entry.id) }
    try removeOrphans(known: Set(known + maintenance.unreadable.map(\.id)))
  }

  private func finish(_ merge: Merge, _ output: Segment?) {
    let gone = Set(merge.inputs.map(\.entry.id))
    state.withLock { state in
      state.segments.removeAll { gone.contains($0.entry.id) }
      if let output { state.segments.append(output) }
    }
    reader.cache.removeAll()
  }

  /// The oldest eight of the lowest level that has eight.
  private func segmentsToMerge() -> [Segment]? {
    struct Group: Hashable {
      let level: UInt8
      let bucket: Bucket
    }
    let groups = Dictionary(grouping: state.withLock { $0.segments }) {
      Group(level: $0.entry.level, bucket: $0.entry.bucket)
    }
    let full = groups.filter { $0.value.count >= Merge.inputCount && $0.key.level < .max }
    guard let group = full.min(by: { $0.key.level < $1.key.level }) else {
      return quietSegments(groups.values.flatMap { $0 })
    }
    let oldest = group.value.sorted { $0.entry.firstSequence < $1.entry.firstSequence }
    return Array(oldest.prefix(Merge.inputCount))
  }

  /// The smallest, at most eight, of a bucket with several segments that takes no more postings.
  ///
  /// Eight to one leaves up to seven of each level. In a bucket that grows they will be merged; in a
  /// day that has passed they would stay for as long as the bucket, and cost each look-up a block.
  private func quietSegments(_ segments: [Segment]) -> [Segment]? {
    guard let newest = segments.map(\.entry.lastSequence).max() else { return nil }
    let today = segments.map(\.entry.bucket).max()
    let buckets = Dictionary(grouping: segments, by: \.entry.bucket)
    for (bucket, segments) in buckets.sorted(by: { $0.key < $1.key }) where segments.count > 1 {
      let last = segments.map(\.entry.lastSequence).max() ?? 0
      // Around midnight a flush still brings some of yesterday.
      let isPast = bucket.isDay && bucket < today?.day(before: 1) ?? bucket
      guard isPast || newest - last >= Self.quietSequences else { continue }
      guard segments.allSatisfy({ $0.entry.level < .max }) else { continue }
      let smallest = segments.sorted { $0.entry.postingCount < $1.entry.postingCount }
      return Array(smallest.prefix(Merge.inputCount))
    }
    return nil
  }

  /// A bucket that none of so many events has touched is done, or nearly.
  private static let quietSequences: UInt64 = 8_000_000
}
