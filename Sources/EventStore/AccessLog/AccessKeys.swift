import EventModel
import Keyring
import Sodium

/// The keys of a tenant's access log: a retention class of its own, whose days are forgotten like periods.
///
/// A document of the tenant, made when the first of its events is read out, so that tenants that
/// nobody reads cost nothing. Forgetting a day replaces the document in a rotation.
final class AccessKeys: Sendable {
  static let id = DocumentID(.evidence, 1)

  /// One key for each UTC day.
  let cover: PeriodCover
  /// The first block that can still be opened, or will be the first.
  let firstNumber: UInt64

  private init(_ cover: consuming PeriodCover, firstNumber: UInt64) {
    self.cover = cover
    self.firstNumber = firstNumber
  }

  /// Fresh keys for `today` and all days to come.
  convenience init(today: UInt32) {
    let whole = PeriodCover(unit: .day)
    guard let cover = whole.puncturing(0..<today) else {
      preconditionFailure("a cover without its first days has at most one seed a level")
    }
    self.init(cover, firstNumber: 1)
  }

  /// The keys without those of the days before `day`.
  func forgetting(before day: UInt32, firstNumber: UInt64) -> AccessKeys {
    guard let rest = cover.puncturing(0..<day) else {
      preconditionFailure("days are forgotten in their order")
    }
    return AccessKeys(rest, firstNumber: firstNumber)
  }

  /// Days before `end` whose keys are still there.
  func isDue(before end: UInt32) -> Bool { cover.liveCount(in: 0..<end) > 0 }

  /// What opens the lines of a day; nil when it was forgotten.
  func inner(day: UInt32) -> SealingKey? {
    guard let key = cover.key(for: day) else { return nil }
    return AccessBlock.innerKey(day: key)
  }

  /// `format u8 = 1 | seeds u8 | zero 2 | first number u64 | seeds of 37`.
  var document: Document {
    var plain = SecretBytes(zeroes: Self.headBytes + cover.bytesCount)
    var bytes = plain.mutableBytes
    bytes[0] = 1
    bytes[1] = UInt8(cover.count)
    bytes.setBigEndian(firstNumber, at: 4, bytes: 8)
    cover.write(to: &bytes, at: Self.headBytes)
    return Document(copying: plain.bytes)
  }

  convenience init?(_ document: Document) {
    let found = document.withBytes { bytes -> AccessKeys? in
      guard bytes.count >= Self.headBytes, bytes[0] == 1,
        let cover = PeriodCover(
          unit: .day, count: Int(bytes[1]),
          entries: bytes.extracting(Self.headBytes..<bytes.count))
      else { return nil }
      return AccessKeys(cover, firstNumber: bytes.bigEndian(at: 4, bytes: 8))
    }
    guard let found else { return nil }
    self.init(found.cover.copy(), firstNumber: found.firstNumber)
  }

  private static let headBytes = 12
}

/// What a tenant wants of its evidence; a document of the tenant.
struct EvidenceSettings: Hashable, Sendable {
  static let id = DocumentID(.evidence, 0)

  /// Nothing leaves before the access log has it on the disk, however little it is.
  var isStrict = false
  /// Since when that is so, or not: milliseconds since 1970.
  var strictMilliseconds: Int64 = 0
  /// Days that the access log is kept.
  var accessDays = Limits.accessLogDays
  /// The public key that reports about the tenant are sealed to, 32 bytes; nil: there is none.
  var reportKey: [UInt8]?

  init() {}

  /// `format u8 = 1 | flags u8 (bit 0 strict, 1 has a key) | days u16 | strict since ms u64 | key 32`.
  var document: Document {
    var bytes: [UInt8] = [1, (isStrict ? 1 : 0) | (reportKey == nil ? 0 : 2)]
    bytes.appendBigEndian(UInt64(accessDays), bytes: 2)
    bytes.appendBigEndian(UInt64(bitPattern: strictMilliseconds), bytes: 8)
    bytes += reportKey ?? [UInt8](repeating: 0, count: 32)
    return Document(copying: bytes.span)
  }

  init?(_ document: Document) {
    var reader = PlanReader(document.withBytes { $0.array })
    guard reader.number(1) == 1, let flags = reader.number(1), let days = reader.number(2),
      let since = reader.number(8)
    else { return nil }
    isStrict = flags & 1 != 0
    accessDays = UInt16(days)
    strictMilliseconds = Int64(bitPattern: since)
    guard flags & 2 != 0 else { return }
    guard let key = reader.raw(32) else { return nil }
    reportKey = key
  }
}

extension EngineState {
  /// What a tenant wants of its evidence.
  func evidenceSettings(_ tenant: TenantNumber) throws(StoreError) -> EvidenceSettings {
    let document = try StoreError.translating { () throws(KeyringError) in
      try keyring.document(tenant: tenant, EvidenceSettings.id)
    }
    guard let document else { return EvidenceSettings() }
    guard let settings = EvidenceSettings(document) else { throw .corrupt }
    return settings
  }

  /// The keys of a tenant's access log, or nil when nothing was ever read out.
  func accessKeys(_ tenant: TenantNumber) throws(StoreError) -> AccessKeys? {
    let document = try StoreError.translating { () throws(KeyringError) in
      try keyring.document(tenant: tenant, AccessKeys.id)
    }
    guard let document else { return nil }
    guard let keys = AccessKeys(document) else { throw .corrupt }
    return keys
  }
}
