/// A message sealed under a key of its own (Docs/Format.md, section 3): nodes, ledger entries, states
/// and index blocks are all sealed alike.
///
/// ```
/// version 1 | suite 1 | nonce 16 | commitment 32 | ciphertext n | tag 16
/// key || commitment = B2b-512(K; context; nonce || label)
/// ```
/// The commitment makes a message open under one key only, which the AEAD alone does not promise;
/// the label names the message's place, so that it opens nowhere else. Padding is the caller's.
package enum SealedMessage {
  /// Bytes that sealing adds.
  package static let overheadBytes = headBytes + SingleUseAEAD.tagBytes
  /// Bytes of the random nonce.
  package static let nonceBytes = 16

  private static let headBytes = 50
  private static let version: UInt8 = 1

  /// Seals `plaintext` under a key derived from `key` (16 to 64 bytes), `nonce` and `label`.
  ///
  /// The nonce is 16 fresh random bytes; because of them the derived key is used once.
  package static func seal(
    _ plaintext: Span<UInt8>, key: Span<UInt8>, context: KeyDerivation.Context,
    label: Span<UInt8>, nonce: Span<UInt8>
  ) -> [UInt8] {
    var sealed = [UInt8](repeating: 0, count: plaintext.count + overheadBytes)
    var output = sealed.mutableSpan
    seal(plaintext, into: &output, key: key, context: context, label: label, nonce: nonce)
    return sealed
  }

  /// The same into `output`, which is ``overheadBytes`` longer than `plaintext`.
  package static func seal(
    _ plaintext: Span<UInt8>, into output: inout MutableSpan<UInt8>, key: Span<UInt8>,
    context: KeyDerivation.Context, label: Span<UInt8>, nonce: Span<UInt8>
  ) {
    precondition(nonce.count == nonceBytes, "a nonce has 16 bytes")
    precondition(output.count == plaintext.count + overheadBytes, "the output has another length")
    let derived = derive(key, context, label, nonce)
    output[0] = version
    output[1] = SingleUseAEAD.Suite.chaCha20Poly1305.rawValue
    for index in 0..<nonceBytes { output[2 + index] = nonce[index] }
    for index in 0..<32 { output[18 + index] = derived.bytes[32 + index] }
    SingleUseAEAD.seal(
      plaintext, into: &output, at: headBytes, authenticated: 0..<headBytes,
      key: derived.bytes.extracting(0..<32))
  }

  /// Opens a message of at most ``SecretArena/secretBytesMax`` bytes; nil when anything was changed
  /// or moved, or the key is another.
  package static func open(
    _ sealed: Span<UInt8>, key: Span<UInt8>, context: KeyDerivation.Context, label: Span<UInt8>
  ) -> SecretBytes? {
    let count = sealed.count - overheadBytes
    guard count >= 0, count <= SecretArena.secretBytesMax else { return nil }
    var plaintext = SecretBytes(zeroes: count)
    var output = plaintext.mutableBytes
    guard open(sealed, into: &output, key: key, context: context, label: label) else { return nil }
    return plaintext
  }

  /// Opens a message into `output`, which is ``overheadBytes`` shorter; false when anything was
  /// changed or moved, the key is another or the length does not fit.
  package static func open(
    _ sealed: Span<UInt8>, into output: inout MutableSpan<UInt8>, key: Span<UInt8>,
    context: KeyDerivation.Context, label: Span<UInt8>
  ) -> Bool {
    guard sealed.count >= overheadBytes, output.count == sealed.count - overheadBytes,
      sealed[0] == version, sealed[1] == SingleUseAEAD.Suite.chaCha20Poly1305.rawValue
    else { return false }
    let derived = derive(key, context, label, sealed.extracting(2..<18))
    guard
      ConstantTime.areEqual(derived.bytes.extracting(32..<64), sealed.extracting(18..<headBytes))
    else { return false }
    return SingleUseAEAD.open(
      sealed, body: headBytes..<(sealed.count - SingleUseAEAD.tagBytes),
      authenticated: 0..<headBytes, key: derived.bytes.extracting(0..<32),
      suite: .chaCha20Poly1305, into: &output, at: 0)
  }

  /// Key and commitment.
  private static func derive(
    _ key: Span<UInt8>, _ context: KeyDerivation.Context, _ label: Span<UInt8>, _ nonce: Span<UInt8>
  ) -> SecretBytes {
    var message: [UInt8] = []
    message.reserveCapacity(nonce.count + label.count)
    for index in nonce.indices { message.append(nonce[index]) }
    for index in label.indices { message.append(label[index]) }
    return KeyDerivation.secret(count: 64, key: key, context: context, message: message.span)
  }
}
