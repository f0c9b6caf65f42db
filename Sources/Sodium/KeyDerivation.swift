import CSodium

/// Keyed BLAKE2b with a personalisation: the one derivation of keys (RFC 7693, section 2.5).
///
/// `crypto_generichash_blake2b_salt_personal` with a zero salt. Every use has its own 16-byte
/// ``Context`` and a message of fixed layout, so no two uses can meet.
package enum KeyDerivation {
  /// What a derived key is for: at most 16 bytes of ASCII, padded with zeroes.
  package struct Context: Sendable {
    let bytes: InlineArray<16, UInt8>

    package init(_ label: StaticString) {
      precondition(label.utf8CodeUnitCount <= 16, "a context has at most 16 bytes")
      var bytes = InlineArray<16, UInt8>(repeating: 0)
      for index in 0..<label.utf8CodeUnitCount { bytes[index] = unsafe label.utf8Start[index] }
      self.bytes = bytes
    }
  }

  /// Fills `output` (16 to 64 bytes) from `key` (16 to 64 bytes) and `message`.
  package static func derive(
    into output: inout MutableSpan<UInt8>, key: Span<UInt8>, context: Context,
    message: Span<UInt8>
  ) {
    precondition(output.count >= 16 && output.count <= 64, "BLAKE2b gives 16 to 64 bytes here")
    precondition(key.count >= 16 && key.count <= 64, "BLAKE2b takes keys of 16 to 64 bytes here")
    let code = unsafe output.withUnsafeMutableBufferPointer { out in
      unsafe key.withUnsafeBufferPointer { keyBytes in
        unsafe message.withUnsafeBufferPointer { input in
          unsafe context.bytes.span.withUnsafeBufferPointer { personal in
            // Without a salt libsodium takes zeroes.
            unsafe crypto_generichash_blake2b_salt_personal(
              out.baseAddress!, out.count, input.baseAddress, UInt64(input.count),
              keyBytes.baseAddress!, keyBytes.count, nil, personal.baseAddress!)
          }
        }
      }
    }
    precondition(code == 0, "BLAKE2b refused its arguments")
  }

  /// A derived secret of `count` bytes (16 to 64).
  package static func secret(
    count: Int, key: Span<UInt8>, context: Context, message: Span<UInt8>
  ) -> SecretBytes {
    var secret = SecretBytes(zeroes: count)
    var output = secret.mutableBytes
    derive(into: &output, key: key, context: context, message: message)
    return secret
  }

  /// An unkeyed checksum of 16 to 64 bytes (BLAKE2b), for torn writes and plan hashes.
  package static func checksum(count: Int, context: Context, message: Span<UInt8>) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: count)
    let code = unsafe output.withUnsafeMutableBufferPointer { out in
      unsafe message.withUnsafeBufferPointer { input in
        unsafe context.bytes.span.withUnsafeBufferPointer { personal in
          unsafe crypto_generichash_blake2b_salt_personal(
            out.baseAddress!, out.count, input.baseAddress, UInt64(input.count), nil, 0, nil,
            personal.baseAddress!)
        }
      }
    }
    precondition(code == 0, "BLAKE2b refused its arguments")
    return output
  }
}
