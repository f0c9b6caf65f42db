import EventModel
import Sodium

extension LedgerEntry {
  static let keyContext = KeyDerivation.Context("LT1.ledger")
  static let sealContext = KeyDerivation.Context("LT1.ledger.key")

  static func label(_ store: StoreID, _ index: UInt64) -> [UInt8] {
    store.bytes + index.bigEndianBytes
  }

  func seal(key: Span<UInt8>, store: StoreID, index: UInt64) -> [UInt8] {
    SealedMessage.seal(
      plain.span, key: key, context: Self.sealContext, label: Self.label(store, index).span,
      nonce: Random.bytes(16).span)
  }

  /// Nil when the entry was changed or moved.
  init?(_ sealed: Span<UInt8>, key: borrowing SecretBytes, store: StoreID, index: UInt64) {
    guard
      let plain = SealedMessage.open(
        sealed, key: key.bytes, context: Self.sealContext, label: Self.label(store, index).span)
    else { return nil }
    self.init(plain: plain.bytes)
  }
}
