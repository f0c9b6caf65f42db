import EventModel
import Sodium
import Storage

/// Postings in blocks, and blocks under their seals (Docs/Format.md, section 6).
///
/// Blocks and entries are of fixed width on purpose: somebody with the files sees how many postings
/// there are, never how they are distributed.
enum SegmentCodec {
  static let postingBytes = 20
  /// As many as fit, sealed, into four pages of LMDB less its header.
  static let postingsPerBlock = 815
  static let blockBytes = postingBytes * postingsPerBlock
  static let sealedBlockBytes = blockBytes + SealedMessage.overheadBytes
  /// Fence blocks are numbered from here on.
  static let fenceBase: UInt32 = 1 << 31

  private static let context = KeyDerivation.Context("LT1.seg.block")

  /// Writes the posting at `index` of a block.
  static func put(_ tag: UInt64, _ posting: Posting, at index: Int, in block: inout [UInt8]) {
    let offset = index * postingBytes
    // Said once here, so that the stores below need no checks of their own.
    precondition(offset >= 0 && offset + postingBytes <= block.count, "no such place in a block")
    var bytes = block.mutableSpan
    for byte in 0..<8 {
      bytes[offset + byte] = UInt8(truncatingIfNeeded: tag >> UInt64(56 - 8 * byte))
    }
    for byte in 0..<6 {
      let shift = UInt64(40 - 8 * byte)
      bytes[offset + 8 + byte] = UInt8(truncatingIfNeeded: posting.sequence >> shift)
      bytes[offset + 14 + byte] = UInt8(truncatingIfNeeded: posting.ordinal >> shift)
    }
  }

  static func tag(at index: Int, in block: [UInt8]) -> UInt64 {
    number(at: index * postingBytes, bytes: 8, in: block)
  }

  static func posting(at index: Int, in block: [UInt8]) -> Posting {
    let offset = index * postingBytes
    return Posting(
      sequence: number(at: offset + 8, bytes: 6, in: block),
      ordinal: number(at: offset + 14, bytes: 6, in: block))
  }

  @inline(__always)
  private static func number(at offset: Int, bytes count: Int, in block: [UInt8]) -> UInt64 {
    precondition(offset >= 0 && offset + count <= block.count, "no such place in a block")
    var value: UInt64 = 0
    for byte in 0..<count { value = value << 8 | UInt64(block[offset + byte]) }
    return value
  }

  /// Seals a block for its place in its segment.
  static func seal(
    _ block: [UInt8], into sealed: inout [UInt8], key: SealingKey, place: Span<UInt8>
  ) {
    #if DEBUG
      if TestHooks.isVariant("unsealed-blocks") {
        for index in block.indices { sealed[50 + index] = block[index] }
        return
      }
    #endif
    var output = sealed.mutableSpan
    key.seal(block.span, into: &output, context: context, label: place)
  }

  /// Opens a block; nil when it is not what was sealed for this place.
  static func open(_ sealed: Span<UInt8>, key: SealingKey, place: Span<UInt8>) -> [UInt8]? {
    guard sealed.count == sealedBlockBytes else { return nil }
    #if DEBUG
      if TestHooks.isVariant("unsealed-blocks") {
        return sealed.extracting(50..<(50 + blockBytes)).array
      }
    #endif
    return key.open(sealed, context: context, label: place)
  }

  /// Key of a block in the table, and its label: segment id 8 | block number u32.
  static func place(_ segment: UInt64, _ number: UInt32) -> InlineArray<12, UInt8> {
    var bytes = InlineArray<12, UInt8>(repeating: 0)
    var span = bytes.mutableSpan
    span.setBigEndian(segment, at: 0, bytes: 8)
    span.setBigEndian(UInt64(number), at: 8, bytes: 4)
    return bytes
  }
}
