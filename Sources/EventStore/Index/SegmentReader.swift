import EventModel
import Storage
import Synchronization

/// Looks terms up in segments, through the block cache.
///
/// Every answer is nil when the segment was removed meanwhile (a merge has replaced it): the caller
/// starts again with the segments of now.
struct SegmentReader: Sendable {
  let tables: IndexTables
  let cache: BlockCache

  /// A block, opened; `.corrupt` when it is not there or not what was sealed.
  func block(_ number: Int, of segment: Segment) throws(StorageError) -> Block? {
    let key = BlockCache.Key(segment: segment.entry.id, number: number)
    if let block = cache[key] { return block }
    guard let bytes = try uncachedBlock(number, of: segment) else { return nil }
    let block = Block(bytes)
    cache.insert(block, for: key)
    return block
  }

  /// A block, opened, for those who read each once.
  func uncachedBlock(_ number: Int, of segment: Segment) throws(StorageError) -> [UInt8]? {
    let place = SegmentCodec.place(segment.entry.id, UInt32(number))
    let bytes = try tables.read { (view: borrowing IndexView) throws(StorageError) -> [UInt8]? in
      guard let sealed = try view.value(place.span, in: .blocks) else { return nil }
      return SegmentCodec.open(sealed, key: segment.key, place: place.span)
    }
    if bytes == nil, !segment.isRemoved.load(ordering: .acquiring) { throw .corrupt }
    return bytes
  }

  /// The place in the segment of the first posting that is not `isBefore`.
  func place(
    in segment: Segment, beforeWhich isBefore: (UInt64, Posting) -> Bool
  ) throws(StorageError) -> Int? {
    let number = segment.block(beforeWhich: isBefore)
    guard let block = try block(number, of: segment) else { return nil }
    var low = 0
    var high = segment.postingCount(ofBlock: number)
    while low < high {
      let middle = (low + high) / 2
      let tag = SegmentCodec.tag(at: middle, in: block.bytes)
      if isBefore(tag, SegmentCodec.posting(at: middle, in: block.bytes)) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return number * SegmentCodec.postingsPerBlock + low
  }

  /// How many postings the term has in the segment.
  func count(_ tag: UInt64, in segment: Segment) throws(StorageError) -> Int? {
    guard let lower = try place(in: segment, beforeWhich: { other, _ in other < tag }),
      let upper = try place(in: segment, beforeWhich: { other, _ in other <= tag })
    else { return nil }
    return upper - lower
  }

  /// The term's postings that lie in the range, at most `limit`, from its oldest on or from its
  /// newest on.
  func postings(
    _ tag: UInt64, in segment: Segment, _ range: PostingRange, isDescending: Bool, limit: Int
  ) throws(StorageError) -> [Posting]? {
    let step = isDescending ? -1 : 1
    let start =
      isDescending
      ? try place(in: segment) { other, posting in
        other < tag || other == tag && !range.isBeyond(posting)
      }
      : try place(in: segment) { other, posting in
        other < tag || other == tag && range.isBefore(posting)
      }
    guard let start else { return nil }
    var found: [Posting] = []
    var place = isDescending ? start - 1 : start
    var current: (number: Int, block: Block)?
    while found.count < limit, place >= 0, place < Int(segment.entry.postingCount) {
      let number = place / SegmentCodec.postingsPerBlock
      let block: Block
      if let current, current.number == number {
        block = current.block
      } else {
        guard let next = try self.block(number, of: segment) else { return nil }
        block = next
        current = (number, next)
      }
      let index = place % SegmentCodec.postingsPerBlock
      guard SegmentCodec.tag(at: index, in: block.bytes) == tag else { break }
      let posting = SegmentCodec.posting(at: index, in: block.bytes)
      guard !range.isBefore(posting), !range.isBeyond(posting) else { break }
      found.append(posting)
      place += step
    }
    return found
  }
}
