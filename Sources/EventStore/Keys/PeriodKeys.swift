import EventModel
import Keyring
import Sodium

/// Which period of which class of which tenant's generation.
struct PeriodID: Hashable {
  let tenant: TenantNumber
  let generation: UInt16
  let classNumber: ClassNumber
  let period: Period
}

extension PeriodID {
  /// That of a record.
  init(_ routing: Routing) {
    self.init(
      tenant: routing.tenant, generation: routing.generation, classNumber: routing.classNumber,
      period: routing.period)
  }
}

/// The keys of one period, opened.
final class PeriodKeys {
  /// P of Docs/Format.md, 32 bytes.
  let key: SecretBytes
  /// What unmasks the headers of its records, 64 bytes.
  let header: SecretBytes

  init(key: consuming SecretBytes, dataSecret: borrowing SecretBytes) {
    header = EventKeys.headerKey(period: key.bytes, dataSecret: dataSecret.bytes)
    self.key = key
  }
}
