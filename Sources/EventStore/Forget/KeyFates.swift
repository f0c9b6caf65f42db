import EventModel
import Keyring
import Sodium
import Storage

/// Which keys that a shred asks for must be kept for a while, since events of theirs have a minimum.
///
/// ```
/// person's key of a class   ends with the newest event's minimum; restricted until then
/// stream                    ends with the newest minimum of what is left in it
/// ```
/// Counted from the log once more, but only in tenants that have such a class.
struct KeyFates: Sendable {
  /// The first UTC day, as days since 1970, on which a key may go; others go at once.
  private(set) var untilDays: [Slot: UInt16] = [:]
  /// Live events that stay, restricted.
  private(set) var positions: Set<UInt64> = []

  /// An event of a key that may have to stay.
  private struct Event {
    let position: UInt64
    let stream: Slot
    let subjects: SubjectSlots
    /// When it may go, in milliseconds since 1970; 0: now.
    let end: Int64
  }

  /// What becomes of the keys of `subjects` and `streams` when they are shredded now; `isRequest` when
  /// a person asked.
  static func find(
    subjects: Set<Slot>, streams: Set<Slot>, isRequest: Bool, walk: HeaderWalk, now: Int64
  ) throws(StoreError) -> KeyFates {
    var fates = KeyFates()
    #if DEBUG
      if TestHooks.isVariant("minimum-ignored") { return fates }
    #endif
    let policies = try walk.policies()
    guard policies.values.contains(where: { $0.keeps(isRequest: isRequest) }) else { return fates }
    func end(_ routing: Routing) -> Int64 {
      let end = policies[routing.classNumber]?.keptUntil(
        routing.period.index, isRequest: isRequest, now: now)
      return end.map { $0 > now ? $0 : 0 } ?? 0
    }
    var events: [UInt64: Event] = [:]
    for slot in subjects.union(streams) {
      guard let term = try walk.term(of: slot, isStream: streams.contains(slot)) else { continue }
      let ordinals = streams.contains(slot) ? 1...Limits.positionMax : 0...0
      try walk.forEach(term, ordinals: ordinals) { routing, header, isLive in
        guard isLive, header.stream == slot || header.subjects.contains(slot) else { return true }
        events[routing.position] = Event(
          position: routing.position, stream: header.stream, subjects: header.subjects,
          end: end(routing))
        return true
      }
    }
    for event in events.values where event.end > 0 {
      for index in 0..<event.subjects.count where subjects.contains(event.subjects[index]) {
        fates.keep(event.subjects[index], until: event.end)
      }
    }
    let dying = subjects.subtracting(fates.untilDays.keys)
    func isLeft(_ event: Event) -> Bool {
      !(0..<event.subjects.count).contains { dying.contains(event.subjects[$0]) }
    }
    let left = events.values.filter(isLeft)
    for event in left where event.end > 0 && streams.contains(event.stream) {
      fates.keep(event.stream, until: event.end)
    }
    for event in left
    where !streams.contains(event.stream) || fates.untilDays[event.stream] != nil {
      fates.positions.insert(event.position)
    }
    return fates
  }

  private mutating func keep(_ slot: Slot, until end: Int64) {
    let day = UInt16(clamping: (end + 86_400_000 - 1) / 86_400_000)
    untilDays[slot] = max(untilDays[slot] ?? 0, day)
  }

  /// The day on which the last of the kept keys goes; 0 when all go at once.
  var lastDay: UInt16 { untilDays.values.max() ?? 0 }

  /// Lets the kept keys stay in `part`, which takes them out; `formerTags` are those under which they
  /// are found from now on.
  func apply(to part: inout Removal.Part, streams: Set<Slot>, formerTags: [Slot: Tag128]) {
    part.slots.removeAll { untilDays[$0] != nil }
    for (slot, day) in untilDays {
      part.lapses[slot] = Removal.Lapse(
        untilDay: day, kind: streams.contains(slot) ? .formerStream : .formerSubject,
        formerTag: formerTags[slot])
    }
  }
}

extension HeaderWalk {
  /// The policies of the tenant's classes.
  func policies() throws(StoreError) -> [ClassNumber: RetentionPolicy] {
    try shared.withState { (state) throws(StoreError) in
      guard let tenant = state.tenants[self.tenant] else { throw .noTenant }
      let classes = try tenant.open(state.keyring).keys.classes
      return Dictionary(uniqueKeysWithValues: classes.map { ($0.number, $0.policy) })
    }
  }

  /// The term of a stream or of a person's key, or nil when it was shredded.
  func term(of slot: Slot, isStream: Bool) throws(StoreError) -> TermKey? {
    try shared.withState { (state) throws(StoreError) -> TermKey? in
      guard let tenant = state.tenants[self.tenant] else { throw .noTenant }
      guard let key = try state.key(tenant, slot) else { return nil }
      return TermKey(isStream ? TermKey.stream : TermKey.subject, from: key)
    }
  }
}

extension RetentionPolicy {
  /// True when some events of the class outlive a shred.
  func keeps(isRequest: Bool) -> Bool {
    minimumPeriods > 0 || (isRequest && onRequest == .restrict)
  }

  /// Until when events of a period outlive a shred, in milliseconds since 1970.
  func keptUntil(_ period: UInt32, isRequest: Bool, now: Int64) -> Int64 {
    isRequest && onRequest == .restrict
      ? expiryMilliseconds(of: period, now: now) : minimumEndMilliseconds(of: period)
  }
}
