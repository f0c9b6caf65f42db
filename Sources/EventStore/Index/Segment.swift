import EventModel
import Storage
import Synchronization

/// The first posting of a block; fences stay in memory, 24 bytes for 815 postings.
struct Fence: Sendable, BitwiseCopyable {
  let tag: UInt64
  let posting: Posting
}

/// An immutable run of postings of one bucket, sorted by tag and sequence, in sealed blocks.
final class Segment: Sendable {
  let entry: SegmentEntry
  let key: SealingKey
  let fences: [Fence]
  /// Set just before its blocks go: a reader that misses one asks again instead of reporting damage.
  let isRemoved = Atomic(false)

  init(_ entry: SegmentEntry, key: SealingKey, fences: [Fence]) {
    self.entry = entry
    self.key = key
    self.fences = fences
  }

  /// Reads the fences of a segment that the directory names.
  static func open(
    _ entry: SegmentEntry, key: SealingKey, in view: borrowing IndexView
  ) throws(StorageError) -> Segment {
    var fences: [Fence] = []
    fences.reserveCapacity(Int(entry.blockCount))
    for number in 0..<entry.fenceBlockCount {
      let place = SegmentCodec.place(entry.id, SegmentCodec.fenceBase + UInt32(number))
      guard let sealed = try view.value(place.span, in: .blocks),
        let block = SegmentCodec.open(sealed, key: key, place: place.span)
      else { throw .corrupt }
      let count = min(SegmentCodec.postingsPerBlock, Int(entry.blockCount) - fences.count)
      for index in 0..<count {
        fences.append(
          Fence(
            tag: SegmentCodec.tag(at: index, in: block),
            posting: SegmentCodec.posting(at: index, in: block)))
      }
    }
    return Segment(entry, key: key, fences: fences)
  }

  /// Removes the segment's blocks and its entry.
  static func remove(
    _ entry: SegmentEntry, in transaction: inout IndexTransaction
  ) throws(StorageError) {
    try transaction.remove(entry.id.bigEndianBytes.span, from: .directory)
    for number in 0..<entry.blockCount {
      try transaction.remove(SegmentCodec.place(entry.id, number).span, from: .blocks)
    }
    for number in 0..<UInt32(entry.fenceBlockCount) {
      let place = SegmentCodec.place(entry.id, SegmentCodec.fenceBase + number)
      try transaction.remove(place.span, from: .blocks)
    }
  }

  /// Postings in a block: 815 in all but the last.
  func postingCount(ofBlock number: Int) -> Int {
    min(
      SegmentCodec.postingsPerBlock,
      Int(entry.postingCount) - number * SegmentCodec.postingsPerBlock)
  }

  /// The block in which the first posting that is not `isBefore` lies, if it lies in any but at the
  /// end of one: the last block that begins before it.
  func block(beforeWhich isBefore: (UInt64, Posting) -> Bool) -> Int {
    var low = 0
    var high = fences.count
    while low < high {
      let middle = (low + high) / 2
      if isBefore(fences[middle].tag, fences[middle].posting) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return max(0, low - 1)
  }

  /// At most how many postings carry the tag, as far as the fences tell.
  ///
  /// The run begins in the block before the first fence that has reached the tag, and ends before
  /// the first fence that is beyond it.
  func postingCountMax(ofTag tag: UInt64) -> Int {
    let reached = fences.partitioningIndex { $0.tag < tag }
    let beyond = fences.partitioningIndex { $0.tag <= tag }
    return (max(1, reached) - 1..<beyond).reduce(0) { $0 + postingCount(ofBlock: $1) }
  }
}

extension Array {
  /// The index of the first element that is not `isBefore`; those that are stand first.
  fileprivate func partitioningIndex(_ isBefore: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
