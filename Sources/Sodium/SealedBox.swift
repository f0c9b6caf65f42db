import CSodium

/// Messages to somebody of whom only the public key is known (`crypto_box_seal`, X25519 and
/// XSalsa20-Poly1305): whoever seals one cannot open it again.
package enum SealedBox {
  package static let publicKeyBytes = 32
  /// Bytes that sealing adds.
  package static let overheadBytes = 48

  /// Seals `message` to a public key of 32 bytes; nil when the key is none that could be.
  package static func seal(_ message: Span<UInt8>, to publicKey: Span<UInt8>) -> [UInt8]? {
    precondition(publicKey.count == publicKeyBytes, "a public key has 32 bytes")
    precondition(SodiumLibrary.isReady, "libsodium could not start")
    var sealed = [UInt8](repeating: 0, count: message.count + overheadBytes)
    let code = unsafe sealed.withUnsafeMutableBufferPointer { output in
      unsafe message.withUnsafeBufferPointer { message in
        unsafe publicKey.withUnsafeBufferPointer { key in
          unsafe crypto_box_seal(
            output.baseAddress!, message.baseAddress, UInt64(message.count), key.baseAddress!)
        }
      }
    }
    return code == 0 ? sealed : nil
  }
}
