package import EventModel
import Synchronization

/// Positions that one act of forgetting has erased.
package struct Erasure: Hashable, Sendable {
  /// Per tenant, rising from 1, dense but for restores; a large act is told in several.
  package let number: UInt64
  /// When it was done: milliseconds since 1970.
  package let timeMilliseconds: Int64
  /// The act's entry in the ledger.
  package let ledgerIndex: UInt64
  /// Ascending, not touching one another.
  package let positions: [ClosedRange<UInt64>]

  package init(
    number: UInt64, timeMilliseconds: Int64, ledgerIndex: UInt64,
    positions: [ClosedRange<UInt64>]
  ) {
    self.number = number
    self.ledgerIndex = ledgerIndex
    self.timeMilliseconds = timeMilliseconds
    self.positions = positions
  }
}

extension EventStore {
  /// The tenant's erasures behind the one numbered `after`, at most `limit`, oldest first.
  ///
  /// Positions are empty when the day of the erasure has expired in the tenant's class `default`.
  /// An answer may end before `limit`, never empty while there are more. Blocks; never call it on
  /// an event loop.
  package func erasures(
    _ tenant: TenantNumber, after: UInt64, limit: Int
  ) throws(StoreError) -> [Erasure] {
    try shared.erasures.read(tenant, after: after, limit: limit, shared: shared)
  }

  /// The number of the tenant's newest erasure; 0 when there is none.
  package func lastErasure(_ tenant: TenantNumber) throws(StoreError) -> UInt64 {
    try shared.erasures.newest(tenant, shared)
  }

  /// `handler` runs on the writer's thread after an erasure with the tenants that have new ones.
  package func setErasureHandler(_ handler: @escaping @Sendable ([TenantNumber]) -> Void) {
    shared.erasureHandler.withLock { $0 = TenantsHandler(handler) }
  }
}
