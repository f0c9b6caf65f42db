package import EventModel
import Sodium
import Storage

/// What a rotation has destroyed when it commits, for the certificate that commits with it.
package struct Destruction: Sendable {
  /// The index of the act in the ledger, which is also the certificate's.
  package let index: UInt64
  /// The root's generation after the act.
  package let epoch: UInt64
  package let keysDestroyed: Int
}

/// A certificate's name: the first four bytes of the store's id and its index, as `3f0a91c2-17`.
package struct CertificateID: Hashable, Sendable {
  package let store: StoreID
  package let index: UInt64

  package init(store: StoreID, index: UInt64) {
    self.store = store
    self.index = index
  }

  /// Reads `3f0a91c2-17`, or the index alone; nil when it is not of this store.
  package init?(_ text: [UInt8], store: StoreID) {
    let parts = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard let last = parts.last, let index = UInt64(String(decoding: last, as: UTF8.self)),
      parts.count <= 2, last.first != UInt8(ascii: "+")
    else { return nil }
    self.init(store: store, index: index)
    guard parts.count == 1 || Array(text) == Array(self.text.utf8) else { return nil }
  }

  package var text: String { "\(store.bytes.prefix(4).hexadecimal)-\(index)" }
}

/// Certificates of what was destroyed (Docs/Format.md, section 4.6); what is in them is their
/// writer's.
///
/// Begun in the transaction that destroys, so that none can be missing; finished in a later one,
/// when every holder has confirmed the erasure.
extension Keyring {
  private static let certificateContext = KeyDerivation.Context("LT1.cert")
  private static let sealContext = KeyDerivation.Context("LT1.cert.key")

  /// The key by which everybody can check what the store signed: 32 bytes, as long as it exists.
  package var publicKey: [UInt8] { top.publicKey() }

  /// Signs in the store's name (Ed25519).
  package func signature(of message: Span<UInt8>) -> [UInt8] { top.signature(of: message) }

  /// The certificates that were begun and not finished, oldest first.
  package func unfinishedCertificates() throws(KeyringError) -> [(index: UInt64, plain: [UInt8])] {
    guard top.finishedCertificates < top.newestCertificate else { return [] }
    return try certificates(from: top.finishedCertificates + 1, limit: Int.max)
  }

  /// At most `limit` certificates from `index` on, oldest first.
  package func certificates(
    from index: UInt64, limit: Int
  ) throws(KeyringError) -> [(index: UInt64, plain: [UInt8])] {
    let key = top.derive(Self.certificateContext, count: 32)
    let sealed = try tables.read { (view) throws(KeyringError) in
      var found: [(index: UInt64, sealed: [UInt8])] = []
      do throws(StorageError) {
        try view.forEachCertificate(from: index) { index, sealed in
          guard found.count < limit else { return false }
          found.append((index, sealed.array))
          return true
        }
      } catch { throw .storage(error) }
      return found
    }
    var opened: [(index: UInt64, plain: [UInt8])] = []
    for (index, sealed) in sealed {
      guard let plain = Self.open(sealed, key, store: id, index) else { throw .corrupt }
      opened.append((index, plain))
    }
    return opened
  }

  /// Puts finished certificates in the place of those that were begun, in one commit.
  ///
  /// To be called when the erasure is confirmed.
  package func finishCertificates(
    _ finished: [(index: UInt64, plain: [UInt8])]
  ) throws(KeyringError) {
    guard let last = finished.last else { return }
    try add { (top, _, transaction) throws(KeyringError) in
      for (index, plain) in finished {
        try Self.put(plain, at: index, &top, store: id, in: &transaction)
      }
      top.finishedCertificates = last.index
    }
  }

  static func put(
    _ plain: [UInt8], at index: UInt64, _ top: inout TopNode, store: StoreID,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    let key = top.derive(certificateContext, count: 32)
    let sealed = SealedMessage.seal(
      plain.span, key: key.bytes, context: sealContext,
      label: LedgerEntry.label(store, index).span,
      nonce: Random.bytes(SealedMessage.nonceBytes).span)
    do { try transaction.putCertificate(index, sealed.span) } catch { throw .storage(error) }
    top.newestCertificate = max(top.newestCertificate, index)
  }

  private static func open(
    _ sealed: [UInt8], _ key: borrowing SecretBytes, store: StoreID, _ index: UInt64
  ) -> [UInt8]? {
    guard sealed.count > SealedMessage.overheadBytes else { return nil }
    var plain = [UInt8](repeating: 0, count: sealed.count - SealedMessage.overheadBytes)
    var output = plain.mutableSpan
    let isOpen = SealedMessage.open(
      sealed.span, into: &output, key: key.bytes, context: sealContext,
      label: LedgerEntry.label(store, index).span)
    return isOpen ? plain : nil
  }
}
