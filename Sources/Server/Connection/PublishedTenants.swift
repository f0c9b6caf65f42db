import EventModel
import Synchronization

/// Tenants with new events that the event loop has not heard of yet.
final class PublishedTenants: Sendable {
  private let tenants = Mutex<Set<TenantNumber>>([])

  /// Returns true when the loop must be told: nobody else is about to.
  func add(_ new: [TenantNumber]) -> Bool {
    tenants.withLock { tenants in
      let wasEmpty = tenants.isEmpty
      tenants.formUnion(new)
      return wasEmpty && !tenants.isEmpty
    }
  }

  func take() -> Set<TenantNumber> {
    tenants.withLock { tenants in
      let taken = tenants
      tenants.removeAll(keepingCapacity: true)
      return taken
    }
  }
}
