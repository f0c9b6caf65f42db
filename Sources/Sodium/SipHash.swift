import CSodium

/// SipHash-2-4: short keyed tags (Aumasson and Bernstein, 2012).
package enum SipHash {
  /// A 64-bit tag under a 16-byte key (`crypto_shorthash_siphash24`), read little-endian.
  package static func tag64(_ message: Span<UInt8>, key: Span<UInt8>) -> UInt64 {
    precondition(key.count == 16, "SipHash takes 16-byte keys")
    var tag: UInt64 = 0
    unsafe withUnsafeMutableBytes(of: &tag) { out in
      unsafe message.withUnsafeBufferPointer { input in
        unsafe key.withUnsafeBufferPointer { keyBytes in
          _ = unsafe crypto_shorthash_siphash24(
            out.baseAddress!.assumingMemoryBound(to: UInt8.self), input.baseAddress,
            UInt64(input.count), keyBytes.baseAddress!)
        }
      }
    }
    return UInt64(littleEndian: tag)
  }

  /// A 128-bit tag under a 16-byte key (`crypto_shorthash_siphashx24`), two little-endian halves.
  package static func tag128(_ message: Span<UInt8>, key: Span<UInt8>) -> Tag128 {
    precondition(key.count == 16, "SipHash takes 16-byte keys")
    var tag = Tag128(low: 0, high: 0)
    unsafe withUnsafeMutableBytes(of: &tag) { out in
      unsafe message.withUnsafeBufferPointer { input in
        unsafe key.withUnsafeBufferPointer { keyBytes in
          _ = unsafe crypto_shorthash_siphashx24(
            out.baseAddress!.assumingMemoryBound(to: UInt8.self), input.baseAddress,
            UInt64(input.count), keyBytes.baseAddress!)
        }
      }
    }
    return Tag128(low: UInt64(littleEndian: tag.low), high: UInt64(littleEndian: tag.high))
  }
}

/// A 128-bit keyed tag; its bytes are `low` then `high`, both little-endian.
package struct Tag128: Hashable, Sendable {
  package var low: UInt64
  package var high: UInt64

  package init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }
}
