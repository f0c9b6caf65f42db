import EventModel
import EventStore

/// What commands need to know of the world outside their connection.
///
/// Values and questions, so that commands can be tested without sockets and without a store. One
/// for all connections, confined to the event loop.
final class Surroundings {
  /// The daemon's version, `x.y.z`.
  let version: String
  var policy: AccessPolicy
  /// The store's tenant when it has exactly one.
  let onlyTenant: () -> TenantName?
  /// The number of a tenant, or nil when there is none of this name.
  let tenantNumber: (TenantName) -> TenantNumber?
  /// The newest position of a tenant.
  let lastPosition: (TenantNumber) throws(StoreError) -> UInt64
  /// Microseconds since 1970.
  let nowMicroseconds: () -> Int64
  let connectionCount: () -> Int
  /// Bytes that wait for the writer.
  let queuedBytes: () -> Int
  /// How the store is doing; nil where there is none, in tests.
  let health: () -> StoreHealth?
  let counters = ServerCounters()
  let processID: Int32
  let startMicroseconds: Int64

  init(
    version: String, policy: AccessPolicy,
    tenantNumber: @escaping (TenantName) -> TenantNumber?,
    onlyTenant: @escaping () -> TenantName? = { nil },
    lastPosition: @escaping (TenantNumber) throws(StoreError) -> UInt64 = { _ in 0 },
    nowMicroseconds: @escaping () -> Int64, connectionCount: @escaping () -> Int = { 1 },
    queuedBytes: @escaping () -> Int = { 0 }, health: @escaping () -> StoreHealth? = { nil },
    processID: Int32 = 0
  ) {
    self.version = version
    self.policy = policy
    self.tenantNumber = tenantNumber
    self.onlyTenant = onlyTenant
    self.lastPosition = lastPosition
    self.nowMicroseconds = nowMicroseconds
    self.connectionCount = connectionCount
    self.queuedBytes = queuedBytes
    self.health = health
    self.processID = processID
    startMicroseconds = nowMicroseconds()
  }
}
