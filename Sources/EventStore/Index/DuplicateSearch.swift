import EventModel
import Sodium
import Storage
import Synchronization

// Days' buckets: where an id stands for the week in which a retry of it is known again.

extension EventIndex {
  /// The postings of an id in the buckets of these days, newest first.
  ///
  /// Their ordinals are the id's fingerprint: one that has another is another id's.
  func duplicates(of term: IDTerm, days: [Bucket]) throws(StorageError) -> [Posting] {
    let ordinal = term.fingerprint
    while true {
      let (tail, segments) = duplicateSnapshot(term, days, ordinal)
      var found = tail
      var isWhole = true
      for (segment, tag) in segments {
        guard
          let more = try reader.postings(
            tag, in: segment, PostingRange(ordinals: ordinal...ordinal), isDescending: true,
            limit: 16)
        else {
          isWhole = false
          break
        }
        found += more
      }
      if isWhole { return found.sorted { $0.sequence > $1.sequence } }
      // A merge has just replaced a segment; those of now have the same postings.
    }
  }

  private func duplicateSnapshot(
    _ term: IDTerm, _ days: [Bucket], _ ordinal: UInt64
  ) -> (tail: [Posting], segments: [(Segment, tag: UInt64)]) {
    let tags = days.map { (bucket: $0, tag: term.tag(in: $0)) }
    return state.withLock { state in
      var found: [Posting] = []
      func search(_ tail: borrowing Tail) {
        for day in tags {
          guard let number = tail.term(day.tag, day.bucket) else { continue }
          for place in tail.places(ofTerm: number, PostingRange(ordinals: ordinal...ordinal)) {
            found.append(tail.posting(place, ofTerm: number))
          }
        }
      }
      if let frozen = state.frozen { search(frozen) }
      search(state.tail)
      var segments: [(Segment, tag: UInt64)] = []
      for segment in state.segments where segment.entry.bucket.isDay {
        guard let day = tags.first(where: { $0.bucket == segment.entry.bucket }) else { continue }
        segments.append((segment, day.tag))
      }
      return (found, segments)
    }
  }
}

/// Fills the filter of ids from what the disk had at start, some blocks at a time.
///
/// The tail that recovery built has gone into the filter by then, and what is sealed meanwhile the writer
/// puts in. Segments must not be merged while it runs.
struct FilterFill {
  private let reader: SegmentReader
  private var segments: [Segment]
  private var block = 0

  init(_ index: EventIndex) {
    reader = index.reader
    segments = index.state.withLock { $0.segments.filter(\.entry.bucket.isDay) }
    // From the newest on: days that are too old to count are recognised at once.
    segments.sort { $0.entry.bucket < $1.entry.bucket }
  }

  /// Puts so many blocks into the filter; false when there are no more, and the filter is complete.
  mutating func step(blocks: Int, into filter: IDFilter) throws(StorageError) -> Bool {
    for _ in 0..<blocks {
      guard let segment = segments.last else {
        filter.noteComplete()
        return false
      }
      guard block < Int(segment.entry.blockCount) else {
        segments.removeLast()
        block = 0
        continue
      }
      guard let bytes = try reader.uncachedBlock(block, of: segment) else { throw .corrupt }
      for index in 0..<segment.postingCount(ofBlock: block) {
        filter.insert(
          SegmentCodec.posting(at: index, in: bytes).ordinal, segment.entry.bucket)
      }
      block += 1
    }
    return true
  }
}
