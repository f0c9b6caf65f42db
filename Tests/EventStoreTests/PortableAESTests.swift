import Sodium
import Testing

@testable import EventStore

@Test func `what the processor's AES sealed opens without it, and nothing else does`() {
  guard SodiumLibrary.hasAES256GCM else { return }
  let key = SecretBytes.random(count: 32)
  for count in [0, 1, 15, 128, 1_000] {
    var sealed = Random.bytes(112 + count + 16)
    let plain = Array(sealed[112..<(112 + count)])
    var span = sealed.mutableSpan
    SingleUseAEAD.seal(
      &span, body: 112..<(112 + count), authenticated: 0..<112, key: key.bytes, suite: .aes256GCM)
    var opened = [UInt8](repeating: 0, count: count)
    var output = opened.mutableSpan
    #expect(
      PortableAES.open(
        sealed.span, body: 112..<(112 + count), authenticated: 0..<112, key: key.bytes,
        into: &output))
    #expect(opened == plain)
    sealed[5] ^= 1
    output = opened.mutableSpan
    #expect(
      !PortableAES.open(
        sealed.span, body: 112..<(112 + count), authenticated: 0..<112, key: key.bytes,
        into: &output))
  }
}
