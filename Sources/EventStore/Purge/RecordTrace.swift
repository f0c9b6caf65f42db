import EventModel
import TransparencyLog

/// What is left of a record whose period or tenant is gone: enough for the tenant's log, and to know
/// that nothing is missing.
struct RecordTrace: Hashable, Sendable {
  let tenant: TenantNumber
  let position: UInt64
  let generation: UInt16
  let classNumber: ClassNumber
  let period: Period
  let hash: RecordHash

  static let bytes = 47
  static let hashAt = 15
  /// In the period's 24 bits, of which an hour since 1970 needs 20: it is an hour.
  private static let hourBit: UInt64 = 1 << 23

  /// The trace of a record with these routing fields.
  init(_ routing: Routing, _ hash: RecordHash) {
    tenant = routing.tenant
    position = routing.position
    generation = routing.generation
    classNumber = routing.classNumber
    period = routing.period
    self.hash = hash
  }

  /// Reads what ``encoded`` wrote; nil when it is a record in another form.
  init?(_ bytes: Span<UInt8>) {
    guard bytes.count == Self.bytes else { return nil }
    tenant = TenantNumber(rawValue: UInt32(bytes.bigEndian(at: 0, bytes: 4)))
    position = bytes.bigEndian(at: 4, bytes: 6)
    generation = UInt16(bytes[10]) + 1
    classNumber = ClassNumber(rawValue: bytes[11])
    let number = bytes.bigEndian(at: 12, bytes: 3)
    period = Period(
      unit: number & Self.hourBit == 0 ? .day : .hour, index: UInt32(number & ~Self.hourBit))
    hash = RecordHash(Hash256(bytes, at: Self.hashAt))
  }

  /// What the record's routing fields said.
  var routing: Routing {
    Routing(
      tenant: tenant, position: position, generation: generation, classNumber: classNumber,
      period: period)
  }

  /// The period, whose key is gone.
  var periodID: PeriodID {
    PeriodID(tenant: tenant, generation: generation, classNumber: classNumber, period: period)
  }

  var encoded: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendBigEndian(UInt64(tenant.rawValue), bytes: 4)
    bytes.appendBigEndian(position, bytes: 6)
    bytes.append(UInt8(truncatingIfNeeded: generation &- 1))
    bytes.append(classNumber.rawValue)
    let hour = period.unit == .hour ? Self.hourBit : 0
    bytes.appendBigEndian(UInt64(period.index) | hour, bytes: 3)
    bytes += hash.hash.bytes
    return bytes
  }
}
