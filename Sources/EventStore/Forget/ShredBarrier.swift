package import EventModel
import Storage
import Synchronization

extension EventStore {
  /// `handler` runs on the writer's thread when keys of tenants were destroyed, before the act
  /// is answered.
  ///
  /// From then on the engine reads nothing of what was destroyed; but answers that were read before
  /// may still be on their way to a client. Whoever sends them must see to it that they are not sent
  /// after the act's answer.
  package func setBarrierHandler(_ handler: @escaping @Sendable ([TenantNumber]) -> Void) {
    shared.barrierHandler.withLock { $0 = TenantsHandler(handler) }
  }
}

extension SharedEngine {
  /// Tells whoever sends answers that keys of the tenant are gone.
  func raiseBarrier(for tenant: TenantNumber) {
    #if DEBUG
      if TestHooks.isVariant("barrier-off") { return }
    #endif
    barrierHandler.withLock { $0 }?.call([tenant])
  }
}
