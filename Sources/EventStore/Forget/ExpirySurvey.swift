import EventModel
import Keyring
import Storage

/// What an expiry run would take along, counted from the log itself.
///
/// Of each tenant only the days that are due are read, by halving the feed; one event after the other is
/// asked for its own class and period.
struct ExpirySurvey: Sendable {
  let due: RetentionDue
  /// The root's generation when the survey began.
  let epoch: UInt64
  private(set) var eventCount: UInt64 = 0
  /// Periods of classes that had events.
  private(set) var periodCount: UInt64 = 0
  /// When the first of them was over: milliseconds since 1970; nil when nothing is due.
  private(set) var dueSinceMilliseconds: Int64?
  /// Where the events lie, ascending.
  private(set) var positions: [TenantNumber: [ClosedRange<UInt64>]] = [:]
  /// Between which sequences their records lie.
  private(set) var sequences: [TenantNumber: Range<UInt64>] = [:]
  /// Blocks of access logs that go with their days.
  private(set) var accessBlocks: [TenantNumber: Range<UInt64>] = [:]
  /// What leaves the keyring.
  private(set) var removal = Removal()
  /// What holds keep; these events are in no count.
  private(set) var held: HeldFindings?

  private let shared: SharedEngine

  /// Surveys everything that is due at `now`.
  static func survey(_ shared: SharedEngine, now: Int64) throws(StoreError) -> ExpirySurvey {
    let epoch = shared.withState { $0.keyring.epoch }
    var survey = ExpirySurvey(
      due: try RetentionDue(shared, now: now), epoch: epoch, shared: shared)
    survey.removal.buckets = survey.due.buckets
    survey.removal.parts = survey.due.lapses
    survey.removal.documents = survey.due.endedHolds
    var rest = survey.due.periods[...]
    while let tenant = rest.first?.tenant {
      let own = rest.prefix { $0.tenant == tenant }
      rest = rest.dropFirst(own.count)
      try survey.count(own, of: tenant)
    }
    for (tenant, day) in survey.due.accessLogs.sorted(by: { $0.key < $1.key }) {
      guard let ending = try shared.accessLog.ending(tenant, before: day, shared) else { continue }
      survey.accessBlocks[tenant] = ending.blocks
      survey.removal.documents.append(ending.edit)
    }
    let held = try HeldFindings.find(survey.removal, shared)
    survey.eventCount -= survey.overdue(held)
    survey.held = held
    return survey
  }

  private init(due: RetentionDue, epoch: UInt64, shared: SharedEngine) {
    (self.due, self.epoch, self.shared) = (due, epoch, shared)
  }

  /// True when what is due is still exactly that; on the writer's thread, with nothing being committed.
  ///
  /// No event can have come into a period that is over: stored times never fall.
  func isStillTrue() throws(StoreError) -> Bool {
    guard shared.withState({ $0.keyring.epoch }) == epoch else { return false }
    let again = try RetentionDue(shared, now: due.now)
    return again.periods == due.periods && again.buckets == due.buckets
      && again.accessLogs == due.accessLogs
      && again.endedHolds.map(\.id) == due.endedHolds.map(\.id)
  }

  /// How many of these events are over themselves; others only lose a key of somebody else's.
  private func overdue(_ held: HeldFindings) -> UInt64 {
    held.events.reduce(into: 0) { sum, found in
      let positions = positions[found.key] ?? []
      sum += UInt64(
        found.value.count { event in positions.contains { $0.contains(event.position) } })
    }
  }

  var isEmpty: Bool {
    removal.parts.isEmpty && removal.buckets.isEmpty && removal.documents.isEmpty
  }

  var tenantCount: UInt64 { UInt64(positions.count) }

  /// Counts one tenant's events.
  private mutating func count(
    _ own: ArraySlice<RetentionDue.Periods>, of tenant: TenantNumber
  ) throws(StoreError) {
    let found = try shared.withState {
      (state) throws(StoreError) -> (feed: TermKey, last: UInt64, position: UInt64)? in
      guard let tenant = state.tenants[tenant] else { return nil }
      return (
        try tenant.open(state.keyring).feed.term, state.nextSequence - 1,
        tenant.committed.position
      )
    }
    guard let found, found.position > 0 else { return }
    let range = try sequences(of: own, tenant, found.feed, last: found.last)
    var ranges: [ClosedRange<UInt64>] = []
    var periods: Set<ClassPeriod> = []
    var newest: [Slot: UInt64] = [:]
    try HeaderWalk(shared: shared, tenant: tenant, testsLife: false).forEach(
      feed: found.feed, sequences: range
    ) { routing, header, _ in
      let index = routing.period.index
      guard
        let over = own.first(where: {
          $0.classNumber == routing.classNumber && $0.unit == routing.period.unit
        }), index < over.end
      else { return true }
      eventCount += 1
      periods.insert(ClassPeriod(classNumber: over.classNumber, index: index))
      ranges.add(routing.position)
      newest[header.stream] = max(newest[header.stream] ?? 0, header.version)
      return true
    }
    guard !ranges.isEmpty else { return }
    periodCount += UInt64(periods.count)
    positions[tenant] = ranges
    sequences[tenant] = range
    var part = removal.parts[tenant] ?? Removal.Part()
    part.versions = try StreamVersions(shared: shared, tenant: tenant).endingWith(newest)
    for over in own {
      let first = periods.filter { $0.classNumber == over.classNumber }.map(\.index).min()
      guard let first else { continue }
      // Days without an event have nothing to lose: a class that is idle is not written.
      part.periods.append(Removal.Periods(classNumber: over.classNumber, range: 0..<over.end))
      let since = over.policy.expiryMilliseconds(of: first, now: due.now)
      dueSinceMilliseconds = min(dueSinceMilliseconds ?? since, since)
    }
    removal.parts[tenant] = part
  }

  private struct ClassPeriod: Hashable {
    let classNumber: ClassNumber
    let index: UInt32
  }

  /// Where the tenant's records of the days in question lie.
  private func sequences(
    of own: ArraySlice<RetentionDue.Periods>, _ tenant: TenantNumber, _ feed: TermKey, last: UInt64
  ) throws(StoreError) -> Range<UInt64> {
    let starts = own.map { Period(unit: $0.unit, index: $0.first).startMilliseconds }
    let ends = own.map { Period(unit: $0.unit, index: $0.end).startMilliseconds }
    let search = SequenceSearch(shared: shared, tenant: tenant, feed: feed)
    let first = try search.first(in: 1..<(last + 1)) { [start = starts.min() ?? 0] in
      $1.storedMilliseconds < start
    }
    let end = try search.first(in: first..<(last + 1)) { [end = ends.max() ?? 0] in
      $1.storedMilliseconds < end
    }
    return first..<end
  }
}

/// Which streams end with records that are about to become unreadable.
struct StreamVersions: Sendable {
  let shared: SharedEngine
  let tenant: TenantNumber

  /// Those of `versions` that have no newer event: nothing else will tell how far they had come.
  func endingWith(_ versions: [Slot: UInt64]) throws(StoreError) -> [Slot: UInt64] {
    var found: [Slot: UInt64] = [:]
    for (slot, version) in versions {
      let newest = try shared.withState { (state) throws(StoreError) -> UInt64? in
        guard let tenant = state.tenants[tenant] else { return nil }
        guard let key = try state.key(tenant, slot) else { return nil }
        return try shared.log.newestVersion(
          of: slot, TermKey(TermKey.stream, from: key), tenant: tenant, state: state,
          index: shared.index)
      }
      if let newest, newest <= version { found[slot] = version }
    }
    return found
  }
}
