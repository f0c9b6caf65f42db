import EventModel
import Keyring
import Sodium
import Storage

/// The holds of a tenant that are in force, and the keys that they concern.
///
/// A hold beats requests, plans, minima that have ended and expiry.
///
/// ```
/// on a class, a tenant     what it concerns is not destroyed (`.held`), and its days do not expire
/// on a person, a stream    is not shredded itself (`.held`); of events that anything else takes,
///                          the keys are saved before (``HeldFindings``)
/// ```
struct Holds: Sendable {
  /// A hold with the keys that exist of its person or stream.
  struct Entry: Sendable {
    let hold: StoredHold
    let slots: Set<Slot>
    /// True when it has saved so many events that its days stay from now on.
    var isFull = false

    /// True when the hold keeps days instead of saving what is in them.
    var keepsDays: Bool {
      switch hold.scope {
      case .subject, .stream: isFull
      case .retentionClass, .tenant: true
      }
    }

    /// True when the event is under it.
    func covers(_ routing: Routing, _ header: RecordHeader) -> Bool {
      switch hold.scope {
      case .subject: slots.contains { header.subjects.contains($0) }
      case .stream: slots.contains(header.stream)
      case .retentionClass(let found): found == routing.classNumber
      case .tenant: true
      }
    }
  }

  private let tenant: TenantNumber
  private(set) var entries: [Entry] = []

  var isEmpty: Bool { entries.isEmpty }

  /// Looks up what is held of a tenant at `now`; with the engine's lock held.
  init(_ number: TenantNumber, _ state: EngineState, now: Int64) throws(StoreError) {
    tenant = number
    #if DEBUG
      if TestHooks.isVariant("hold-ignored") { return }
    #endif
    guard let tenant = state.tenants[number] else { return }
    for hold in try state.storedHolds(number) where hold.holds(now) {
      entries.append(try Self.entry(hold, number, state))
    }
    guard !entries.isEmpty else { return }
    let held = try tenant.open(state.keyring).held(state.keyring)
    for index in entries.indices {
      let saved = held.count(of: entries[index].hold.number)
      entries[index].isFull = saved >= Limits.heldEventsMax / 2
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
      for tag in tags {
        let former = resolver.tag(former: tag, .formerSubject, keys)
        for slot in [try find(tag), try find(former)] { if let slot { slots.insert(slot) } }
      }
    case .stream(let tag):
      let former = resolver.tag(former: tag, .formerStream, keys)
      for slot in [try find(tag), try find(former)] { if let slot { slots.insert(slot) } }
    case .retentionClass, .tenant: break
    }
    return Entry(hold: hold, slots: slots)
  }

  /// The hold that an event is under, or nil.
  func holding(_ routing: Routing, _ header: RecordHeader) -> HoldID? {
    first { $0.covers(routing, header) }
  }

  /// The hold that does not let an event go, so that saving its key is not enough: one on its class or
  /// the tenant; nil when there is none.
  func forbidding(_ routing: Routing, _ header: RecordHeader) -> HoldID? {
    first { $0.keepsDays && $0.covers(routing, header) }
  }

  /// The hold on the person or the stream of one of these keys, or nil.
  func holding(_ slots: some Sequence<Slot>) -> HoldID? {
    first { entry in slots.contains { entry.slots.contains($0) } }
  }

  /// A hold that forbids what a rotation destroys, or nil.
  ///
  /// The stream of a held event may go with its only person: its events are saved.
  func forbidding(_ part: Removal.Part) -> HoldID? {
    first { entry in
      switch entry.hold.scope {
      case .subject where part.slots.contains { entry.slots.contains($0) }: true
      default: entry.keepsDays && part.periods.contains { entry.keeps($0.classNumber) }
      }
    }
  }

  /// Any hold of the tenant.
  var any: HoldID? { first { _ in true } }

  /// True when the days of a class must stay.
  func suspends(_ number: ClassNumber) -> Bool {
    entries.contains { $0.keepsDays && $0.keeps(number) }
  }

  /// True when a key must stay.
  func keeps(_ slot: Slot) -> Bool { entries.contains { $0.slots.contains(slot) } }

  private func first(_ matches: (Entry) -> Bool) -> HoldID? {
    entries.first(where: matches).map { HoldID(tenant: tenant, number: $0.hold.number) }
  }
}

extension Holds.Entry {
  /// True when the hold may concern the days of a class.
  fileprivate func keeps(_ number: ClassNumber) -> Bool {
    if case .retentionClass(let found) = hold.scope { found == number } else { true }
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

  /// Throws `.held` when a rotation would destroy what no saved key makes good: the last of several
  /// checks, before every one.
  func refuseHeld(_ removal: Removal, now: Int64) throws(StoreError) {
    for tenant in removal.tenants {
      if let id = try Holds(tenant, self, now: now).any { throw .held(id) }
    }
    for (tenant, part) in removal.parts where !part.slots.isEmpty || !part.periods.isEmpty {
      if let id = try Holds(tenant, self, now: now).forbidding(part) { throw .held(id) }
    }
  }
}
