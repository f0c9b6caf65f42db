import CSodium

/// Signatures that everybody can check with the public key (RFC 8032; `crypto_sign_detached`).
package enum Ed25519 {
  package static let seedBytes = 32
  package static let publicKeyBytes = 32
  package static let signatureBytes = 64

  /// The public key of a seed of 32 bytes.
  package static func publicKey(seed: Span<UInt8>) -> [UInt8] {
    var publicKey: [UInt8] = []
    _ = secret(seed, &publicKey)
    return publicKey
  }

  /// The signature of `message` under a seed of 32 bytes: always the same, since it needs no
  /// randomness.
  package static func signature(of message: Span<UInt8>, seed: Span<UInt8>) -> [UInt8] {
    var publicKey: [UInt8] = []
    let secret = secret(seed, &publicKey)
    var signature = [UInt8](repeating: 0, count: signatureBytes)
    let key = secret.bytes
    let code = unsafe signature.withUnsafeMutableBufferPointer { output in
      unsafe message.withUnsafeBufferPointer { message in
        unsafe key.withUnsafeBufferPointer { key in
          unsafe crypto_sign_detached(
            output.baseAddress!, nil, message.baseAddress, UInt64(message.count),
            key.baseAddress!)
        }
      }
    }
    precondition(code == 0, "Ed25519 refused its arguments")
    return signature
  }

  /// True when `signature` is of this message and key.
  package static func isValid(
    _ signature: Span<UInt8>, of message: Span<UInt8>, publicKey: Span<UInt8>
  ) -> Bool {
    guard signature.count == signatureBytes, publicKey.count == publicKeyBytes else { return false }
    return unsafe signature.withUnsafeBufferPointer { signature in
      unsafe message.withUnsafeBufferPointer { message in
        unsafe publicKey.withUnsafeBufferPointer { key in
          unsafe crypto_sign_verify_detached(
            signature.baseAddress!, message.baseAddress, UInt64(message.count), key.baseAddress!)
            == 0
        }
      }
    }
  }

  /// The seed and the public key behind it, as libsodium wants them.
  private static func secret(_ seed: Span<UInt8>, _ publicKey: inout [UInt8]) -> SecretBytes {
    precondition(seed.count == seedBytes, "a signing seed has 32 bytes")
    precondition(SodiumLibrary.isReady, "libsodium could not start")
    publicKey = [UInt8](repeating: 0, count: publicKeyBytes)
    var secret = SecretBytes(zeroes: 64)
    var output = secret.mutableBytes
    let code = unsafe publicKey.withUnsafeMutableBufferPointer { publicKey in
      unsafe output.withUnsafeMutableBufferPointer { secret in
        unsafe seed.withUnsafeBufferPointer { seed in
          unsafe crypto_sign_seed_keypair(
            publicKey.baseAddress!, secret.baseAddress!, seed.baseAddress!)
        }
      }
    }
    precondition(code == 0, "Ed25519 refused its seed")
    return secret
  }
}
