import EventModel
import Sodium

/// What the directory knows of a segment (Docs/Format.md, section 6).
struct SegmentEntry: Hashable, Sendable {
  /// Random.
  let id: UInt64
  let bucket: Bucket
  /// How often its postings were merged.
  let level: UInt8
  let postingCount: UInt64
  let blockCount: UInt32
  let firstSequence: UInt64
  let lastSequence: UInt64

  /// Blocks that hold the fences.
  var fenceBlockCount: Int {
    (Int(blockCount) + SegmentCodec.postingsPerBlock - 1) / SegmentCodec.postingsPerBlock
  }

  /// Whether any posting of the segment can lie in the range.
  func mayHold(_ range: PostingRange) -> Bool {
    firstSequence <= range.sequences.upperBound && lastSequence >= range.sequences.lowerBound
  }

  private static let context = KeyDerivation.Context("LT1.seg.dir")
  private static let plainBytes = 64

  func sealed(key: SealingKey) -> [UInt8] {
    var plain = InlineArray<64, UInt8>(repeating: 0)
    var span = plain.mutableSpan
    span.setBigEndian(UInt64(bucket.number), at: 0, bytes: 2)
    span[2] = level
    span.setBigEndian(postingCount, at: 8, bytes: 8)
    span.setBigEndian(UInt64(blockCount), at: 16, bytes: 4)
    span.setBigEndian(firstSequence, at: 24, bytes: 8)
    span.setBigEndian(lastSequence, at: 32, bytes: 8)
    return key.seal(plain.span, context: Self.context, label: id.bigEndianBytes.span)
  }

  /// Nil when the entry is not what was sealed under this id, or makes no sense.
  static func open(_ sealed: Span<UInt8>, id: UInt64, key: SealingKey) -> SegmentEntry? {
    guard sealed.count == plainBytes + SealedMessage.overheadBytes,
      let plain = key.open(sealed, context: context, label: id.bigEndianBytes.span)
    else { return nil }
    let entry = SegmentEntry(
      id: id, bucket: Bucket(number: UInt16(plain.span.bigEndian(at: 0, bytes: 2))),
      level: plain[2], postingCount: plain.span.bigEndian(at: 8, bytes: 8),
      blockCount: UInt32(plain.span.bigEndian(at: 16, bytes: 4)),
      firstSequence: plain.span.bigEndian(at: 24, bytes: 8),
      lastSequence: plain.span.bigEndian(at: 32, bytes: 8))
    let perBlock = UInt64(SegmentCodec.postingsPerBlock)
    let blocks = UInt64(entry.blockCount)
    guard (1..<UInt64(SegmentCodec.fenceBase)).contains(blocks),
      entry.postingCount > (blocks - 1) * perBlock, entry.postingCount <= blocks * perBlock
    else { return nil }
    return entry
  }
}
