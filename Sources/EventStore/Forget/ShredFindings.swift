import EventModel
import Keyring
import Sodium
import Storage

/// What shredding events, a stream or a period would take along, counted from the log itself.
struct ShredFindings: Sendable {
  /// Live events.
  private(set) var eventCount: UInt64 = 0
  /// Of these, events that name persons.
  private(set) var personalEventCount: UInt64 = 0
  /// Events among them that were erased before.
  private(set) var erasedEventCount: UInt64 = 0
  /// Streams that die.
  private(set) var streamCount: UInt64 = 0
  var keyCount: UInt64 = 0
  /// Where the live events lie.
  private(set) var positions: [UInt64] = []
  /// What leaves the keyring.
  var part = Removal.Part()
  /// What must be kept for a while.
  private(set) var fates = KeyFates()
  let holds: Holds
  /// A hold that does not let it go.
  var forbidding: HoldID?
  /// What holds keep.
  private(set) var held: HeldFindings?

  private let target: PlanTarget
  let walk: HeaderWalk
  let now: Int64
  /// What stood when the survey began.
  let before: Moment

  /// How far things had come.
  struct Moment {
    let epoch: UInt64
    let sequence: UInt64
    let position: UInt64

    init(_ shared: SharedEngine, _ number: TenantNumber) throws(StoreError) {
      (epoch, sequence, position) = try shared.withState { (state) throws(StoreError) in
        guard let tenant = state.tenants[number] else { throw .noTenant }
        return (state.keyring.epoch, state.nextSequence - 1, tenant.committed.position)
      }
    }
  }

  private init(
    _ target: PlanTarget, _ tenant: TenantNumber, _ shared: SharedEngine
  ) throws(StoreError) {
    self.target = target
    walk = HeaderWalk(shared: shared, tenant: tenant)
    now = shared.clock()
    before = try Moment(shared, tenant)
    holds = try walk.holds()
  }

  /// Surveys the target; throws when there is nothing that could be destroyed.
  static func survey(
    _ target: PlanTarget, tenant: TenantNumber, shared: SharedEngine
  ) throws(StoreError) -> ShredFindings {
    var findings = try ShredFindings(target, tenant, shared)
    switch target {
    case .events(let positions):
      // Bodies are opened, so a shred that comes between waits for it; they are few.
      try shared.reading { () throws(StoreError) in try findings.findEvents(positions) }
    case .stream(let tag): try findings.findStream(tag)
    case .period(let className, let day): try findings.findPeriod(className, day: day)
    case .subjects, .tenant, .offboarding: throw .corrupt
    }
    if let id = findings.forbidding { throw .held(id) }
    var removal = Removal()
    removal.parts[tenant] = findings.part
    let held = try HeldFindings.find(removal, shared)
    findings.note(held)
    return findings
  }

  /// True when nothing has come or gone since that would change what was found.
  ///
  /// On the writer's thread, with nothing being committed.
  func isStillTrue() throws(StoreError) -> Bool {
    let now = try Moment(walk.shared, walk.tenant)
    // Whatever destroys or expires begins a new epoch.
    guard now.epoch == before.epoch else { return false }
    switch target {
    case .events, .subjects, .tenant, .offboarding: return true
    case .stream:
      guard let slot = part.slots.first ?? part.lapses.keys.first,
        let term = try term(ofStream: slot)
      else { return false }
      let newest = try term.postings(
        in: walk.shared.index, ordinals: 0...Limits.positionMax, isDescending: true, limit: 1)
      return newest.allSatisfy { $0.sequence <= before.sequence }
    case .period(_, let day):
      guard now.position > before.position else { return true }
      // Stored times never fall: only a clock that went back could have added to the period.
      let (shared, tenant) = (walk.shared, walk.tenant)
      let stored = shared.withState { $0.tenants[tenant]?.committed.storedMilliseconds ?? 0 }
      return stored >= Self.end(ofDay: day)
    }
  }

  static let dayMilliseconds: Int64 = 86_400_000

  static func end(ofDay day: UInt32) -> Int64 { (Int64(day) + 1) * dayMilliseconds }

  /// The tenant's keys and the term of its feed; not kept, since the act destroys some of them.
  private func secrets() throws(StoreError) -> (keys: TenantKeys, feed: TermKey) {
    let number = walk.tenant
    return try walk.shared.withState { (state) throws(StoreError) in
      let secrets = try state.activeTenant(number).open(state.keyring)
      return (secrets.keys, secrets.feed.term)
    }
  }

  private mutating func note(_ found: HeldFindings) {
    held = found
    let events = found.events[walk.tenant] ?? []
    eventCount -= UInt64(events.count)
    personalEventCount -= UInt64(events.count { $0.isPersonal })
  }

  /// Counts one event that is meant.
  mutating func count(_ position: UInt64, names persons: Int, isLive: Bool) {
    guard isLive else {
      erasedEventCount += 1
      return
    }
    eventCount += 1
    positions.append(position)
    if persons > 0 { personalEventCount += 1 }
  }
}

// MARK: Events

extension ShredFindings {
  /// Finds the events and the ids that must not come back; the ids stand in the bodies, which can be
  /// opened only now.
  private mutating func findEvents(_ wanted: [UInt64]) throws(StoreError) {
    guard wanted.allSatisfy({ (1...max(1, before.position)).contains($0) }), before.position > 0
    else { throw .noEvent }
    let (keys, feed) = try secrets()
    var postings: [Posting] = []
    for position in Set(wanted).sorted() {
      postings += try feed.postings(
        in: walk.shared.index, ordinals: position...position, isDescending: false, limit: 4)
    }
    var found: [(position: UInt64, isLive: Bool, id: Tag128?)] = []
    var persons: [UInt64: Int] = [:]
    var generations: [UInt64: UInt16] = [:]
    var routings: [Routing] = []
    var resolver = NameResolver()
    var reader = EventReader(
      shared: walk.shared, tenant: walk.tenant, seesRestricted: true)
    _ = try reader.read(
      postings[...],
      isWanted: { routing, header, posting in
        persons[routing.position] = header.subjects.count
        generations[routing.position] = routing.generation
        routings.append(routing)
        // Whoever names an event names one that is held, whatever else could be saved.
        if forbidding == nil, routing.position == posting.ordinal {
          forbidding = holds.holding(routing, header)
        }
        return routing.position == posting.ordinal
      },
      { event, body in
        let terms = EventTerms(body)
        let tag = terms.id.map {
          resolver.tag(
            ofID: body.extracting($0), source: body.extracting(terms.source ?? 0..<0), keys)
        }
        found.append((event.position, event.state == .live, tag))
        return true
      })
    let untilDay = UInt16(clamping: now / Self.dayMilliseconds + Int64(IDFilter.daysBefore) + 1)
    for event in found {
      count(event.position, names: persons[event.position] ?? 0, isLive: event.isLive)
      guard let tag = event.id, event.isLive else { continue }
      part.marks.append(
        Removal.Mark(ofIDTagged: tag, position: event.position, untilDay: untilDay))
    }
    guard eventCount > 0 else { throw .noEvent }
    try refuseCompliance(routings)
    keyCount = eventCount
    for position in positions {
      guard let generation = generations[position] else { throw .corrupt }
      part.positions[generation, default: []].append(position)
    }
  }
}

extension ShredFindings {
  /// Throws when an event's class is in compliance mode and its minimum has not passed: then nobody
  /// takes it away by itself.
  func refuseCompliance(_ events: [Routing]) throws(StoreError) {
    let policies = try walk.policies()
    for event in events {
      guard let policy = policies[event.classNumber], policy.mode == .compliance else { continue }
      guard policy.minimumEndMilliseconds(of: event.period.index) <= now else {
        throw .minimumPending
      }
    }
  }
}

// MARK: Streams

extension ShredFindings {
  private mutating func findStream(_ tag: Tag128) throws(StoreError) {
    let (shared, tenant) = (walk.shared, walk.tenant)
    let slot = try shared.withState { (state) throws(StoreError) in
      try StoreError.translating { () throws(KeyringError) in
        try state.keyring.entry(tenant, tag: tag)?.slot
      }
    }
    guard let slot, let term = try term(ofStream: slot) else { throw .noStream }
    forbidding = holds.holding([slot])
    var found: [(position: UInt64, persons: Int, isLive: Bool)] = []
    try walk.forEach(term, ordinals: 1...Limits.positionMax) { routing, header, isLive in
      if header.stream == slot {
        found.append((routing.position, header.subjects.count, isLive))
        if isLive, forbidding == nil { forbidding = holds.forbidding(routing, header) }
      }
      return true
    }
    part.slots = [slot]
    part.tags = [tag]
    fates = try KeyFates.find(
      subjects: [], streams: [slot], isRequest: false, walk: walk, now: now)
    guard fates.untilDays.isEmpty else {
      // All of it is restricted: the stream's key is every event's.
      positions = fates.positions.sorted()
      var resolver = NameResolver()
      fates.apply(
        to: &part, streams: [slot],
        formerTags: [slot: resolver.tag(former: tag, .formerStream, try secrets().keys)])
      return
    }
    for event in found { count(event.position, names: event.persons, isLive: event.isLive) }
    (streamCount, keyCount) = (1, 1)
  }

  /// The term of a stream, or nil when it was shredded.
  func term(ofStream slot: Slot) throws(StoreError) -> TermKey? {
    let number = walk.tenant
    return try walk.shared.withState { (state) throws(StoreError) -> TermKey? in
      guard let tenant = state.tenants[number] else { throw .noTenant }
      guard let key = try state.key(tenant, slot) else { return nil }
      return TermKey(TermKey.stream, from: key)
    }
  }
}

extension ShredPlan {
  init(_ findings: ShredFindings, token: String, hash: [UInt8]?) {
    self.init(
      token: token, hash: hash, eventCount: findings.eventCount,
      sharedEventCount: findings.personalEventCount,
      impersonalEventCount: findings.eventCount - findings.personalEventCount,
      erasedEventCount: findings.erasedEventCount, ownStreamCount: findings.streamCount,
      sharedStreamCount: 0, keyCount: findings.keyCount, subjectCount: 0)
    note(findings.fates)
    if let held = findings.held { note(held) }
  }
}
