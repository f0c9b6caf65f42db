import CSodium

/// Argon2id (RFC 9106): a key from a passphrase, which costs whoever guesses as much memory each time.
package enum PasswordHash {
  /// Bytes of the salt.
  package static let saltBytes = 16

  /// A key of 32 bytes, or nil when the memory could not be had (`crypto_pwhash`).
  package static func key(
    passphrase: Span<UInt8>, salt: Span<UInt8>, passes: Int, memoryMebibytes: Int
  ) -> SecretBytes? {
    precondition(salt.count == saltBytes, "a salt has 16 bytes")
    guard SodiumLibrary.isReady else { return nil }
    var key = SecretBytes(zeroes: 32)
    var output = key.mutableBytes
    let code = unsafe output.withUnsafeMutableBufferPointer { out in
      unsafe passphrase.withUnsafeBufferPointer { secret in
        unsafe salt.withUnsafeBufferPointer { saltBytes in
          unsafe secret.withMemoryRebound(to: CChar.self) { text in
            unsafe crypto_pwhash(
              out.baseAddress!, UInt64(out.count), text.baseAddress!, UInt64(text.count),
              saltBytes.baseAddress!, UInt64(passes), memoryMebibytes << 20,
              crypto_pwhash_ALG_ARGON2ID13)
          }
        }
      }
    }
    guard code == 0 else { return nil }
    return key
  }
}
