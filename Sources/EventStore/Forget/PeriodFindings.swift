import EventModel
import Keyring
import Storage

extension ShredFindings {
  /// Finds the events of a class and a day, and the streams whose newest events die with it.
  mutating func findPeriod(_ className: [UInt8], day: UInt32) throws(StoreError) {
    guard now >= Self.end(ofDay: day) else { throw .periodNotOver }
    let (found, feed) = try retentionClass(className)
    let range = Self.periods(ofDay: day, found.retention.unit)
    keyCount = UInt64(found.cover.liveCount(in: range))
    guard keyCount > 0 else { throw .noPeriod }
    if found.policy.mode == .compliance,
      found.policy.minimumEndMilliseconds(of: range.upperBound - 1) > now
    {
      throw .minimumPending
    }
    part.periods = [Removal.Periods(classNumber: found.number, range: range)]
    let search = SequenceSearch(shared: walk.shared, tenant: walk.tenant, feed: feed)
    let start = Self.end(ofDay: day) - Self.dayMilliseconds
    let first = try search.first(in: 1..<(before.sequence + 1)) { $1.storedMilliseconds < start }
    let end = try search.first(in: first..<(before.sequence + 1)) {
      $1.storedMilliseconds < Self.end(ofDay: day)
    }
    var events: [(position: UInt64, persons: Int, isLive: Bool)] = []
    var newest: [Slot: UInt64] = [:]
    try walk.forEach(feed: feed, sequences: first..<end) { routing, header, isLive in
      guard routing.classNumber == found.number, range.contains(routing.period.index) else {
        return true
      }
      events.append((routing.position, header.subjects.count, isLive))
      if isLive, forbidding == nil { forbidding = holds.forbidding(routing, header) }
      newest[header.stream] = max(newest[header.stream] ?? 0, header.version)
      return true
    }
    guard !events.isEmpty else { throw .noPeriod }
    for event in events { count(event.position, names: event.persons, isLive: event.isLive) }
    try noteVersions(newest)
  }

  private func retentionClass(
    _ name: [UInt8]
  ) throws(StoreError) -> (RetentionClass, feed: TermKey) {
    let number = walk.tenant
    return try walk.shared.withState { (state) throws(StoreError) in
      let secrets = try state.activeTenant(number).open(state.keyring)
      guard let found = secrets.retentionClass(named: name.span) else { throw .unknownClass }
      return (found, secrets.feed.term)
    }
  }

  private static func periods(ofDay day: UInt32, _ unit: PeriodUnit) -> Range<UInt32> {
    switch unit {
    case .day: day..<(day + 1)
    case .hour: (day * 24)..<(day * 24 + 24)
    }
  }

  /// Keeps the versions of streams that have no newer event: nothing else will tell them.
  private mutating func noteVersions(_ versions: [Slot: UInt64]) throws(StoreError) {
    #if DEBUG
      if TestHooks.isVariant("version-forgotten") { return }
    #endif
    part.versions = try StreamVersions(shared: walk.shared, tenant: walk.tenant).endingWith(
      versions)
  }
}
