import EventModel
import Keyring

/// A certificate as the keyring keeps it (Docs/Format.md, section 4.6).
struct CertificateRecord: Equatable {
  /// False while its text is only what was known when the keys were destroyed.
  var isFinished = false
  var act: LedgerEntry.Act
  /// Only of a finished one.
  var level = ErasureLevel.none
  /// Events that were tried before the act, and how many of them opened.
  var sampled: UInt8 = 0
  var openedBefore: UInt8 = 0
  /// 0 when it concerns several.
  var tenant: TenantNumber
  /// When the keys were destroyed.
  var timeMilliseconds: Int64
  var epoch: UInt64 = 0
  var eventCount: UInt64
  var keyCount: UInt64 = 0
  /// Begun: ``CertificateSections``; finished: the canonical JSON that is signed.
  var text: [UInt8]
  /// 64 bytes, or zeroes.
  var signature = [UInt8](repeating: 0, count: 64)

  private static let headBytes = 120

  /// The stored form, padded so that its length tells little.
  var bytes: [UInt8] {
    var bytes: [UInt8] = [
      1, isFinished ? 1 : 0, act.rawValue, level.rawValue, sampled, openedBefore, 0, 0,
    ]
    bytes.appendBigEndian(UInt64(tenant.rawValue), bytes: 4)
    bytes.appendBigEndian(UInt64(bitPattern: timeMilliseconds), bytes: 8)
    bytes.appendBigEndian(epoch, bytes: 8)
    bytes.appendBigEndian(eventCount, bytes: 8)
    bytes.appendBigEndian(keyCount, bytes: 8)
    bytes += signature
    bytes.append(contentsOf: repeatElement(0, count: Self.headBytes - 4 - bytes.count))
    bytes.appendBigEndian(UInt64(text.count), bytes: 4)
    bytes += text
    let padded = Padme.paddedBytes(bytes.count)
    bytes.append(contentsOf: repeatElement(0, count: padded - bytes.count))
    return bytes
  }

  init(
    act: LedgerEntry.Act, tenant: TenantNumber, timeMilliseconds: Int64, eventCount: UInt64,
    text: [UInt8]
  ) {
    self.act = act
    self.tenant = tenant
    self.timeMilliseconds = timeMilliseconds
    self.eventCount = eventCount
    self.text = text
  }

  /// Nil when these are not the bytes of a certificate.
  init?(_ bytes: [UInt8]) {
    let span = bytes.span
    guard bytes.count >= Self.headBytes, bytes[0] == 1, bytes[1] <= 1,
      let act = LedgerEntry.Act(rawValue: bytes[2]), let level = ErasureLevel(rawValue: bytes[3])
    else { return nil }
    let count = Int(span.bigEndian(at: Self.headBytes - 4, bytes: 4))
    guard count <= bytes.count - Self.headBytes else { return nil }
    self.init(
      act: act, tenant: TenantNumber(rawValue: UInt32(span.bigEndian(at: 8, bytes: 4))),
      timeMilliseconds: Int64(bitPattern: span.bigEndian(at: 12, bytes: 8)),
      eventCount: span.bigEndian(at: 28, bytes: 8),
      text: Array(bytes[Self.headBytes..<(Self.headBytes + count)]))
    (isFinished, self.level) = (bytes[1] == 1, level)
    (sampled, openedBefore) = (bytes[4], bytes[5])
    epoch = span.bigEndian(at: 20, bytes: 8)
    keyCount = span.bigEndian(at: 36, bytes: 8)
    signature = Array(bytes[44..<108])
  }
}

/// Members of a certificate that are known when the keys are destroyed, each as canonical JSON.
struct CertificateSections: Equatable {
  private(set) var members: [String: [UInt8]] = [:]

  init() {}

  subscript(name: String) -> CanonicalJSON {
    get { members[name].map { .encoded($0) } ?? .null }
    set { members[name] = newValue.bytes }
  }

  /// `name length u8 | name | length u32 | text` each.
  var bytes: [UInt8] {
    members.sorted { $0.key < $1.key }.reduce(into: []) { bytes, member in
      bytes.append(UInt8(member.key.utf8.count))
      bytes += member.key.utf8
      bytes.appendBigEndian(UInt64(member.value.count), bytes: 4)
      bytes += member.value
    }
  }

  /// Nil when these are not the bytes of sections.
  init?(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while let count = rest.first.map(Int.init) {
      rest = rest.dropFirst()
      guard rest.count >= count + 4 else { return nil }
      let name = String(decoding: rest.prefix(count), as: UTF8.self)
      rest = rest.dropFirst(count)
      let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      rest = rest.dropFirst(4)
      guard rest.count >= length else { return nil }
      members[name] = Array(rest.prefix(length))
      rest = rest.dropFirst(length)
    }
  }
}
