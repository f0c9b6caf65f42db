package import EventModel
import Keyring
import Sodium

extension EventStore {
  /// Calls `body` with the tenant's live events that match, by position, at most `limit`, until it
  /// returns false; that event counts as delivered.
  ///
  /// Blocks; never call it on an event loop. One call looks at a bounded number of events and then
  /// answers a cursor, even when it has found less than `limit` or nothing.
  ///
  /// - Returns: the cursor that goes on behind the last event, empty at the end.
  /// - Throws: `.badCursor` when the cursor was not made here for this tenant and this query.
  package func query(
    _ tenant: TenantNumber, _ filter: EventFilter, isDescending: Bool, limit: Int,
    cursor: [UInt8]?, _ body: (ReadEvent, Span<UInt8>) -> Bool
  ) throws(StoreError) -> [UInt8] {
    let kind: QueryCursor.Kind = isDescending ? .descending : .ascending
    let reached = try self.reached(cursor, kind, tenant, filter)
    var run = QueryRun(
      shared: shared, tenant: tenant, QueryMatch(filter: filter), isDescending: isDescending,
      limit: limit, reached: reached)
    try run.run(body)
    guard let reached = run.reached else { return [] }
    return try makeCursor(kind, reached: reached, tenant, filter)
  }

  /// How many live events match, of those that there were when it was called.
  ///
  /// Looks at all of them that the rarest part of the filter leads to.
  package func count(
    _ tenant: TenantNumber, _ filter: EventFilter
  ) throws(StoreError) -> UInt64 {
    var count: UInt64 = 0
    var run = QueryRun(
      shared: shared, tenant: tenant, QueryMatch(filter: filter), isDescending: false,
      limit: .max, reached: nil, examinedMax: .max, isCounting: true)
    try run.run { _, _ in
      count += 1
      return true
    }
    return count
  }

  /// Calls `body` with the newest event of this id and source (empty: none was given).
  ///
  /// - Throws: `.noEvent` when there is none, or none that is live.
  package func readEvent(
    _ tenant: TenantNumber, id: Span<UInt8>, source: Span<UInt8>,
    _ body: (ReadEvent, Span<UInt8>) -> Void
  ) throws(StoreError) {
    var filter = EventFilter()
    filter.source = source.array
    var run = QueryRun(
      shared: shared, tenant: tenant, QueryMatch(filter: filter, id: id.array),
      isDescending: true, limit: 1, reached: nil, examinedMax: .max)
    try run.run { event, plain in
      body(event, plain)
      return false
    }
    guard run.delivered > 0 else { throw .noEvent }
  }

  /// What a client's cursor has reached, nil at the start.
  func reached(
    _ cursor: [UInt8]?, _ kind: QueryCursor.Kind, _ tenant: TenantNumber, _ filter: EventFilter
  ) throws(StoreError) -> UInt64? {
    try shared.withState { (state) throws(StoreError) in
      let keys = try state.activeTenant(tenant).open(state.keyring).keys
      return try QueryCursor.reached(cursor, kind, keys, filter)
    }
  }

  /// The text of a new cursor.
  func makeCursor(
    _ kind: QueryCursor.Kind, reached: UInt64, _ tenant: TenantNumber, _ filter: EventFilter
  ) throws(StoreError) -> [UInt8] {
    try shared.withState { (state) throws(StoreError) in
      let keys = try state.activeTenant(tenant).open(state.keyring).keys
      return QueryCursor(kind, reached: reached, keys, filter).text
    }
  }
}
