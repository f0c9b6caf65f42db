package import EventModel
package import Sodium

/// What a document of the key tree is about; each kind counts its own numbers.
package enum DocumentKind: UInt8, Sendable, CaseIterable {
  /// Something that is to be destroyed and waits for a second user or a day; the store's.
  case plan = 1
  case hold = 2
  /// What opens events under a hold when their keys are gone.
  case heldEvents = 3
  /// Which class events of a type belong to.
  case typeMap = 4
  /// Keys of a generation that takes no new events.
  case generation = 5
  case settings = 6
  /// Backups that were taken; the store's.
  case copies = 7
  /// Who may take a tenant's events out in bulk, and until when.
  case grant = 8
  /// What a tenant's evidence needs: its settings (0) and the keys of its access log (1).
  case evidence = 9
}

/// The name of a document, of the store or of a tenant.
package struct DocumentID: Hashable, Sendable, Comparable {
  static let kindBits: UInt64 = 4
  package static let numberMax: UInt32 = 1 << 28 - 1

  package let kind: DocumentKind
  /// At most ``numberMax``.
  package let number: UInt32

  package init(_ kind: DocumentKind, _ number: UInt32) {
    precondition(number <= Self.numberMax, "a document's number has 28 bits")
    self.kind = kind
    self.number = number
  }

  /// Kinds share a trie: the kind in the lowest bits keeps it as low as the numbers are.
  var place: UInt64 { UInt64(number) << Self.kindBits | UInt64(kind.rawValue) }

  /// Nil when there is no such kind.
  init?(place: UInt64) {
    guard let kind = DocumentKind(rawValue: UInt8(place & (1 << Self.kindBits - 1))),
      place >> Self.kindBits <= UInt64(Self.numberMax)
    else { return nil }
    self.init(kind, UInt32(place >> Self.kindBits))
  }

  package static func < (left: DocumentID, right: DocumentID) -> Bool { left.place < right.place }
}

/// Bytes that lie in the key tree in a node of their own, so that they can be forgotten like a key.
package final class Document: Sendable {
  /// Bytes in a document, at most: what a cell of secret memory holds in whole nodes.
  package static let bytesMax =
    SecretArena.secretBytesMax / NodeSealing.unitBytes * NodeSealing.unitBytes - headBytes
  private static let headBytes = 2

  package let bytes: SecretBytes

  /// Copies at most ``bytesMax`` bytes.
  package init(copying bytes: Span<UInt8>) {
    precondition(bytes.count <= Self.bytesMax, "a document is too long")
    self.bytes = SecretBytes(copying: bytes)
  }

  /// Nil when the plaintext is not a document's node.
  init?(node plain: borrowing SecretBytes) {
    let count = Int(plain.bytes.bigEndian(at: 0, bytes: 2))
    guard Self.headBytes + count <= plain.count else { return nil }
    bytes = SecretBytes(
      copying: plain.bytes.extracting(Self.headBytes..<(Self.headBytes + count)))
  }

  /// The plaintext of the node: `length u16 | bytes`, padded.
  var plain: SecretBytes {
    Self.plain(bytes)
  }

  private static func plain(_ content: borrowing SecretBytes) -> SecretBytes {
    let units = (headBytes + content.count + NodeSealing.unitBytes - 1) / NodeSealing.unitBytes
    var plain = SecretBytes(zeroes: units * NodeSealing.unitBytes)
    var bytes = plain.mutableBytes
    bytes.setBigEndian(UInt64(content.count), at: 0, bytes: 2)
    bytes.set(content.bytes, at: headBytes)
    return plain
  }

  /// Lends the bytes; a span cannot leave a class's property.
  package func withBytes<R>(_ body: (Span<UInt8>) -> R) -> R {
    func lend(_ secret: borrowing SecretBytes) -> R { body(secret.bytes) }
    return lend(bytes)
  }
}

/// A document that a rotation writes anew, or forgets.
package struct DocumentEdit: Sendable {
  /// Nil for a document of the store.
  package let tenant: TenantNumber?
  package let id: DocumentID
  /// Nil when it goes.
  package let document: Document?

  package init(tenant: TenantNumber?, id: DocumentID, document: Document?) {
    self.tenant = tenant
    self.id = id
    self.document = document
  }
}
