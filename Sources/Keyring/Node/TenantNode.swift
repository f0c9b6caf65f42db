import EventModel
import Sodium

/// A tenant's node: its secrets, its covers and where its two tries begin (Docs/Format.md,
/// section 4.2).
///
/// The plaintext is changed in place.
struct TenantNode: ~Copyable {
  private(set) var plain: SecretBytes

  private static let generationAt = 90
  private static let lineageAt = 92
  private static let dataSecretAt = 94
  private static let positionSeedAt = 126
  private static let mapKeyAt = 158
  private static let impersonalKeyAt = 190
  private static let nextSlotAt = 222
  private static let keysAt = 230
  private static let mapAt = 279
  private static let positionsAt = 328
  private static let documentsAt = 377
  private static let classCountAt = 426
  private static let lapseDayAt = 427
  private static let classesAt = 429
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
    bytes.setBigEndian(1, at: Self.generationAt, bytes: 2)
    bytes.setBigEndian(1, at: Self.lineageAt, bytes: 2)
    // Data secret, position seed, map key and impersonal key, side by side.
    bytes.set(secrets.bytes, at: Self.dataSecretAt)
    // Slot 0 is never given out.
    bytes.setBigEndian(1, at: Self.nextSlotAt, bytes: 8)
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
    plain.bytes[0] == 1 && plain.bytes[1] <= 7 && Int(plain.bytes[26]) <= 63
      && readClasses(plain.bytes) != nil
  }

  var id: TenantID { TenantID(bytes: plain.bytes.extracting(2..<18).array) }
  var name: TenantName? {
    TenantName(plain.bytes.extracting(27..<(27 + Int(plain.bytes[26]))).array)
  }
  var createdMilliseconds: Int64 { Int64(bitPattern: plain.bytes.bigEndian(at: 18, bytes: 8)) }
  /// Counts the sets of keys that events are sealed under, from 1 on.
  var generation: UInt16 { UInt16(plain.bytes.bigEndian(at: Self.generationAt, bytes: 2)) }
  /// Counts the histories of the tenant's positions, from 1 on: a restore may give positions out again.
  var lineage: UInt16 { UInt16(plain.bytes.bigEndian(at: Self.lineageAt, bytes: 2)) }

  var dataSecret: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get { secret(Self.dataSecretAt) }
  }
  var positionSeed: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get { secret(Self.positionSeedAt) }
  }
  var mapKey: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get { secret(Self.mapKeyAt) }
  }
  var impersonalKey: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get { secret(Self.impersonalKeyAt) }
  }

  @_lifetime(borrow self)
  private borrowing func secret(_ offset: Int) -> Span<UInt8> {
    plain.bytes.extracting(offset..<(offset + 32))
  }

  /// Begins the next generation, with fresh secrets for the same periods.
  ///
  /// What the old ones open, ``RetiredKeys`` keeps. `.tenantFull` when there were too many.
  mutating func beginGeneration() throws(KeyringError) {
    let known = generation
    guard known < .max, let classes else { throw .tenantFull }
    // Data secret and position seed, side by side.
    let secrets = SecretBytes.random(count: 64)
    var bytes = plain.mutableBytes
    bytes.setBigEndian(UInt64(known) + 1, at: Self.generationAt, bytes: 2)
    bytes.set(secrets.bytes, at: Self.dataSecretAt)
    TrieRoot().write(to: &bytes, at: Self.positionsAt)
    try setClasses(
      classes.map {
        RetentionClass(
          number: $0.number, name: $0.name, policy: $0.policy, cover: $0.cover.renewed())
      })
  }

  /// Begins the next lineage; `.tenantFull` when there were too many.
  mutating func beginLineage() throws(KeyringError) {
    let known = lineage
    guard known < .max else { throw .tenantFull }
    var bytes = plain.mutableBytes
    bytes.setBigEndian(UInt64(known) + 1, at: Self.lineageAt, bytes: 2)
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

  /// True once single events were shredded, of whichever generation.
  var hasErasedEvents: Bool {
    get { plain.bytes[1] & 4 != 0 }
    set { setFlag(4, newValue) }
  }

  private mutating func setFlag(_ flag: UInt8, _ isSet: Bool) {
    var bytes = plain.mutableBytes
    bytes[1] = isSet ? bytes[1] | flag : bytes[1] & ~flag
  }

  /// The slot that the next key gets; slots are never given out twice.
  var nextSlot: UInt64 {
    get { plain.bytes.bigEndian(at: Self.nextSlotAt, bytes: 8) }
    set {
      var bytes = plain.mutableBytes
      bytes.setBigEndian(newValue, at: Self.nextSlotAt, bytes: 8)
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
    for index in 0..<32 { bytes[Self.positionSeedAt + index] = 0 }
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
