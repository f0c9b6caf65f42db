package import EventModel
package import Sodium
package import Storage
import Synchronization

/// Finds the records of a feed, a stream or a person: the one structure for all that is looked up.
///
/// ```
/// publish -> tail -> (freeze) frozen tail -> (flush) segments of level 0 -> (merge, eight to one) ..
/// ```
/// A posting is in exactly one of these at any time, for every reader. Tails are in memory and are
/// built anew from the log at start; segments are sealed, on the disk, one bucket (mostly a month of expiry)
/// each. Reading and publishing may come from any thread; flushing, merging and removing come from
/// one thread of the engine's.
package final class EventIndex: Sendable {
  struct State {
    var tail = Tail()
    var frozen: Tail?
    /// Those whose bucket's key is at hand.
    var segments: [Segment] = []
  }

  /// What flushes and merges need of one another.
  struct Maintenance {
    /// A merge that made room for a flush.
    var merge: Merge?
    /// Segments whose bucket's key is gone.
    var unreadable: [SegmentEntry] = []
  }

  let tables: IndexTables
  let reader: SegmentReader
  let indexKey: SealingKey
  let state = Mutex(State())
  let maintenance = Mutex(Maintenance())
  private let bucketKeys: @Sendable (Bucket) -> SecretBytes?
  private let cachedKeys = Mutex<[Bucket: SealingKey]>([:])

  /// Opens the directory and the fences of all segments.
  ///
  /// - Parameters:
  ///   - tables: empty, or what an earlier index left.
  ///   - indexKey: 32 bytes, sealing the directory and the states.
  ///   - bucketKeys: the key of a bucket (32 bytes), nil when it was destroyed: its segments are
  ///     passed over and its postings are not flushed. Asked once for each bucket, see
  ///     ``removeBuckets(_:)``.
  /// - Throws: `.corrupt` when something does not open; the index can then be built anew.
  package init(
    tables: IndexTables, indexKey: consuming SecretBytes,
    bucketKeys: @escaping @Sendable (Bucket) -> SecretBytes?
  ) throws(StorageError) {
    self.tables = tables
    self.indexKey = SealingKey(indexKey)
    self.bucketKeys = bucketKeys
    reader = SegmentReader(tables: tables, cache: BlockCache())
    try open()
  }

  /// Adds the postings of one commit; sequences never fall from one call to the next.
  package func publish(_ postings: [TaggedPosting]) {
    state.withLock { state in
      for posting in postings { state.tail.append(posting) }
    }
  }

  /// Postings in memory, in both tails.
  package var tailCount: Int {
    state.withLock { $0.tail.count + ($0.frozen?.count ?? 0) }
  }

  /// Segments on the disk that can be read.
  package var segmentCount: Int { state.withLock { $0.segments.count } }

  /// A term's postings, over all months, in the order of their sequences.
  ///
  /// - Parameters:
  ///   - termKey: 16 bytes.
  ///   - ordinals: what the ordinals must lie in; within a term they never fall.
  ///   - isDescending: from the newest on.
  ///   - limit: at most so many.
  /// - Returns: postings that carry the term's tag: the caller checks that each record has the term.
  /// - Throws: `.corrupt` when a block does not open, `.ioFailure`.
  package func postings(
    termKey: Span<UInt8>, ordinals: ClosedRange<UInt64>, isDescending: Bool, limit: Int
  ) throws(StorageError) -> [Posting] {
    try postings(
      termKey: termKey, PostingRange(ordinals: ordinals), isDescending: isDescending, limit: limit)
  }

  /// The same, bounded by sequence too.
  ///
  /// A segment that has none of the sequences costs nothing, any other one block and what is taken
  /// from it.
  package func postings(
    termKey: Span<UInt8>, _ range: PostingRange, isDescending: Bool, limit: Int
  ) throws(StorageError) -> [Posting] {
    guard limit > 0 else { return [] }
    while true {
      let found = snapshot(termKey, range, isDescending, limit)
      if let postings = try gather(found, range, isDescending, limit) { return postings }
      // A merge has just replaced a segment; those of now have the same postings.
    }
  }

  /// The term's posting with the greatest sequence, or nil.
  package func newest(termKey: Span<UInt8>) throws(StorageError) -> Posting? {
    try postings(
      termKey: termKey, ordinals: 0...Limits.positionMax, isDescending: true, limit: 1
    ).first
  }

  /// How many postings carry the term's tag.
  package func count(termKey: Span<UInt8>) throws(StorageError) -> Int {
    while true {
      let found = snapshot(termKey, PostingRange(), false, 0)
      var count = found.tailCount
      var isWhole = true
      for (segment, tag) in found.segments {
        guard let more = try reader.count(tag, in: segment) else {
          isWhole = false
          break
        }
        count += more
      }
      if isWhole { return count }
    }
  }

  /// At most how many postings carry the term's tag, without reading a block.
  ///
  /// Exact for what is in memory, whole blocks for what is on the disk.
  package func countMax(termKey: Span<UInt8>) -> Int {
    let found = snapshot(termKey, PostingRange(), false, 0)
    return found.segments.reduce(found.tailCount) { $0 + $1.0.postingCountMax(ofTag: $1.tag) }
  }

  /// How far the flushed index reaches, or nil when nothing was flushed yet.
  package func flushState() throws(StorageError) -> FlushState? {
    try tables.read { (view: borrowing IndexView) throws(StorageError) in
      try IndexState.flushState(indexKey: indexKey, in: view)
    }
  }

  /// A tenant's state at the last flush that carried it, padded with zeroes, or nil.
  package func tenantState(_ tenant: TenantNumber) throws(StorageError) -> [UInt8]? {
    try tables.read { (view: borrowing IndexView) throws(StorageError) in
      try IndexState.tenantState(tenant, indexKey: indexKey, in: view)
    }
  }

  func key(of bucket: Bucket) -> SealingKey? {
    cachedKeys.withLock { keys in
      if let key = keys[bucket] { return key }
      guard let secret = bucketKeys(bucket) else { return nil }
      let key = SealingKey(secret)
      keys[bucket] = key
      return key
    }
  }

  func forgetKeys(_ isExpired: (Bucket) -> Bool) {
    cachedKeys.withLock { keys in keys = keys.filter { !isExpired($0.key) } }
  }
}

// MARK: Reading

extension EventIndex {
  /// What a reader sees: taken at one moment, so that no posting is missed or seen twice.
  private struct Snapshot {
    /// From the tails, in the order asked for, at most as many as asked for.
    var tail: [Posting] = []
    var tailCount = 0
    var segments: [(Segment, tag: UInt64)] = []
  }

  private func snapshot(
    _ termKey: Span<UInt8>, _ range: PostingRange, _ isDescending: Bool, _ limit: Int
  ) -> Snapshot {
    state.withLock { state in
      var found = Snapshot()
      var tags: [(bucket: Bucket, tag: UInt64)] = []
      func tag(_ bucket: Bucket) -> UInt64 {
        if let known = tags.first(where: { $0.bucket == bucket }) { return known.tag }
        let tag = TaggedPosting.tag(termKey: termKey, bucket: bucket)
        tags.append((bucket, tag))
        return tag
      }
      // Days' buckets hold what only ``duplicates(of:days:)`` looks for.
      for segment in state.segments
      where !segment.entry.bucket.isDay && segment.entry.mayHold(range) {
        found.segments.append((segment, tag(segment.entry.bucket)))
      }
      func search(_ tail: borrowing Tail) {
        for bucket in tail.buckets where !bucket.isDay {
          guard let term = tail.term(tag(bucket), bucket) else { continue }
          let places = tail.places(ofTerm: term, range)
          found.tailCount += places.count
          if isDescending {
            for place in places.suffix(limit).reversed() {
              found.tail.append(tail.posting(place, ofTerm: term))
            }
          } else {
            for place in places.prefix(limit) {
              found.tail.append(tail.posting(place, ofTerm: term))
            }
          }
        }
      }
      if let frozen = state.frozen { search(frozen) }
      search(state.tail)
      Self.order(&found.tail, isDescending, limit)
      return found
    }
  }

  /// Nil when a segment was removed meanwhile.
  private func gather(
    _ found: Snapshot, _ range: PostingRange, _ isDescending: Bool, _ limit: Int
  ) throws(StorageError) -> [Posting]? {
    var postings = found.tail
    let segments = found.segments.sorted {
      isDescending
        ? $0.0.entry.lastSequence > $1.0.entry.lastSequence
        : $0.0.entry.firstSequence < $1.0.entry.firstSequence
    }
    for (segment, tag) in segments {
      if postings.count == limit, let edge = postings.last?.sequence {
        // Nor can any segment after this one have something that comes before the edge.
        let isBeyond =
          isDescending
          ? segment.entry.lastSequence < edge : segment.entry.firstSequence > edge
        if isBeyond { break }
      }
      guard
        let more = try reader.postings(
          tag, in: segment, range, isDescending: isDescending, limit: limit)
      else { return nil }
      guard !more.isEmpty else { continue }
      postings += more
      Self.order(&postings, isDescending, limit)
    }
    return postings
  }

  private static func order(_ postings: inout [Posting], _ isDescending: Bool, _ limit: Int) {
    let isOrdered = zip(postings, postings.dropFirst()).allSatisfy {
      isDescending ? $0.sequence >= $1.sequence : $0.sequence <= $1.sequence
    }
    if !isOrdered {
      postings.sort {
        isDescending ? $0.sequence > $1.sequence : $0.sequence < $1.sequence
      }
    }
    if postings.count > limit { postings.removeLast(postings.count - limit) }
  }
}
