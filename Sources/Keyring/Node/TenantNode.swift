import EventModel
import Sodium

/// A tenant's node: its secrets, its covers and where its two tries begin (Docs/Format.md,
/// section 4.2).
///
/// The plaintext is changed in place.
struct TenantNode: ~Copyable {
  private(set) var plain: SecretBytes

  private static let keysAt = 228
  private static let mapAt = 277
  private static let positionsAt = 326
  private static let documentsAt = 375
  private static let classCountAt = 424
  private static let lapseDayAt = 425
  private static let classesAt = 427
  /// The most that a cell of secret memory holds, in whole units.
  private static let plainBytesMax =
    SecretArena.secretBytesMax / NodeSealing.unitBytes * NodeSealing.unitBytes

  /// A new tenant with fresh secrets and the class `default`.
  init(name: TenantName, retention: Retention, createdMilliseconds: Int64) {
    plain = SecretBytes(zeroes: NodeSealing.unitBytes)
    let secrets = SecretBytes.random(count: 128)
    var bytes = plain.mutableBytes
    bytes[0] = 1
    bytes.set(Random.bytes(16).span, at: 2)
    bytes.setBigEndian(UInt64(bitPattern: createdMilliseconds), at: 18, bytes: 8)
    bytes[26] = UInt8(name.bytes.count)
    bytes.set(name.bytes.span, at: 27)
    bytes.setBigEndian(1, at: 90, bytes: 2)
    bytes.set(secrets.bytes, at: 92)
    // Slot 0 is never given out.
    bytes.setBigEndian(1, at: 220, bytes: 8)
    let cover = PeriodCover(unit: retention.unit)
    bytes[Self.classCountAt] = 1
    _ = RetentionClass(
      number: .default, name: Array("default".utf8), policy: RetentionPolicy(retention),
      cover: cover
    ).write(to: &bytes, at: Self.classesAt)
  }

  /// Nil when the plaintext is not a tenant's node.
  init?(_ plain: consuming SecretBytes) {
    guard Self.isTenant(plain) else { return nil }
    self.plain = plain
  }

  private static func isTenant(_ plain: borrowing SecretBytes) -> Bool {
    plain.bytes[0] == 1 && plain.bytes[1] <= 3 && Int(plain.bytes[26]) <= 63
      && readClasses(plain.bytes) != nil
  }

  var id: TenantID { TenantID(bytes: plain.bytes.extracting(2..<18).array) }
  var name: TenantName? {
    TenantName(plain.bytes.extracting(27..<(27 + Int(plain.bytes[26]))).array)
  }
  var createdMilliseconds: Int64 { Int64(bitPattern: plain.bytes.bigEndian(at: 18, bytes: 8)) }
  var generation: UInt16 { UInt16(plain.bytes.bigEndian(at: 90, bytes: 2)) }

  var dataSecret: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get { plain.bytes.extracting(92..<124) }
  }
  var positionSeed: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get { plain.bytes.extracting(124..<156) }
  }
  var mapKey: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get { plain.bytes.extracting(156..<188) }
  }
  var impersonalKey: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get { plain.bytes.extracting(188..<220) }
  }

  /// Begins the next generation, whose events have leaves of their own; `.tenantFull` when there were
  /// too many.
  mutating func beginGeneration() throws(KeyringError) {
    let next = Int(generation) + 1
    guard next <= Limits.generationsMax else { throw .tenantFull }
    var bytes = plain.mutableBytes
    bytes.setBigEndian(UInt64(next), at: 90, bytes: 2)
  }

  var isSuspended: Bool {
    get { plain.bytes[1] & 1 != 0 }
    set { setFlag(1, newValue) }
  }

  /// True when every event must have an id of the client's.
  var demandsIDs: Bool {
    get { plain.bytes[1] & 2 != 0 }
    set { setFlag(2, newValue) }
  }

  private mutating func setFlag(_ flag: UInt8, _ isSet: Bool) {
    var bytes = plain.mutableBytes
    bytes[1] = isSet ? bytes[1] | flag : bytes[1] & ~flag
  }

  /// The slot that the next key gets; slots are never given out twice.
  var nextSlot: UInt64 {
    get { plain.bytes.bigEndian(at: 220, bytes: 8) }
    set {
      var bytes = plain.mutableBytes
      bytes.setBigEndian(newValue, at: 220, bytes: 8)
    }
  }

  var keys: TrieRoot { TrieRoot(plain.bytes, at: Self.keysAt) }
  var map: TrieRoot { TrieRoot(plain.bytes, at: Self.mapAt) }
  /// Empty for as long as ``positionSeed`` covers every position.
  var positions: TrieRoot { TrieRoot(plain.bytes, at: Self.positionsAt) }

  var documents: TrieRoot { TrieRoot(plain.bytes, at: Self.documentsAt) }

  mutating func setDocuments(_ root: borrowing TrieRoot) {
    var bytes = plain.mutableBytes
    root.write(to: &bytes, at: Self.documentsAt)
  }

  mutating func setKeys(_ root: borrowing TrieRoot) {
    var bytes = plain.mutableBytes
    root.write(to: &bytes, at: Self.keysAt)
  }

  mutating func setMap(_ root: borrowing TrieRoot) {
    var bytes = plain.mutableBytes
    root.write(to: &bytes, at: Self.mapAt)
  }

  /// The nodes take the place of the seed, which is wiped.
  mutating func setPositions(_ root: borrowing TrieRoot) {
    var bytes = plain.mutableBytes
    root.write(to: &bytes, at: Self.positionsAt)
    for index in 124..<156 { bytes[index] = 0 }
  }

  /// The retention classes, or nil when they cannot be read.
  var classes: [RetentionClass]? { Self.readClasses(plain.bytes) }

  /// Replaces the classes; `.tenantFull` when the node would be too large.
  mutating func setClasses(_ classes: [RetentionClass]) throws(KeyringError) {
    let wanted = classes.reduce(Self.classesAt) { $0 + $1.bytesCount }
    let unit = NodeSealing.unitBytes
    let count = (wanted + unit - 1) / unit * unit
    guard count <= Self.plainBytesMax, classes.count <= 255 else { throw .tenantFull }
    var next = SecretBytes(zeroes: count)
    var bytes = next.mutableBytes
    bytes.set(plain.bytes.extracting(0..<Self.classesAt), at: 0)
    bytes[Self.classCountAt] = UInt8(classes.count)
    var offset = Self.classesAt
    for retentionClass in classes { offset = retentionClass.write(to: &bytes, at: offset) }
    plain = next
  }

  /// The first UTC day, as days since 1970, on which a restricted key of the tenant ends by itself;
  /// 0: none does.
  var lapseDay: UInt16 {
    get { UInt16(plain.bytes.bigEndian(at: Self.lapseDayAt, bytes: 2)) }
    set {
      var bytes = plain.mutableBytes
      bytes.setBigEndian(UInt64(newValue), at: Self.lapseDayAt, bytes: 2)
    }
  }

  private static func readClasses(_ plain: Span<UInt8>) -> [RetentionClass]? {
    var classes: [RetentionClass] = []
    var offset = classesAt
    for _ in 0..<Int(plain[classCountAt]) {
      guard let found = RetentionClass.read(plain, at: &offset) else { return nil }
      classes.append(found)
    }
    return classes
  }
}
