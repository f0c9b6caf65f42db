import EventModel
import Keyring
import Sodium
import Storage
import TransparencyLog

/// Everything in memory that the writer, the readers and the index thread share; behind one lock.
///
/// The writer holds the lock for a few hundred events at a time and never while it waits for the
/// device's fsync of a commit; readers hold it while they look up keys, never while they decrypt.
final class EngineState {
  let keyring: Keyring
  let routing: RoutingKeys
  let logState: SecretBytes
  /// Seals the checkpoints that are kept.
  let checkpointKey: SealingKey
  /// Seals what is left of purged records.
  let traces: SealingKey
  var tenants: [TenantNumber: TenantState] = [:]
  var tenantsByName: [TenantName: TenantNumber] = [:]
  var bases: BaseCache
  private var periods: [PeriodID: PeriodKeys] = [:]
  let bucketKeys = BucketKeys()
  /// The sequence that the next record gets.
  var nextSequence: UInt64 = 1
  /// The hash of the newest durable record.
  var lastRecordHash: RecordHash?
  /// Why the store writes no more, or nil.
  var failure: StoreError?

  private static let periodsMax = 8_192
  private static let checkpointsContext = KeyDerivation.Context("LT1.checkpoints")
  static let logStateContext = KeyDerivation.Context("LT1.log.state")

  init(keyring: Keyring) throws(StoreError) {
    self.keyring = keyring
    routing = RoutingKeys(keyring)
    logState = keyring.derive(Self.logStateContext, count: 32)
    checkpointKey = SealingKey(keyring.derive(Self.checkpointsContext, count: 32))
    traces = SealingKey(keyring.derive(TraceGroup.keyContext, count: 32))
    bases = BaseCache(sets: 1 << 13)
    for summary in keyring.tenants { insert(summary) }
    do { try bucketKeys.load(keyring) } catch { throw StoreError(error) }
  }

  func insert(_ summary: TenantSummary) {
    tenants[summary.number] = TenantState(
      number: summary.number, name: summary.name, id: summary.id,
      lineage: summary.lineage,
      createdMilliseconds: summary.createdMilliseconds, isSuspended: summary.isSuspended,
      demandsIDs: summary.demandsIDs)
    tenantsByName[summary.name] = summary.number
  }

  /// The keys of a period of one of the tenant's generations, or nil when the period has expired.
  func periodKeys(
    _ tenant: TenantState, _ id: PeriodID
  ) throws(StoreError) -> PeriodKeys? {
    if let known = periods[id] { return known }
    guard let opened = try openPeriod(try tenant.open(keyring), id) else { return nil }
    if periods.count >= Self.periodsMax { periods.removeAll(keepingCapacity: true) }
    periods[id] = opened
    return opened
  }

  private func openPeriod(
    _ secrets: TenantSecrets, _ id: PeriodID
  ) throws(StoreError) -> PeriodKeys? {
    guard id.generation == secrets.generation else {
      guard let retired = try secrets.retired(id.generation, keyring),
        let key = retired.key(id.classNumber, id.period)
      else { return nil }
      return PeriodKeys(key: key, dataSecret: retired.dataSecret)
    }
    guard let found = secrets.keys.classes.first(where: { $0.number == id.classNumber }),
      found.retention.unit == id.period.unit, let key = found.cover.key(for: id.period.index)
    else { return nil }
    return PeriodKeys(key: key, dataSecret: secrets.keys.dataSecret)
  }

  /// The place of an event base key in ``bases``, derived if need be; nil when one of the keys that
  /// it needs was destroyed.
  ///
  /// Whether what it seals may be shown, ``BaseCache/isHidden(at:)`` tells.
  func base(_ id: BaseID, tenant: TenantState) throws(StoreError) -> Int? {
    switch bases.find(id) {
    case .at(let place): return place
    case .destroyed: return nil
    case .unknown: break
    }
    let periodID = PeriodID(
      tenant: id.tenant, generation: id.generation, classNumber: id.classNumber, period: id.period)
    guard let period = try periodKeys(tenant, periodID),
      let stream = try entry(tenant, id.stream)
    else {
      bases.insertDestroyed(id)
      return nil
    }
    var isHidden = stream.marks.hides
    // Subject keys side by side: at most four of 32 bytes.
    var subjects = SecretBytes(zeroes: Limits.subjectsMax * 32)
    for index in 0..<id.subjects.count {
      guard let subject = try entry(tenant, id.subjects[index]) else {
        bases.insertDestroyed(id)
        return nil
      }
      if subject.marks.hides { isHidden = true }
      var bytes = subjects.mutableBytes
      bytes.set(subject.key.bytes, at: index * 32)
    }
    let secrets = try tenant.open(keyring)
    let retired =
      id.generation == secrets.generation ? nil : try secrets.retired(id.generation, keyring)
    return bases.insert(id, isHidden: isHidden) { base in
      if let retired {
        Self.derive(
          into: &base, period.key, stream.key, subjects, count: id.subjects.count,
          impersonal: secrets.keys.impersonalKey, dataSecret: retired.dataSecret)
      } else {
        Self.derive(
          into: &base, period.key, stream.key, subjects, count: id.subjects.count,
          impersonal: secrets.keys.impersonalKey, dataSecret: secrets.keys.dataSecret)
      }
    }
  }

  private static func derive(
    into base: inout MutableSpan<UInt8>, _ period: borrowing SecretBytes,
    _ stream: borrowing SecretBytes, _ subjects: borrowing SecretBytes, count: Int,
    impersonal: borrowing SecretBytes, dataSecret: borrowing SecretBytes
  ) {
    EventKeys.base(
      into: &base, period: period.bytes, stream: stream.bytes,
      subjects: subjects.bytes.extracting(0..<(count * 32)), impersonal: impersonal.bytes,
      dataSecret: dataSecret.bytes)
  }

  /// The key in a slot, or nil when it was destroyed.
  func key(_ tenant: TenantState, _ slot: Slot) throws(StoreError) -> SecretBytes? {
    guard let entry = try entry(tenant, slot) else { return nil }
    return entry.key.copy()
  }

  /// The same with what else is known of the key.
  func entry(_ tenant: TenantState, _ slot: Slot) throws(StoreError) -> KeyEntry? {
    do { return try keyring.key(tenant.number, slot) } catch { throw StoreError(error) }
  }

  /// A version that a stream has reached, whatever its records still say.
  func versionMin(_ tenant: TenantState, _ slot: Slot) throws(StoreError) -> UInt64 {
    do throws(KeyringError) {
      return try keyring.key(tenant.number, slot)?.versionMin ?? 0
    } catch {
      throw StoreError(error)
    }
  }

  /// Forgets tenants that were shredded.
  func remove(_ numbers: Set<TenantNumber>) {
    // Wiped while they are still known: what works with one may hold it for longer.
    forgetKeys()
    for number in numbers { tenants[number] = nil }
    tenantsByName = tenantsByName.filter { !numbers.contains($0.value) }
  }

  /// Wipes every key and name held in memory; what is needed again is read from the key tree.
  ///
  /// The barrier of a shred: after it, nothing that was destroyed can be derived here any more.
  func forgetKeys() {
    bases.removeAll()
    periods.removeAll()
    for tenant in tenants.values { tenant.close() }
  }
}
