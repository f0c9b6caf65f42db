import EventModel
import Sodium
import Storage

/// Writes one segment, posting by posting in ascending order, block by block.
///
/// Nothing sees the blocks until ``finish(indexKey:in:)`` has put the directory's entry; blocks
/// without an entry are removed when the index is opened.
struct SegmentWriter: ~Copyable {
  let id = Random.uint64()
  private let bucket: Bucket
  private let level: UInt8
  private let key: SealingKey
  private var block = [UInt8](repeating: 0xFF, count: SegmentCodec.blockBytes)
  private var sealed = [UInt8](repeating: 0, count: SegmentCodec.sealedBlockBytes)
  /// Postings in the block in hand.
  private var used = 0
  private(set) var blockCount: UInt32 = 0
  private var fences: [Fence] = []
  private var firstSequence = UInt64.max
  private var lastSequence: UInt64 = 0
  private var postingCount: UInt64 = 0
  #if DEBUG
    private var lastTag: UInt64?
    private var savedBytes = 0
  #endif

  init(bucket: Bucket, level: UInt8, key: SealingKey) {
    self.bucket = bucket
    self.level = level
    self.key = key
  }

  mutating func append(
    _ tag: UInt64, _ posting: Posting, in transaction: inout IndexTransaction
  ) throws(StorageError) {
    #if DEBUG
      if TestHooks.isVariant("index-delta"), isSaved(tag) { return }
    #endif
    if used == SegmentCodec.postingsPerBlock { try writeBlock(in: &transaction) }
    if used == 0 { fences.append(Fence(tag: tag, posting: posting)) }
    SegmentCodec.put(tag, posting, at: used, in: &block)
    used += 1
    postingCount += 1
    firstSequence = min(firstSequence, posting.sequence)
    lastSequence = max(lastSequence, posting.sequence)
  }

  /// Writes what is left, the fences and the directory's entry; nil when there was no posting.
  mutating func finish(
    indexKey: SealingKey, in transaction: inout IndexTransaction
  ) throws(StorageError) -> Segment? {
    guard postingCount > 0 else { return nil }
    try writeBlock(in: &transaction)
    var number = SegmentCodec.fenceBase
    for start in stride(from: 0, to: fences.count, by: SegmentCodec.postingsPerBlock) {
      for fence in fences[start..<min(start + SegmentCodec.postingsPerBlock, fences.count)] {
        SegmentCodec.put(fence.tag, fence.posting, at: used, in: &block)
        used += 1
      }
      try put(number, in: &transaction)
      number += 1
    }
    let entry = SegmentEntry(
      id: id, bucket: bucket, level: level, postingCount: postingCount, blockCount: blockCount,
      firstSequence: firstSequence, lastSequence: lastSequence)
    try transaction.put(
      entry.sealed(key: indexKey).span, for: id.bigEndianBytes.span, in: .directory)
    return Segment(entry, key: key, fences: fences)
  }

  private mutating func writeBlock(in transaction: inout IndexTransaction) throws(StorageError) {
    try put(blockCount, in: &transaction)
    blockCount += 1
  }

  /// Pads, seals and stores the block in hand, and begins another.
  private mutating func put(
    _ number: UInt32, in transaction: inout IndexTransaction
  ) throws(StorageError) {
    for index in (used * SegmentCodec.postingBytes)..<SegmentCodec.blockBytes {
      block[index] = 0xFF
    }
    let place = SegmentCodec.place(id, number)
    SegmentCodec.seal(block, into: &sealed, key: key, place: place.span)
    try transaction.put(sealed.span, for: place.span, in: .blocks)
    used = 0
  }

  #if DEBUG
    /// True for four of five postings of a run, which would take no room if coded as differences.
    ///
    /// Such a segment cannot be read; a test only looks at how much was written.
    private mutating func isSaved(_ tag: UInt64) -> Bool {
      defer { lastTag = tag }
      guard tag == lastTag else { return false }
      savedBytes += 16
      guard savedBytes >= SegmentCodec.postingBytes else { return false }
      savedBytes -= SegmentCodec.postingBytes
      return true
    }
  #endif
}
