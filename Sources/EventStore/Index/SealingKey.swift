import Sodium

/// A key that seals: a bucket's, shared by its segments, or the index key.
final class SealingKey: Sendable {
  private let secret: SecretBytes

  /// `secret` has at least 16 bytes.
  init(_ secret: consuming SecretBytes) { self.secret = secret }

  /// Seals under a fresh nonce into `sealed`.
  func seal(
    _ plain: Span<UInt8>, into sealed: inout MutableSpan<UInt8>, context: KeyDerivation.Context,
    label: Span<UInt8>
  ) { Self.seal(plain, &sealed, secret, context, label) }

  /// The same into a new array.
  func seal(
    _ plain: Span<UInt8>, context: KeyDerivation.Context, label: Span<UInt8>
  ) -> [UInt8] {
    var sealed = [UInt8](repeating: 0, count: plain.count + SealedMessage.overheadBytes)
    var output = sealed.mutableSpan
    Self.seal(plain, &output, secret, context, label)
    return sealed
  }

  /// Opens what was sealed with the same context and label; nil when it was not.
  ///
  /// What the index seals is not secret in memory, so a plain array will do.
  func open(
    _ sealed: Span<UInt8>, context: KeyDerivation.Context, label: Span<UInt8>
  ) -> [UInt8]? { Self.open(sealed, secret, context, label) }

  /// SIP128 under the first 16 bytes, as SipHash writes its bytes: a name that only the key gives.
  func label(_ message: [UInt8]) -> [UInt8] {
    let tag = Self.tag(message, secret)
    return [tag.low, tag.high].flatMap { half in
      (0..<8).map { UInt8(truncatingIfNeeded: half >> UInt64(8 * $0)) }
    }
  }

  // A property of a class is borrowed for one call only, so its bytes are lent in functions that
  // take the secret itself.

  private static func seal(
    _ plain: Span<UInt8>, _ sealed: inout MutableSpan<UInt8>, _ secret: borrowing SecretBytes,
    _ context: KeyDerivation.Context, _ label: Span<UInt8>
  ) {
    let nonce = Random.bytes(SealedMessage.nonceBytes)
    SealedMessage.seal(
      plain, into: &sealed, key: secret.bytes, context: context, label: label, nonce: nonce.span)
  }

  private static func open(
    _ sealed: Span<UInt8>, _ secret: borrowing SecretBytes, _ context: KeyDerivation.Context,
    _ label: Span<UInt8>
  ) -> [UInt8]? {
    guard sealed.count >= SealedMessage.overheadBytes else { return nil }
    var plain = [UInt8](repeating: 0, count: sealed.count - SealedMessage.overheadBytes)
    var output = plain.mutableSpan
    let isOpen = SealedMessage.open(
      sealed, into: &output, key: secret.bytes, context: context, label: label)
    return isOpen ? plain : nil
  }

  private static func tag(_ message: [UInt8], _ secret: borrowing SecretBytes) -> Tag128 {
    SipHash.tag128(message.span, key: secret.bytes.extracting(0..<16))
  }
}
