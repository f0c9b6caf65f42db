import EventModel
import Keyring
import Sodium
import Storage

/// What may be done with a record.
enum PurgeVerdict: Hashable {
  /// It can be opened, or nobody knows that it cannot.
  case keep
  /// A key that its body needs is gone.
  case makeBare(hasSecondBlock: Bool)
  /// The key that its header needs is gone, too.
  case makeTrace
}

/// Decides which records have lost their keys, one by one, by the keyring and nothing else.
///
/// A record that is not understood is kept: only keys that were there and are gone count. Keys never come
/// back, so what was dead once may be remembered; that a key lives is remembered too, and at worst keeps a
/// record until the next run.
struct PurgeJudge {
  private struct SlotID: Hashable {
    let tenant: TenantNumber
    let slot: Slot
  }

  private static let slotsMax = 1 << 16

  private var isAlive: [SlotID: Bool] = [:]

  /// What may be done with a record and whose it is; with the engine's lock held.
  mutating func judge(
    _ record: Span<UInt8>, _ state: EngineState, _ log: LogReader
  ) throws(StoreError) -> (PurgeVerdict, Routing?) {
    guard let routing = state.routing.open(record) else { return (.keep, nil) }
    #if DEBUG
      if TestHooks.isVariant("purge-live") { return (.makeTrace, routing) }
    #endif
    guard let tenant = state.tenants[routing.tenant] else {
      let isGone = state.keyring.hadTenant(routing.tenant)
      return (isGone ? .makeTrace : .keep, routing)
    }
    let secrets = try tenant.open(state.keyring)
    let keys = secrets.keys
    // Its own key was saved: the other keys may be gone.
    guard try secrets.held(state.keyring).place(routing, record) == nil else {
      return (.keep, routing)
    }
    guard (1...keys.generation).contains(routing.generation),
      keys.classes.contains(where: {
        $0.number == routing.classNumber && $0.retention.unit == routing.period.unit
      })
    else { return (.keep, routing) }
    guard let (_, header) = try log.open(record, state: state) else { return (.makeTrace, routing) }
    guard try isDead(header, routing, tenant, state), RecordForm(record) == .whole else {
      return (.keep, routing)
    }
    return (.makeBare(hasSecondBlock: header.subjects.count > 2), routing)
  }

  private mutating func isDead(
    _ header: RecordHeader, _ routing: Routing, _ tenant: TenantState, _ state: EngineState
  ) throws(StoreError) -> Bool {
    for index in 0..<header.subjects.count where try !lives(header.subjects[index], tenant, state) {
      return true
    }
    if try !lives(header.stream, tenant, state) { return true }
    return try !tenant.open(state.keyring).canRead(routing, state.keyring)
  }

  private mutating func lives(
    _ slot: Slot, _ tenant: TenantState, _ state: EngineState
  ) throws(StoreError) -> Bool {
    let id = SlotID(tenant: tenant.number, slot: slot)
    if let known = isAlive[id] { return known }
    if isAlive.count >= Self.slotsMax { isAlive.removeAll(keepingCapacity: true) }
    // A slot that was never given out throws: that is a rollback, not an erasure.
    let lives = try state.entry(tenant, slot) != nil
    isAlive[id] = lives
    return lives
  }
}
