import EventModel
import Keyring
import Storage

/// Tells gaps that expiry has left in a feed from gaps that must not be.
///
/// Positions are dense, and times never fall along them. So a position may be missing only where a
/// period that was destroyed could have been: before a moment that the tenant's covers tell. Behind it every
/// one must be there; a silent omission is damage.
struct FeedGaps {
  let shared: SharedEngine
  let tenant: TenantNumber
  let feed: TermKey

  /// Throws `.corrupt` when a position of `page` has no posting and cannot have expired.
  func check(
    _ postings: [Posting], of page: PagedRead.Page, isDescending: Bool
  ) throws(StoreError) {
    let ordinals = postings.map(\.ordinal).sorted()
    // Of a page that is full nothing is known beyond its postings.
    let isFull = postings.count >= page.limit
    let end = isFull && !isDescending ? ordinals.last ?? 0 : page.range.upperBound
    var next = isFull && isDescending ? ordinals.first ?? 1 : page.range.lowerBound
    var gap: UInt64?
    for ordinal in ordinals {
      if ordinal > next { gap = next }
      next = ordinal + 1
    }
    if next <= end { gap = next }
    guard let gap else { return }
    guard try mayBeMissing(gap) else { throw .corrupt }
  }

  /// True when a period that was destroyed ended after the event before this position was stored.
  ///
  /// The last gap of a page decides for all before it.
  private func mayBeMissing(_ position: UInt64) throws(StoreError) -> Bool {
    let dead = try deadEnd()
    guard dead > 0, position > 1 else { return dead > 0 }
    let before = try feed.postings(
      in: shared.index, ordinals: 1...(position - 1), isDescending: true, limit: 1)
    guard let before = before.first else { return true }
    var bytes: [UInt8] = []
    var places: [ByteRange] = []
    try shared.log.copyRecords([before.sequence], into: &bytes, &places)
    guard let place = places.first, !place.isEmpty else { throw .corrupt }
    // The event before is itself of a period that is gone.
    if RecordForm(bytes.span.extracting(place.range)) == .trace { return true }
    let routing = shared.withState { $0.routing.open(bytes.span.extracting(place.range)) }
    guard let routing else { throw .corrupt }
    return routing.period.startMilliseconds < dead
  }

  /// When the last period ends that was destroyed, of any class; 0 when none was.
  private func deadEnd() throws(StoreError) -> Int64 {
    try shared.withState { (state) throws(StoreError) in
      guard let tenant = state.tenants[tenant] else { throw .noTenant }
      return try tenant.open(state.keyring).keys.classes.map {
        Int64($0.cover.solidFrom) * $0.retention.unit.milliseconds
      }.max() ?? 0
    }
  }
}
