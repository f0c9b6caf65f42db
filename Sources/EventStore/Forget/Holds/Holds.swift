import EventModel
import Keyring
import Sodium
import Storage

/// The holds of a tenant that are in force, and the keys that they concern.
///
/// A hold beats requests, plans, minima that have ended and expiry: what it concerns is not destroyed
/// (`.held`), and while it is in force the classes in which it concerns events do not expire.
struct Holds: Sendable {
  /// A hold with the keys that exist of its person or stream.
  private struct Entry: Sendable {
    let hold: StoredHold
    let slots: Set<Slot>
    /// Classes whose days must stay; nil: all.
    let classes: Set<ClassNumber>?
  }

  private let tenant: TenantNumber
  private var entries: [Entry] = []

  var isEmpty: Bool { entries.isEmpty }

  /// Looks up what is held of a tenant at `now`; with the engine's lock held.
  init(_ number: TenantNumber, _ state: EngineState, now: Int64) throws(StoreError) {
    tenant = number
    #if DEBUG
      if TestHooks.isVariant("hold-ignored") { return }
    #endif
    guard state.tenants[number] != nil else { return }
    for hold in try state.storedHolds(number) where hold.holds(now) {
      entries.append(try Self.entry(hold, number, state))
    }
  }

  private static func entry(
    _ hold: StoredHold, _ number: TenantNumber, _ state: EngineState
  ) throws(StoreError) -> Entry {
    guard let tenant = state.tenants[number] else { throw .noTenant }
    let keys = try tenant.open(state.keyring).keys
    var resolver = NameResolver()
    func find(_ tag: Tag128) throws(StoreError) -> Slot? {
      do throws(KeyringError) { return try state.keyring.entry(number, tag: tag)?.slot } catch {
        throw StoreError(error)
      }
    }
    var slots: Set<Slot> = []
    switch hold.scope {
    case .subject(let tags):
      var classes: Set<ClassNumber> = []
      for (index, tag) in tags.enumerated() {
        let former = resolver.tag(former: tag, .formerSubject, keys)
        for slot in [try find(tag), try find(former)] {
          guard let slot else { continue }
          slots.insert(slot)
          classes.insert(ClassNumber(rawValue: UInt8(index)))
        }
      }
      return Entry(hold: hold, slots: slots, classes: classes)
    case .stream(let tag):
      let former = resolver.tag(former: tag, .formerStream, keys)
      for slot in [try find(tag), try find(former)] { if let slot { slots.insert(slot) } }
      return Entry(hold: hold, slots: slots, classes: nil)
    case .retentionClass(let found): return Entry(hold: hold, slots: [], classes: [found])
    case .tenant: return Entry(hold: hold, slots: [], classes: nil)
    }
  }

  /// The hold that an event is under, or nil.
  func holding(_ routing: Routing, _ header: RecordHeader) -> HoldID? {
    first { entry in
      switch entry.hold.scope {
      case .subject: entry.slots.contains { header.subjects.contains($0) }
      case .stream: entry.slots.contains(header.stream)
      case .retentionClass(let found): found == routing.classNumber
      case .tenant: true
      }
    }
  }

  /// A hold under which something would be that a rotation destroys, or nil.
  func holding(_ part: Removal.Part) -> HoldID? {
    first { entry in
      part.slots.contains { entry.slots.contains($0) }
        || part.periods.contains { entry.classes?.contains($0.classNumber) ?? true }
    }
  }

  /// Any hold of the tenant.
  var any: HoldID? { first { _ in true } }

  /// True when the days of a class must stay.
  func suspends(_ number: ClassNumber) -> Bool {
    entries.contains { $0.classes?.contains(number) ?? true }
  }

  /// True when a key must stay.
  func keeps(_ slot: Slot) -> Bool { entries.contains { $0.slots.contains(slot) } }

  private func first(_ matches: (Entry) -> Bool) -> HoldID? {
    entries.first(where: matches).map { HoldID(tenant: tenant, number: $0.hold.number) }
  }
}

extension HeaderWalk {
  /// What is held of the tenant now.
  func holds() throws(StoreError) -> Holds {
    let now = shared.clock()
    return try shared.withState { (state) throws(StoreError) in
      try Holds(tenant, state, now: now)
    }
  }
}

extension EngineState {
  /// The tenant's holds, also those that have ended.
  func storedHolds(_ tenant: TenantNumber) throws(StoreError) -> [StoredHold] {
    let keyring = keyring
    return try StoreError.translating { () throws(KeyringError) in
      var found: [StoredHold] = []
      for id in try keyring.documents(tenant: tenant, kind: .hold) {
        guard let document = try keyring.document(tenant: tenant, id),
          let hold = StoredHold(number: id.number, document)
        else { throw .corrupt }
        found.append(hold)
      }
      return found
    }
  }

  /// Throws `.held` when a rotation would destroy what is held: the last of several checks, before
  /// every one.
  func refuseHeld(_ removal: Removal, now: Int64) throws(StoreError) {
    for tenant in removal.tenants {
      if let id = try Holds(tenant, self, now: now).any { throw .held(id) }
    }
    for (tenant, part) in removal.parts where !part.slots.isEmpty || !part.periods.isEmpty {
      if let id = try Holds(tenant, self, now: now).holding(part) { throw .held(id) }
    }
  }
}
