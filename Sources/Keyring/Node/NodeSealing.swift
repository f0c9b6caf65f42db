import EventModel
import Sodium
import Storage

/// What a node of the key tree holds; part of the label that its seal is bound to.
enum NodeKind: UInt8 {
  case top = 1
  /// References of children, in a key array.
  case inner = 2
  case keyLeaf = 3
  /// Any node of the map, inner or leaf: a leaf that splits keeps its key and place.
  case map = 4
  case tenant = 5
  /// A part of the cover of a tenant's positions.
  case positions = 6
  /// Bytes that are forgotten like a key.
  case document = 7
}

/// The random name under which a node lies in the table; it says nothing about the tree.
struct NodeID: Hashable {
  let rawValue: UInt64

  /// Eight zero bytes.
  static let top = NodeID(rawValue: 0)

  static func random() -> NodeID {
    while true {
      let value = Random.uint64()
      if value != 0 { return NodeID(rawValue: value) }
    }
  }
}

/// Where a node lies and what opens it, as its parent keeps it: `id 8 | key 32 | version u64`.
///
/// A zero reference points nowhere.
struct NodeReference: ~Copyable {
  static let bytesCount = 48
  private(set) var bytes: SecretBytes

  /// Points nowhere.
  init() { bytes = SecretBytes(zeroes: Self.bytesCount) }

  init(copying source: Span<UInt8>) {
    precondition(source.count == Self.bytesCount, "a reference has 48 bytes")
    bytes = SecretBytes(copying: source)
  }

  /// A node that is yet to be written, with a fresh key and a fresh name.
  static func fresh() -> NodeReference {
    var reference = NodeReference()
    let key = SecretBytes.random(count: 32)
    var bytes = reference.bytes.mutableBytes
    bytes.setBigEndian(NodeID.random().rawValue, at: 0, bytes: 8)
    bytes.set(key.bytes, at: 8)
    bytes.setBigEndian(1, at: 40, bytes: 8)
    return reference
  }

  var id: NodeID { NodeID(rawValue: bytes.bytes.bigEndian(at: 0, bytes: 8)) }
  var version: UInt64 { bytes.bytes.bigEndian(at: 40, bytes: 8) }
  var isZero: Bool { version == 0 }

  var key: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get { bytes.bytes.extracting(8..<40) }
  }

  /// The same node after an addition.
  mutating func raiseVersion() {
    let next = version + 1
    var target = bytes.mutableBytes
    target.setBigEndian(next, at: 40, bytes: 8)
  }

  borrowing func copy() -> NodeReference { NodeReference(copying: bytes.bytes) }
}

/// Seals nodes for their place in one store (Docs/Format.md, sections 3 and 4).
enum NodeSealing {
  static let context = KeyDerivation.Context("LT1.node.key")
  /// Plaintexts are multiples of this, so that nodes look alike; two fit in a page of LMDB.
  static let unitBytes = 1_552

  /// `store id 16 | kind u8 | node id 8 | node version u64 | tenant number u32`.
  struct Label {
    let store: StoreID
    let kind: NodeKind
    let id: NodeID
    /// The top's is its epoch.
    let version: UInt64
    let tenant: UInt32

    var bytes: [UInt8] {
      var bytes = store.bytes
      bytes.append(kind.rawValue)
      bytes.appendBigEndian(id.rawValue, bytes: 8)
      bytes.appendBigEndian(version, bytes: 8)
      bytes.appendBigEndian(UInt64(tenant), bytes: 4)
      return bytes
    }
  }

  static func seal(_ plain: Span<UInt8>, key: Span<UInt8>, label: Label) -> [UInt8] {
    precondition(plain.count % unitBytes == 0 && plain.count > 0, "nodes look alike")
    return SealedMessage.seal(
      plain, key: key, context: context, label: label.bytes.span, nonce: Random.bytes(16).span)
  }

  /// Nil when the node was changed, moved, or belongs to another version or key.
  static func open(_ sealed: Span<UInt8>, key: Span<UInt8>, label: Label) -> SecretBytes? {
    guard
      let plain = SealedMessage.open(
        sealed, key: key, context: context, label: label.bytes.span),
      plain.count > 0, plain.count % unitBytes == 0
    else { return nil }
    return plain
  }
}
