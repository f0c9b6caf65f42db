import Crypto
import EventModel
import FoundationEssentials
import Sodium

/// AES-256-GCM without the processor's help, for a store that was moved to such a machine.
///
/// libsodium has AES only in hardware, and a store must not become unreadable by moving. Slow, and
/// the one place where a key is copied out of locked memory: it opens a single event.
enum PortableAES {
  /// The same as ``SingleUseAEAD/open(_:body:authenticated:key:suite:into:at:)``, with offset 0.
  static func open(
    _ sealed: Span<UInt8>, body: Range<Int>, authenticated: Range<Int>, key: Span<UInt8>,
    into output: inout MutableSpan<UInt8>
  ) -> Bool {
    let tag = body.upperBound..<(body.upperBound + SingleUseAEAD.tagBytes)
    guard tag.upperBound <= sealed.count, body.count <= output.count,
      let nonce = try? AES.GCM.Nonce(data: [UInt8](repeating: 0, count: 12)),
      let box = try? AES.GCM.SealedBox(
        nonce: nonce, ciphertext: sealed.extracting(body).array,
        tag: sealed.extracting(tag).array),
      let opened = try? AES.GCM.open(
        box, using: SymmetricKey(data: key.array),
        authenticating: sealed.extracting(authenticated).array)
    else { return false }
    output.set(Array(opened).span, at: 0)
    return true
  }
}
