import EventModel
import Keyring
import Storage

/// What has reached the end of its time: periods of classes, and the buckets of their postings.
struct RetentionDue: Sendable {
  /// The periods of one class that are over.
  struct Periods: Hashable, Sendable {
    let tenant: TenantNumber
    let classNumber: ClassNumber
    let unit: PeriodUnit
    /// The first that can still be derived.
    let first: UInt32
    /// The first that is not due.
    let end: UInt32
    /// What was promised of the class.
    let policy: RetentionPolicy
  }

  /// At what time: milliseconds since 1970.
  let now: Int64
  /// Ascending by tenant and class.
  private(set) var periods: [Periods] = []
  private(set) var buckets: Set<Bucket> = []

  /// Keys that were only kept for a minimum, which has passed.
  private(set) var lapses: [TenantNumber: Removal.Part] = [:]

  /// What leaves the key tree since a release of a hold has come to its end.
  private(set) var endedHolds: [DocumentEdit] = []

  /// Access logs with days that are over, and the first day that is not.
  private(set) var accessLogs: [TenantNumber: UInt32] = [:]

  /// Looks at every class of every tenant, suspended ones too.
  ///
  /// The lock is let go of between some tenants and the next, so that 8,000 of them hold up nobody.
  init(_ shared: SharedEngine, now: Int64) throws(StoreError) {
    self.now = now
    let tenants = shared.withState { $0.keyring.tenants.map(\.number) }
    var oldest = Bucket(containing: now)
    var rest = tenants[...]
    while !rest.isEmpty {
      let some = rest.prefix(Self.tenantsAtOnce)
      rest = rest.dropFirst(Self.tenantsAtOnce)
      let found = try shared.withState { (state) throws(StoreError) in
        try Self.look(some, state, now)
      }
      periods += found.due
      endedHolds += found.endedHolds
      accessLogs.merge(found.accessLogs) { $1 }
      oldest = min(oldest, found.oldest)
    }
    try findBuckets(shared, before: oldest)
    lapses = try shared.lapsedParts(on: UInt16(clamping: now / 86_400_000))
  }

  private static let tenantsAtOnce = 64

  /// The periods that are due and the bucket of the oldest events that are not.
  private static func look(
    _ tenants: ArraySlice<TenantNumber>, _ state: EngineState, _ now: Int64
  ) throws(StoreError) -> (
    due: [Periods], endedHolds: [DocumentEdit], accessLogs: [TenantNumber: UInt32], oldest: Bucket
  ) {
    var due: [Periods] = []
    var endedHolds: [DocumentEdit] = []
    var accessLogs: [TenantNumber: UInt32] = [:]
    var oldest = Bucket(containing: now)
    // Of a tenant that is gone meanwhile nothing is left that could be due.
    for tenant in tenants where state.tenants[tenant] != nil {
      let keys = try StoreError.translating { () throws(KeyringError) in
        try state.keyring.tenantKeys(tenant)
      }
      if let end = try state.accessLogEnd(tenant, now: now) { accessLogs[tenant] = end }
      endedHolds += try state.edits(endingHoldsOf: tenant, now: now)
      let holds = try Holds(tenant, state, now: now)
      for retentionClass in keys.classes {
        // Under a hold of its class or tenant nothing is over, and its postings stay with it.
        let end =
          holds.suspends(retentionClass.number) ? 0 : retentionClass.firstLivePeriod(now: now)
        if retentionClass.cover.liveCount(in: 0..<end) > 0 {
          due.append(
            Periods(
              tenant: tenant, classNumber: retentionClass.number,
              unit: retentionClass.retention.unit, first: retentionClass.cover.firstPeriod ?? 0,
              end: end, policy: retentionClass.policy))
        }
        let left = max(end, retentionClass.cover.firstPeriod ?? end)
        oldest = min(oldest, retentionClass.bucket(of: left))
      }
    }
    return (due, endedHolds, accessLogs, oldest)
  }

  /// A month's postings go when no event of any class is left that could have one in it; a day's when
  /// nobody looks for its ids any more.
  private mutating func findBuckets(
    _ shared: SharedEngine, before oldest: Bucket
  ) throws(StoreError) {
    let today = Bucket(dayContaining: now)
    let firstDay = today.day(before: IDFilter.daysBefore + 1) ?? today
    let known = try shared.withState { (state) throws(StoreError) in
      try StoreError.translating { () throws(KeyringError) in try state.keyring.buckets() }
    }
    buckets = Set(known.filter { $0.isDay ? $0 < firstDay : $0 < oldest })
  }
}

extension RetentionClass {
  /// The first period that is not over at `now`; all before it are.
  func firstLivePeriod(now: Int64) -> UInt32 {
    #if DEBUG
      if TestHooks.isVariant("expiry-early") {
        return policy.firstLivePeriod(now: now + policy.unit.milliseconds)
      }
    #endif
    return policy.firstLivePeriod(now: now)
  }

  /// The bucket in which postings of a period's events lie: that of their end, as it was promised.
  func bucket(of period: UInt32) -> Bucket {
    Bucket(
      containing: policy.retention(of: period).expiryMilliseconds(
        of: Period(unit: policy.unit, index: period)))
  }
}
