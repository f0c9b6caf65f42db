import Sodium
import Testing

private let context = KeyDerivation.Context("LT1.test.seal")
private let key: [UInt8] = Array(0..<32)
private let nonce: [UInt8] = Array(16..<32)
private let label = Array("place 7".utf8)
private let message = Array("a message of some length".utf8)

private func seal(_ plaintext: [UInt8]) -> [UInt8] {
  SealedMessage.seal(
    plaintext.span, key: key.span, context: context, label: label.span, nonce: nonce.span)
}

private func open(
  _ sealed: [UInt8], key: [UInt8] = key, context: KeyDerivation.Context = context,
  label: [UInt8] = label
) -> [UInt8]? {
  guard
    let secret = SealedMessage.open(
      sealed.span, key: key.span, context: context, label: label.span)
  else { return nil }
  return (0..<secret.count).map { secret.bytes[$0] }
}

@Test func `a sealed message is what Python's BLAKE2b and libsodium make of it`() {
  // hashlib.blake2b(nonce + label, digest_size=64, key=key, person=context), then
  // crypto_aead_chacha20poly1305_ietf_encrypt with the first 50 bytes as associated data.
  let expected =
    "0101101112131415161718191a1b1c1d1e1fbbf230ed31ff82145c407f49545d7bc75ee25b47e79f5185dba751b9"
    + "2459de24b8aff204f17b751bcfaeacd771d26af5b2d33c7a66636f961c49b8b5332b5e2c82f4017de61c980f"
  let digits = Array("0123456789abcdef")
  let hex = seal(message).map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }.joined()
  #expect(hex == expected)
}

@Test(arguments: [0, 1, 24, 1_552, 8_192])
func `what was sealed opens`(count: Int) {
  let plaintext = [UInt8](repeating: 7, count: count)
  let sealed = seal(plaintext)
  #expect(sealed.count == count + SealedMessage.overheadBytes)
  #expect(open(sealed) == plaintext)
}

@Test func `a message opens under its key, context and label only`() {
  let sealed = seal(message)
  #expect(open(sealed, key: Array(1..<33)) == nil)
  #expect(open(sealed, context: KeyDerivation.Context("LT1.test.sear")) == nil)
  #expect(open(sealed, label: Array("place 8".utf8)) == nil)
}

@Test func `a changed bit in any byte is found`() {
  let sealed = seal(message)
  for index in sealed.indices {
    var changed = sealed
    changed[index] ^= 1
    #expect(open(changed) == nil)
  }
}

@Test func `a message that is cut or lengthened does not open`() {
  let sealed = seal(message)
  for count in [0, 1, 65, sealed.count - 1] { #expect(open(Array(sealed.prefix(count))) == nil) }
  #expect(open(sealed + [0]) == nil)
}
