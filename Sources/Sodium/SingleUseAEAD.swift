import CSodium

/// Authenticated encryption under a key that is used for exactly one message, with a zero nonce.
///
/// The key is derived for the message from a fresh nonce, so a constant AEAD nonce is safe. The
/// AEADs are not key-committing; whoever needs that binds a commitment derived with the key.
package enum SingleUseAEAD {
  /// The cipher, as records and nodes carry it in their suite byte.
  package enum Suite: UInt8, Sendable {
    /// ChaCha20-Poly1305-IETF (RFC 8439).
    case chaCha20Poly1305 = 1
    /// AES-256-GCM (NIST SP 800-38D), where the processor has it.
    case aes256GCM = 2

    /// What new records are sealed with here: AES-256-GCM where the processor has it (369 ns for a
    /// 300-byte event against 721, `Tools/bench crypto`).
    package static var fastest: Suite {
      SodiumLibrary.hasAES256GCM ? .aes256GCM : .chaCha20Poly1305
    }
  }

  /// Bytes of the tag.
  package static let tagBytes = 16

  /// Seals `buffer[body]` in place and writes the tag behind it.
  ///
  /// `authenticated` is a range of the same buffer that is bound but not encrypted.
  package static func seal(
    _ buffer: inout MutableSpan<UInt8>, body: Range<Int>, authenticated: Range<Int>,
    key: Span<UInt8>, suite: Suite
  ) {
    precondition(key.count == 32, "both suites take 32-byte keys")
    precondition(body.lowerBound >= 0 && body.upperBound + tagBytes <= buffer.count)
    precondition(authenticated.lowerBound >= 0 && authenticated.upperBound <= buffer.count)
    unsafe buffer.withUnsafeMutableBufferPointer { bytes in
      unsafe key.withUnsafeBufferPointer { keyBytes in
        unsafe ChaCha20.zeroNonce.span.withUnsafeBufferPointer { nonce in
          let text = unsafe bytes.baseAddress! + body.lowerBound
          let extra = unsafe bytes.baseAddress! + authenticated.lowerBound
          switch suite {
          case .chaCha20Poly1305:
            _ = unsafe crypto_aead_chacha20poly1305_ietf_encrypt(
              text, nil, text, UInt64(body.count), extra, UInt64(authenticated.count), nil,
              nonce.baseAddress!, keyBytes.baseAddress!)
          case .aes256GCM:
            precondition(SodiumLibrary.hasAES256GCM, "this processor has no AES-256-GCM")
            _ = unsafe crypto_aead_aes256gcm_encrypt(
              text, nil, text, UInt64(body.count), extra, UInt64(authenticated.count), nil,
              nonce.baseAddress!, keyBytes.baseAddress!)
          }
        }
      }
    }
  }

  /// Seals `plaintext` into `buffer` at `offset` with suite 1 and writes the tag behind it.
  ///
  /// The plaintext is never in the buffer.
  package static func seal(
    _ plaintext: Span<UInt8>, into buffer: inout MutableSpan<UInt8>, at offset: Int,
    authenticated: Range<Int>, key: Span<UInt8>
  ) {
    precondition(key.count == 32, "ChaCha20-Poly1305 takes 32-byte keys")
    precondition(offset >= 0 && offset + plaintext.count + tagBytes <= buffer.count)
    precondition(authenticated.lowerBound >= 0 && authenticated.upperBound <= offset)
    unsafe buffer.withUnsafeMutableBufferPointer { bytes in
      unsafe plaintext.withUnsafeBufferPointer { text in
        unsafe key.withUnsafeBufferPointer { keyBytes in
          unsafe ChaCha20.zeroNonce.span.withUnsafeBufferPointer { nonce in
            let extra = unsafe bytes.baseAddress! + authenticated.lowerBound
            _ = unsafe crypto_aead_chacha20poly1305_ietf_encrypt(
              bytes.baseAddress! + offset, nil, text.baseAddress, UInt64(text.count), extra,
              UInt64(authenticated.count), nil, nonce.baseAddress!, keyBytes.baseAddress!)
          }
        }
      }
    }
  }

  /// Opens `sealed[body]`, whose tag lies behind it, into `output` at `offset`.
  ///
  /// Returns false, with nothing usable written, when anything was changed or the key is not its.
  package static func open(
    _ sealed: Span<UInt8>, body: Range<Int>, authenticated: Range<Int>, key: Span<UInt8>,
    suite: Suite, into output: inout MutableSpan<UInt8>, at offset: Int
  ) -> Bool {
    guard key.count == 32, body.lowerBound >= 0, body.upperBound + tagBytes <= sealed.count,
      authenticated.lowerBound >= 0, authenticated.upperBound <= sealed.count,
      offset >= 0, offset + body.count <= output.count
    else { return false }
    let code = unsafe output.withUnsafeMutableBufferPointer { out in
      unsafe sealed.withUnsafeBufferPointer { bytes in
        unsafe key.withUnsafeBufferPointer { keyBytes in
          unsafe ChaCha20.zeroNonce.span.withUnsafeBufferPointer { nonce -> Int32 in
            let target = unsafe out.baseAddress! + offset
            let text = unsafe bytes.baseAddress! + body.lowerBound
            let extra = unsafe bytes.baseAddress! + authenticated.lowerBound
            switch suite {
            case .chaCha20Poly1305:
              return unsafe crypto_aead_chacha20poly1305_ietf_decrypt(
                target, nil, nil, text, UInt64(body.count + tagBytes), extra,
                UInt64(authenticated.count), nonce.baseAddress!, keyBytes.baseAddress!)
            case .aes256GCM:
              guard SodiumLibrary.hasAES256GCM else { return -1 }
              return unsafe crypto_aead_aes256gcm_decrypt(
                target, nil, nil, text, UInt64(body.count + tagBytes), extra,
                UInt64(authenticated.count), nonce.baseAddress!, keyBytes.baseAddress!)
            }
          }
        }
      }
    }
    return code == 0
  }
}
