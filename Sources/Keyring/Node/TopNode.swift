import EventModel
import Sodium

/// The one node that is sealed under the root (Docs/Format.md, section 4).
struct TopNode: ~Copyable {
  private(set) var plain: SecretBytes

  /// The top of a new store.
  init(store: StoreID) {
    plain = SecretBytes(zeroes: NodeSealing.unitBytes)
    let secrets = SecretBytes.random(count: 64)
    var bytes = plain.mutableBytes
    bytes[0] = 1
    bytes.set(store.bytes.span, at: 1)
    bytes.set(secrets.bytes, at: 45)
    epoch = 1
    nextTenant = 1
    nextLedgerIndex = 1
  }

  /// Nil when the plaintext is not this store's top of this epoch.
  private init?(_ plain: consuming SecretBytes, store: StoreID, epoch: UInt64) {
    guard Self.isTop(plain, store, epoch) else { return nil }
    self.plain = plain
  }

  private static func isTop(
    _ plain: borrowing SecretBytes, _ store: StoreID, _ epoch: UInt64
  ) -> Bool {
    plain.bytes[0] == 1 && plain.bytes.extracting(1..<17).array == store.bytes
      && plain.bytes.bigEndian(at: 25, bytes: 8) == epoch
  }

  private init(copying other: Span<UInt8>) { plain = SecretBytes(copying: other) }

  borrowing func copy() -> TopNode { TopNode(copying: plain.bytes) }

  /// Raised by every commit.
  var version: UInt64 {
    get { plain.bytes.bigEndian(at: 17, bytes: 8) }
    set { set(newValue, at: 17, bytes: 8) }
  }

  /// Raised by every rotation.
  var epoch: UInt64 {
    get { plain.bytes.bigEndian(at: 25, bytes: 8) }
    set { set(newValue, at: 25, bytes: 8) }
  }

  var nextTenant: UInt32 {
    get { UInt32(plain.bytes.bigEndian(at: 33, bytes: 4)) }
    set { set(UInt64(newValue), at: 33, bytes: 4) }
  }

  var nextLedgerIndex: UInt64 {
    get { plain.bytes.bigEndian(at: 37, bytes: 8) }
    set { set(newValue, at: 37, bytes: 8) }
  }

  /// A secret derived from the instance secret and nothing else.
  borrowing func derive(_ context: KeyDerivation.Context, count: Int) -> SecretBytes {
    KeyDerivation.secret(
      count: count, key: plain.bytes.extracting(45..<77), context: context,
      message: plain.bytes.extracting(0..<0))
  }

  var tenants: TrieRoot { TrieRoot(plain.bytes, at: 109) }
  var buckets: TrieRoot { TrieRoot(plain.bytes, at: 158) }
  var documents: TrieRoot { TrieRoot(plain.bytes, at: 207) }

  var roots: RootTable {
    get { RootTable(plain.bytes.extracting(Self.rootsAt..<(Self.rootsAt + RootTable.bytesCount))) }
    set {
      var bytes = plain.mutableBytes
      bytes.set(newValue.bytes.span, at: Self.rootsAt)
    }
  }

  private static let rootsAt = 320

  mutating func setTenants(_ root: borrowing TrieRoot) {
    var bytes = plain.mutableBytes
    root.write(to: &bytes, at: 109)
  }

  mutating func setBuckets(_ root: borrowing TrieRoot) {
    var bytes = plain.mutableBytes
    root.write(to: &bytes, at: 158)
  }

  mutating func setDocuments(_ root: borrowing TrieRoot) {
    var bytes = plain.mutableBytes
    root.write(to: &bytes, at: 207)
  }

  /// Every certificate up to this index is finished.
  var finishedCertificates: UInt64 {
    get { plain.bytes.bigEndian(at: 448, bytes: 8) }
    set { set(newValue, at: 448, bytes: 8) }
  }

  /// The index of the newest certificate; 0 when there is none.
  var newestCertificate: UInt64 {
    get { plain.bytes.bigEndian(at: 456, bytes: 8) }
    set { set(newValue, at: 456, bytes: 8) }
  }

  /// The store's public key.
  borrowing func publicKey() -> [UInt8] {
    Ed25519.publicKey(seed: plain.bytes.extracting(77..<109))
  }

  /// Signs in the store's name.
  borrowing func signature(of message: Span<UInt8>) -> [UInt8] {
    Ed25519.signature(of: message, seed: plain.bytes.extracting(77..<109))
  }

  /// The last time that was believed and committed: milliseconds since 1970; 0: none.
  var timeMark: Int64 {
    get { Int64(bitPattern: plain.bytes.bigEndian(at: 256, bytes: 8)) }
    set { set(UInt64(bitPattern: newValue), at: 256, bytes: 8) }
  }

  /// When expiry ran last and found something: milliseconds since 1970; 0: never.
  var lastExpiry: (milliseconds: Int64, events: UInt64) {
    get {
      (
        Int64(bitPattern: plain.bytes.bigEndian(at: 264, bytes: 8)),
        plain.bytes.bigEndian(at: 272, bytes: 8)
      )
    }
    set {
      set(UInt64(bitPattern: newValue.milliseconds), at: 264, bytes: 8)
      set(newValue.events, at: 272, bytes: 8)
    }
  }

  private mutating func set(_ value: UInt64, at offset: Int, bytes count: Int) {
    var bytes = plain.mutableBytes
    bytes.setBigEndian(value, at: offset, bytes: count)
  }
}

extension TopNode {
  private static func label(_ store: StoreID, epoch: UInt64) -> NodeSealing.Label {
    NodeSealing.Label(store: store, kind: .top, id: .top, version: epoch, tenant: 0)
  }

  /// The table's value: the epoch in clear, so that it is known which root to ask for, then the
  /// sealed part.
  func sealed(root: Span<UInt8>, store: StoreID) -> [UInt8] {
    epoch.bigEndianBytes
      + NodeSealing.seal(plain.bytes, key: root, label: Self.label(store, epoch: epoch))
  }

  /// The epoch of a table's value, or nil when it is too short to be a top.
  static func epoch(of value: Span<UInt8>) -> UInt64? {
    value.count > 8 ? value.bigEndian(at: 0, bytes: 8) : nil
  }

  /// Nil when the value does not open under `root`.
  init?(value: Span<UInt8>, root: Span<UInt8>, store: StoreID) {
    guard let epoch = Self.epoch(of: value),
      let plain = NodeSealing.open(
        value.extracting(8..<value.count), key: root, label: Self.label(store, epoch: epoch))
    else { return nil }
    self.init(plain, store: store, epoch: epoch)
  }
}
