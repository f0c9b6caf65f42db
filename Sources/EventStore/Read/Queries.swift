package import EventModel

/// A stream as a listing shows it.
package struct StreamListing: Hashable, Sendable {
  /// Nil when none of its events can be opened any more, so that nothing tells it.
  package let name: [UInt8]?
  /// The version of its newest event.
  package let version: UInt64
  /// When its newest event was stored: milliseconds since 1970.
  package let lastStoredMilliseconds: Int64

  package init(name: [UInt8]?, version: UInt64, lastStoredMilliseconds: Int64) {
    self.name = name
    self.version = version
    self.lastStoredMilliseconds = lastStoredMilliseconds
  }
}

extension EventStore {
  /// Calls `body` with the tenant's live events that match, by position, at most `limit`, until it
  /// returns false; that event counts as delivered.
  ///
  /// Blocks; never call it on an event loop.
  ///
  /// - Returns: the cursor that goes on behind the last event, empty at the end.
  /// - Throws: `.badCursor` when the cursor was not made here for this tenant and this query.
  package func query(
    _ tenant: TenantNumber, _ filter: EventFilter, isDescending: Bool, limit: Int,
    cursor: [UInt8]?, _ body: (ReadEvent, Span<UInt8>) -> Bool
  ) throws(StoreError) -> [UInt8] { throw .unavailable }

  /// How many live events match.
  package func count(
    _ tenant: TenantNumber, _ filter: EventFilter
  ) throws(StoreError) -> UInt64 { throw .unavailable }

  /// Calls `body` with the tenant's streams, in the order in which they came to be, at most `limit`,
  /// until it returns false; that stream counts as delivered.
  ///
  /// - Returns: the cursor that goes on, empty at the end.
  package func streams(
    _ tenant: TenantNumber, limit: Int, cursor: [UInt8]?, _ body: (StreamListing) -> Bool
  ) throws(StoreError) -> [UInt8] { throw .unavailable }

  /// Calls `body` with the newest event of this id and source (empty: none was given).
  ///
  /// - Throws: `.noEvent` when there is none.
  package func readEvent(
    _ tenant: TenantNumber, id: Span<UInt8>, source: Span<UInt8>,
    _ body: (ReadEvent, Span<UInt8>) -> Void
  ) throws(StoreError) { throw .unavailable }
}
