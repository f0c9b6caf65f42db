import EventModel
import Keyring
import Sodium
import Storage

/// Events under holds on persons and streams whose keys a rotation would take, so that their own keys
/// must be saved in it.
///
/// Found from the holds, not from the act: whatever destroys goes through the same eye of a needle
/// (``ControlPlane/rotate(_:entry:_:saving:)``).
struct HeldFindings: Sendable {
  /// One of the events.
  struct Event: Hashable, Sendable {
    let sequence: UInt64
    let position: UInt64
    /// True when it names somebody, and when it names several.
    let isPersonal: Bool
    let isShared: Bool
    /// The holds that it is under.
    var holds: [UInt32]
  }

  /// Ascending by sequence.
  private(set) var events: [TenantNumber: [Event]] = [:]
  /// The holds that were in force.
  private var holds: [TenantNumber: Set<StoredHold>] = [:]
  private let epoch: UInt64

  /// Walks the events under every hold of the tenants that something is destroyed of.
  ///
  /// Throws `.held` when a hold would have to save more than ``Limits/heldEventsMax``.
  static func find(_ removal: Removal, _ shared: SharedEngine) throws(StoreError) -> HeldFindings {
    var findings = HeldFindings(epoch: shared.withState { $0.keyring.epoch })
    for (tenant, part) in removal.parts where part.takesEventKeys {
      let walk = HeaderWalk(shared: shared, tenant: tenant, testsLife: false)
      let holds = try walk.holds()
      guard !holds.isEmpty else { continue }
      findings.holds[tenant] = holds.stored
      var found: [UInt64: Event] = [:]
      for entry in holds.entries { try Self.collect(entry, walk, Victims(part), &found) }
      guard !found.isEmpty else { continue }
      findings.events[tenant] = try Self.living(found, shared, tenant)
      for entry in holds.entries {
        let count = findings.events[tenant, default: []].count {
          $0.holds.contains(entry.hold.number)
        }
        guard count <= Limits.heldEventsMax else {
          throw .held(HoldID(tenant: tenant, number: entry.hold.number))
        }
      }
    }
    return findings
  }

  private init(epoch: UInt64) { self.epoch = epoch }

  /// True when nothing was destroyed and no hold set or released since; what was appended since, the
  /// act's own survey asks for.
  func isStillTrue(_ removal: Removal, _ shared: SharedEngine) throws(StoreError) -> Bool {
    guard shared.withState({ $0.keyring.epoch }) == epoch else { return false }
    for (tenant, part) in removal.parts where part.takesEventKeys {
      let now = try HeaderWalk(shared: shared, tenant: tenant).holds().stored
      guard now == holds[tenant] ?? [] else { return false }
    }
    return true
  }

  /// How many there are.
  var count: UInt64 { UInt64(events.values.reduce(0) { $0 + $1.count }) }

  /// Where those of a tenant stand.
  func positions(_ tenant: TenantNumber) -> Set<UInt64> {
    Set(events[tenant, default: []].map(\.position))
  }

  /// What a rotation takes, to be asked for each event.
  private struct Victims {
    let slots: Set<Slot>
    let positions: [UInt16: Set<UInt64>]
    let periods: [Removal.Periods]

    init(_ part: Removal.Part) {
      slots = Set(part.slots)
      positions = part.positions.mapValues { Set($0) }
      periods = part.periods
    }

    func contains(_ routing: Routing, _ header: RecordHeader) -> Bool {
      slots.contains(header.stream)
        || (0..<header.subjects.count).contains { slots.contains(header.subjects[$0]) }
        || positions[routing.generation]?.contains(routing.position) ?? false
        || periods.contains {
          $0.classNumber == routing.classNumber && $0.range.contains(routing.period.index)
        }
    }
  }

  private static func collect(
    _ entry: Holds.Entry, _ walk: HeaderWalk, _ victims: Victims, _ found: inout [UInt64: Event]
  ) throws(StoreError) {
    let isStream: Bool
    switch entry.hold.scope {
    case .subject: isStream = false
    case .stream: isStream = true
    // What these hold is not destroyed at all.
    case .retentionClass, .tenant: return
    }
    for slot in entry.slots {
      guard let term = try walk.term(of: slot, isStream: isStream) else { continue }
      try walk.forEachRecord(term, ordinals: isStream ? 1...Limits.positionMax : 0...0) {
        sequence, routing, header, _ in
        guard entry.covers(routing, header), victims.contains(routing, header) else { return }
        let event = Event(
          sequence: sequence, position: routing.position, isPersonal: header.subjects.count > 0,
          isShared: header.subjects.count > 1, holds: [])
        found[sequence, default: event].note(entry.hold.number)
      }
    }
  }

  /// Those that still open: of the others nothing is left to be saved.
  private static func living(
    _ found: [UInt64: Event], _ shared: SharedEngine, _ tenant: TenantNumber
  ) throws(StoreError) -> [Event] {
    var living: [Event] = []
    let postings = found.keys.sorted().map { Posting(sequence: $0, ordinal: 0) }
    try HeaderWalk(shared: shared, tenant: tenant).forEachRecord(postings) {
      sequence, _, _, isLive in
      if isLive, let event = found[sequence] { living.append(event) }
    }
    return living
  }
}

extension HeldFindings.Event {
  fileprivate mutating func note(_ hold: UInt32) {
    if !holds.contains(hold) { holds.append(hold) }
  }
}

extension Holds {
  /// The holds in force, as they are kept.
  fileprivate var stored: Set<StoredHold> { Set(entries.map(\.hold)) }
}

extension Removal.Part {
  /// True when events may end with it.
  fileprivate var takesEventKeys: Bool { !slots.isEmpty || !periods.isEmpty || !positions.isEmpty }
}
