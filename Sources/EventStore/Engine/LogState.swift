import EventModel
import Keyring
import Sodium
import Storage

extension EngineState {
  /// The log's sealed state (Docs/Format.md, section 5), under a fresh nonce.
  func sealedLogState(nextSequence: UInt64) -> [UInt8] {
    var plain: [UInt8] = []
    plain.appendBigEndian(nextSequence, bytes: 8)
    plain.appendBigEndian(keyring.version, bytes: 8)
    plain.append(contentsOf: repeatElement(0, count: 48))
    return LogState.seal(plain, logState)
  }
}

/// The sealed state of the log: what is next and which keys the records need.
struct LogState {
  let nextSequence: UInt64
  let keyringVersion: UInt64

  static let context = KeyDerivation.Context("LT1.log.seal")
  static let label = Array("state".utf8)

  static func seal(_ plain: [UInt8], _ key: borrowing SecretBytes) -> [UInt8] {
    let nonce = Random.bytes(SealedMessage.nonceBytes)
    return SealedMessage.seal(
      plain.span, key: key.bytes, context: context, label: label.span, nonce: nonce.span)
  }

  /// Opens what ``EngineState/sealedLogState(nextSequence:)`` sealed; nil when it was changed.
  init?(_ sealed: Span<UInt8>, key: borrowing SecretBytes) {
    guard
      let plain = SealedMessage.open(
        sealed, key: key.bytes, context: Self.context, label: Self.label.span),
      plain.count == 64
    else { return nil }
    nextSequence = plain.bytes.bigEndian(at: 0, bytes: 8)
    keyringVersion = plain.bytes.bigEndian(at: 8, bytes: 8)
  }
}
