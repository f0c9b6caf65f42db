import Crypto
package import EventModel

/// The public key under which signed notes are checked, with the name that it signs as (C2SP
/// signed-note).
///
/// ```
/// lethe-1f20aa04+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW
/// name           id       Base64 of: type 1 (Ed25519) | public key 32
/// ```
package struct NoteKey: Hashable, Sendable {
  package let name: String
  /// The first 32 bits of SHA-256(name | new line | type | public key).
  package let id: UInt32
  /// 32 bytes (RFC 8032).
  package let publicKey: [UInt8]

  static let ed25519: UInt8 = 1
  static let publicKeyBytes = 32
  static let signatureBytes = 64

  /// Nil when the name or the key cannot be one.
  package init?(name: String, publicKey: [UInt8]) {
    guard Self.isName(name), publicKey.count == Self.publicKeyBytes else { return nil }
    self.name = name
    self.publicKey = publicKey
    let message = Array(name.utf8) + [0x0A, Self.ed25519] + publicKey
    id = UInt32(Hash256.sha256(message.span).bytes.span.bigEndian(at: 0, bytes: 4))
  }

  /// Reads ``text``; nil when it is anything else, or the id is not that of name and key.
  package init?(_ text: String) {
    let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let bytes = Base64.decode(String(parts[2])),
      bytes.first == Self.ed25519,
      let key = NoteKey(name: String(parts[0]), publicKey: Array(bytes.dropFirst())),
      key.idText == parts[1]
    else { return nil }
    self = key
  }

  /// The key as it is handed to auditors.
  package var text: String {
    "\(name)+\(idText)+\(Base64.encode([Self.ed25519] + publicKey))"
  }

  private var idText: String {
    var bytes: [UInt8] = []
    bytes.appendBigEndian(UInt64(id), bytes: 4)
    return bytes.hexadecimal
  }

  /// True when `signature` is an Ed25519 signature (RFC 8032) of this message under the key.
  package func isSignature(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    guard signature.count == Self.signatureBytes,
      let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey)
    else { return false }
    return key.isValidSignature(signature, for: message)
  }

  /// Not empty, without blanks, control characters and the plus sign.
  static func isName(_ name: String) -> Bool {
    !name.isEmpty
      && name.unicodeScalars.allSatisfy {
        !$0.properties.isWhitespace && $0.value >= 0x20 && $0 != "+"
      }
  }
}

extension NoteKey {
  /// The key of a store, which signs as `lethe-` and the first 8 digits of its identity.
  package init?(store: StoreID, publicKey: [UInt8]) {
    self.init(name: "lethe-\(store.bytes.prefix(4).hexadecimal)", publicKey: publicKey)
  }
}
