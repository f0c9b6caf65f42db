import CSodium

/// ChaCha20's two bare forms: the keystream of a single-use key, and HChaCha20 as a mask.
package enum ChaCha20 {
  /// Fills `output` with the keystream of `key` (32 bytes) under a zero nonce (RFC 8439).
  ///
  /// A tree of keys grows by it: the stream of a node is the row of its children.
  package static func keystream(into output: inout MutableSpan<UInt8>, key: Span<UInt8>) {
    precondition(key.count == 32, "ChaCha20 takes 32-byte keys")
    unsafe output.withUnsafeMutableBufferPointer { out in
      unsafe key.withUnsafeBufferPointer { keyBytes in
        unsafe zeroNonce.span.withUnsafeBufferPointer { nonce in
          _ = unsafe crypto_stream_chacha20_ietf(
            out.baseAddress!, UInt64(out.count), nonce.baseAddress!, keyBytes.baseAddress!)
        }
      }
    }
  }

  /// XORs the 32 bytes HChaCha20(`key`, `nonce`) over `target` at `range` (at most 32 bytes).
  ///
  /// `key` has 32 bytes, the nonce is the 16 bytes at `nonceAt` of the same buffer; XORing twice
  /// gives the plain bytes back (draft-irtf-cfrg-xchacha, section 2.2).
  package static func mask(
    _ target: inout MutableSpan<UInt8>, at range: Range<Int>, nonceAt: Int, key: Span<UInt8>
  ) {
    precondition(key.count == 32, "HChaCha20 takes 32-byte keys")
    precondition(range.lowerBound >= 0 && range.upperBound <= target.count && range.count <= 32)
    precondition(nonceAt >= 0 && nonceAt + 16 <= target.count)
    var stream: InlineArray<32, UInt8> = .init(repeating: 0)
    unsafe target.withUnsafeMutableBufferPointer { buffer in
      unsafe key.withUnsafeBufferPointer { keyBytes in
        var span = stream.mutableSpan
        unsafe span.withUnsafeMutableBufferPointer { out in
          _ = unsafe crypto_core_hchacha20(
            out.baseAddress!, buffer.baseAddress! + nonceAt, keyBytes.baseAddress!, nil)
          for index in 0..<range.count {
            unsafe buffer[range.lowerBound + index] ^= out[index]
          }
        }
      }
    }
  }

  /// A value and not a global, which would cost a check and a count of references at every use.
  static var zeroNonce: InlineArray<12, UInt8> { .init(repeating: 0) }
}
