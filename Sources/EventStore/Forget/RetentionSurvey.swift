import EventModel
import Keyring
import Storage

/// How many events a shorter maximum would end earlier, counted from the log itself.
struct RetentionSurvey: Sendable {
  private(set) var eventCount: UInt64 = 0

  /// Counts what would expire between the maximum as it is and as it would be, when it is in force.
  static func survey(
    _ request: RetentionRequest, tenant number: TenantNumber, shared: SharedEngine
  ) throws(StoreError) -> RetentionSurvey {
    var survey = RetentionSurvey()
    let now = shared.clock()
    let (found, feed, end) = try shared.withState { (state) throws(StoreError) in
      let secrets = try state.activeTenant(number).open(state.keyring)
      let found = secrets.keys.classes.first { $0.name == request.className }
      return (found, secrets.feed.term, state.nextSequence)
    }
    guard let found,
      let policy = try? found.policy.changed(
        by: request.change, now: now, isApproved: false), let shorter = policy.shortening
    else { return survey }
    let inForce = shorter.inForceMilliseconds
    let periods =
      found.policy.firstLivePeriod(
        now: inForce)..<max(
        found.policy.firstLivePeriod(now: inForce), policy.firstLivePeriod(now: inForce))
    let unit = policy.unit.milliseconds
    let search = SequenceSearch(shared: shared, tenant: number, feed: feed)
    let first = try search.first(in: 1..<end) {
      $1.storedMilliseconds < Int64(periods.lowerBound) * unit
    }
    let last = try search.first(in: first..<end) {
      $1.storedMilliseconds < Int64(periods.upperBound) * unit
    }
    try HeaderWalk(shared: shared, tenant: number).forEach(feed: feed, sequences: first..<last) {
      routing, _, isLive in
      if isLive, routing.classNumber == found.number, periods.contains(routing.period.index) {
        survey.eventCount += 1
      }
      return true
    }
    return survey
  }
}
