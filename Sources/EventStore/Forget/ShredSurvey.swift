import EventModel
import Keyring
import Sodium
import Storage

/// What destroying persons would take along, counted from the log itself.
///
/// The index only leads to the records; every record is asked for its own header, since a posting
/// may belong to a colliding tag.
struct ShredSurvey: Sendable {
  /// The persons who have keys.
  private(set) var persons: [PersonKeys] = []
  /// Their slots, one for each class in which one of them occurs.
  private(set) var subjectSlots: Set<Slot> = []
  /// Streams that name nobody else, with the names that they are known by (nil: no event opens).
  private(set) var ownStreams: [Slot: [UInt8]?] = [:]
  /// What must be kept for a while.
  private(set) var fates = KeyFates()
  private var sharedPositions: Set<UInt64> = []
  /// What holds keep.
  private(set) var held: HeldFindings?
  private var forbidding: HoldID?
  private var holds: Holds
  private var impersonalPositions: Set<UInt64> = []
  private(set) var sharedStreamCount: UInt64 = 0
  /// Where the events lie that will be erased or restricted; ascending, each once.
  private(set) var positions: [UInt64] = []

  private let wanted: [PersonTags]
  private let shared: SharedEngine
  private let tenant: TenantNumber
  private let walk: HeaderWalk
  /// What stood when the survey began.
  private let before: ShredFindings.Moment

  private init(
    _ wanted: [PersonTags], shared: SharedEngine, tenant: TenantNumber
  ) throws(StoreError) {
    self.wanted = wanted
    self.shared = shared
    self.tenant = tenant
    walk = HeaderWalk(shared: shared, tenant: tenant)
    before = try ShredFindings.Moment(shared, tenant)
    holds = try walk.holds()
  }

  /// Live events that are erased at once.
  var eventCount: UInt64 {
    UInt64(positions.count - fates.positions.count - heldPositions.count)
  }
  var sharedEventCount: UInt64 { erased(of: sharedPositions) }
  var impersonalEventCount: UInt64 { erased(of: impersonalPositions) }

  private var heldPositions: Set<UInt64> { held?.positions(tenant) ?? [] }

  private func erased(of positions: Set<UInt64>) -> UInt64 {
    UInt64(positions.subtracting(fates.positions).subtracting(heldPositions).count)
  }

  /// Surveys persons; throws when the tenant has no key for one of them, or with `mayBeGone` for all.
  static func survey(
    _ wanted: [PersonTags], tenant: TenantNumber, mayBeGone: Bool = false, shared: SharedEngine
  ) throws(StoreError) -> ShredSurvey {
    var survey = try ShredSurvey(wanted, shared: shared, tenant: tenant)
    let terms = try survey.findSlots(mayBeGone: mayBeGone)
    let streams = try survey.countEvents(terms)
    for stream in streams.sorted() { try survey.visit(stream) }
    if let id = survey.holds.holding(survey.subjectSlots) ?? survey.forbidding { throw .held(id) }
    survey.positions = Set(survey.positions).sorted()
    survey.fates = try KeyFates.find(
      subjects: survey.subjectSlots, streams: Set(survey.ownStreams.keys), isRequest: true,
      walk: survey.walk, now: shared.clock())
    var removal = Removal()
    removal.parts[tenant] = try survey.part(now: shared.clock())
    survey.held = try HeldFindings.find(removal, shared)
    return survey
  }

  /// True when nothing has come or gone since that would change what was found.
  ///
  /// Cheap: the newest posting of the persons and of each stream of theirs. On the writer's thread,
  /// with nothing being committed.
  func isStillTrue() throws(StoreError) -> Bool {
    #if DEBUG
      if TestHooks.isVariant("survey-stale") { return true }
    #endif
    var now = try ShredSurvey(wanted, shared: shared, tenant: tenant)
    guard now.before.epoch == before.epoch else { return false }
    // Nothing at all was appended: nothing about them.
    guard now.before.position != before.position else { return true }
    var terms = try now.findSlots(mayBeGone: true)
    guard now.subjectSlots == subjectSlots else { return false }
    for slot in ownStreams.keys {
      guard let term = try term(ofStream: slot) else { return false }
      terms.append(term)
    }
    for term in terms {
      let newest = try term.postings(
        in: shared.index, ordinals: 0...Limits.positionMax, isDescending: true, limit: 1)
      if let newest = newest.first, newest.sequence > before.sequence { return false }
    }
    return true
  }

  /// What a rotation takes out of the tenant.
  func part(now: Int64) throws(StoreError) -> Removal.Part {
    var part = Removal.Part()
    part.slots = Array(subjectSlots) + Array(ownStreams.keys)
    part.tags = persons.flatMap(\.tags)
    let untilDay = UInt16(clamping: now / 86_400_000 + Int64(Limits.suppressionDays))
    // Who objected did so for the time after the erasure too.
    part.marks = persons.map {
      Removal.Mark(
        tag: $0.mark, untilDay: untilDay, marks: $0.marks.intersection(.objected))
    }
    try shared.withState { (state) throws(StoreError) in
      guard let tenant = state.tenants[self.tenant] else { throw .noTenant }
      let keys = try tenant.open(state.keyring).keys
      var resolver = NameResolver()
      var former: [Slot: Tag128] = [:]
      for (slot, name) in ownStreams {
        guard let name else { continue }
        let tag = resolver.tag(.stream, .default, name.span, keys)
        part.tags.append(tag)
        former[slot] = resolver.tag(former: tag, .formerStream, keys)
      }
      guard !fates.untilDays.isEmpty else { return }
      for tag in persons.flatMap(\.tags) {
        let entry = try StoreError.translating { () throws(KeyringError) in
          try state.keyring.entry(tenant.number, tag: tag)
        }
        guard let slot = entry?.slot else { continue }
        former[slot] = resolver.tag(former: tag, .formerSubject, keys)
      }
      fates.apply(to: &part, streams: Set(ownStreams.keys), formerTags: former)
    }
    return part
  }

  private func term(ofStream slot: Slot) throws(StoreError) -> TermKey? {
    try shared.withState { (state) throws(StoreError) -> TermKey? in
      guard let tenant = state.tenants[self.tenant] else { throw .noTenant }
      guard let key = try state.key(tenant, slot) else { return nil }
      return TermKey(TermKey.stream, from: key)
    }
  }

  private mutating func findSlots(mayBeGone: Bool) throws(StoreError) -> [TermKey] {
    var unknown: [Int] = []
    var found: [PersonKeys] = []
    var terms: [TermKey] = []
    var next = 0
    // In steps, so that others get the lock in between.
    while next < wanted.count {
      let step = next..<min(next + 256, wanted.count)
      next = step.upperBound
      let (persons, theirs) = try shared.withState {
        (state) throws(StoreError) -> ([PersonKeys], [TermKey]) in
        guard let tenant = state.tenants[self.tenant] else { throw .noTenant }
        var persons: [PersonKeys] = []
        var terms: [TermKey] = []
        for person in wanted[step] {
          let keys = try PersonKeys(mark: person.mark, tags: person.keys, tenant, state)
          persons.append(keys)
          for slot in keys.slots.keys {
            guard let key = try state.key(tenant, slot) else { throw .corrupt }
            terms.append(TermKey(TermKey.subject, from: key))
          }
        }
        return (persons, terms)
      }
      terms += theirs
      for (index, person) in zip(step, persons) {
        if person.slots.isEmpty { unknown.append(index) } else { found.append(person) }
      }
    }
    guard !found.isEmpty, mayBeGone || unknown.isEmpty else {
      guard wanted.count > 1, let first = unknown.first else { throw .noSubject }
      throw .noSubjects(count: unknown.count, first: first + 1)
    }
    persons = found
    subjectSlots = Set(found.flatMap(\.slots.keys))
    return terms
  }

  /// Counts the persons' live events; returns the streams that they lie in.
  private mutating func countEvents(_ terms: [TermKey]) throws(StoreError) -> Set<Slot> {
    var streams: Set<Slot> = []
    var seen: Set<UInt64> = []
    for term in terms {
      try walk.forEach(term, ordinals: 0...0) { routing, header, isLive in
        guard isMine(header.subjects) else { return true }
        streams.insert(header.stream)
        // An event that names two of them is found under both.
        guard isLive, seen.insert(routing.position).inserted else { return true }
        if forbidding == nil { forbidding = holds.forbidding(routing, header) }
        positions.append(routing.position)
        if (0..<header.subjects.count).contains(where: {
          !subjectSlots.contains(header.subjects[$0])
        }) {
          sharedPositions.insert(routing.position)
        }
        return true
      }
    }
    return streams
  }

  private func isMine(_ subjects: SubjectSlots) -> Bool {
    (0..<subjects.count).contains { subjectSlots.contains(subjects[$0]) }
  }

  /// Decides whether a stream names nobody else, and what it is called.
  private mutating func visit(_ slot: Slot) throws(StoreError) {
    guard let term = try term(ofStream: slot) else { return }
    var namesOthers = false
    var impersonal: [UInt64] = []
    try walk.forEach(term, ordinals: 1...Limits.positionMax) { routing, header, isLive in
      guard header.stream == slot else { return true }
      // Others who were erased before are nobody any more: their events are not live.
      namesOthers =
        isLive
        && (0..<header.subjects.count).contains {
          !subjectSlots.contains(header.subjects[$0])
        }
      if header.subjects.count == 0, isLive {
        if forbidding == nil { forbidding = holds.forbidding(routing, header) }
        impersonal.append(routing.position)
      }
      return !namesOthers
    }
    if namesOthers {
      sharedStreamCount += 1
    } else {
      ownStreams[slot] = .some(try name(of: slot, term))
      impersonalPositions.formUnion(impersonal)
      positions += impersonal
    }
  }

  /// The stream's name, from its newest event that opens.
  private func name(of slot: Slot, _ term: TermKey) throws(StoreError) -> [UInt8]? {
    var reader = EventReader(shared: shared, tenant: tenant, seesRestricted: true)
    var read = PagedRead(range: 1...Limits.positionMax, isDescending: true, limit: .max)
    var found: [UInt8]?
    while found == nil, let page = read.nextPage {
      let postings = try walk.postings(term, page, isDescending: true)
      _ = try reader.read(
        postings[...], isWanted: { _, header, _ in header.stream == slot }
      ) { _, body in
        guard let fields = EventBodyReader(body), let place = fields.place(of: .stream, in: body)
        else { return true }
        found = body.extracting(place).array
        return false
      }
      read.advance(found: postings.map(\.ordinal))
    }
    return found
  }
}
