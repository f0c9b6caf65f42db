import EventModel
import Keyring
import Sodium
import Storage

/// What destroying a person's keys would take along, counted from the log itself.
///
/// The index only leads to the records; every record is asked for its own header, since a posting
/// may belong to a colliding tag.
struct ShredSurvey: Sendable {
  /// The person's slots, one a class in which they occur.
  private(set) var subjectSlots: Set<Slot> = []
  /// Streams that name nobody else, with the names that they are known by (nil: no event opens).
  private(set) var ownStreams: [Slot: [UInt8]?] = [:]
  private(set) var eventCount: UInt64 = 0
  private(set) var sharedEventCount: UInt64 = 0
  private(set) var impersonalEventCount: UInt64 = 0
  private(set) var sharedStreamCount: UInt64 = 0
  /// Where the events lie that will be erased; a position may be there twice.
  private(set) var positions: [UInt64] = []

  private let shared: SharedEngine
  private let tenant: TenantNumber
  private let walk: HeaderWalk
  /// The newest record that was there when the survey began, and the root's generation.
  private let sequence: UInt64
  private let epoch: UInt64

  private init(shared: SharedEngine, tenant: TenantNumber) {
    self.shared = shared
    self.tenant = tenant
    walk = HeaderWalk(shared: shared, tenant: tenant)
    (sequence, epoch) = shared.withState { ($0.nextSequence - 1, $0.keyring.epoch) }
  }

  /// Surveys the person; throws `.noSubject` when the tenant has no key for them.
  static func survey(
    _ subject: [UInt8], tenant: TenantNumber, shared: SharedEngine
  ) throws(StoreError) -> ShredSurvey {
    var survey = ShredSurvey(shared: shared, tenant: tenant)
    let terms = try survey.findSlots(subject)
    guard !survey.subjectSlots.isEmpty else { throw .noSubject }
    let streams = try survey.countEvents(terms)
    for stream in streams.sorted() { try survey.visit(stream) }
    return survey
  }

  /// True when nothing has come or gone since that would change what was found.
  ///
  /// Cheap: the newest posting of the person and of each stream of theirs. On the writer's thread,
  /// with nothing being committed.
  func isStillTrue(of subject: [UInt8]) throws(StoreError) -> Bool {
    #if DEBUG
      if TestHooks.isVariant("survey-stale") { return true }
    #endif
    var now = ShredSurvey(shared: shared, tenant: tenant)
    guard now.epoch == epoch else { return false }
    var terms = try now.findSlots(subject)
    guard now.subjectSlots == subjectSlots else { return false }
    for slot in ownStreams.keys {
      guard let term = try term(ofStream: slot) else { return false }
      terms.append(term)
    }
    for term in terms {
      let newest = try term.postings(
        in: shared.index, ordinals: 0...Limits.positionMax, isDescending: true, limit: 1)
      if let newest = newest.first, newest.sequence > sequence { return false }
    }
    return true
  }

  private func term(ofStream slot: Slot) throws(StoreError) -> TermKey? {
    try shared.withState { (state) throws(StoreError) -> TermKey? in
      guard let tenant = state.tenants[self.tenant] else { throw .noTenant }
      guard let key = try state.key(tenant, slot) else { return nil }
      return TermKey(TermKey.stream, from: key)
    }
  }

  private mutating func findSlots(_ subject: [UInt8]) throws(StoreError) -> [TermKey] {
    let found = try shared.withState { (state) throws(StoreError) -> [(Slot, TermKey)] in
      guard let tenant = state.tenants[self.tenant] else { throw .noTenant }
      let secrets = try tenant.open(state.keyring)
      var resolver = NameResolver()
      var found: [(Slot, TermKey)] = []
      for retentionClass in secrets.keys.classes {
        let tag = resolver.tag(.subject, retentionClass.number, subject.span, secrets.keys)
        let entry = try StoreError.translating { () throws(KeyringError) in
          try state.keyring.entry(tenant.number, tag: tag)
        }
        guard let slot = entry?.slot, let key = try state.key(tenant, slot) else { continue }
        found.append((slot, TermKey(TermKey.subject, from: key)))
      }
      return found
    }
    subjectSlots = Set(found.map(\.0))
    return found.map(\.1)
  }

  /// Counts the person's live events; returns the streams that they lie in.
  private mutating func countEvents(_ terms: [TermKey]) throws(StoreError) -> Set<Slot> {
    var streams: Set<Slot> = []
    for term in terms {
      try walk.forEach(term, ordinals: 0...0) { routing, header, isLive in
        guard isMine(header.subjects) else { return true }
        streams.insert(header.stream)
        guard isLive else { return true }
        eventCount += 1
        positions.append(routing.position)
        if (0..<header.subjects.count).contains(where: {
          !subjectSlots.contains(header.subjects[$0])
        }) {
          sharedEventCount += 1
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
      if header.subjects.count == 0, isLive { impersonal.append(routing.position) }
      return !namesOthers
    }
    if namesOthers {
      sharedStreamCount += 1
    } else {
      ownStreams[slot] = .some(try name(of: slot, term))
      impersonalEventCount += UInt64(impersonal.count)
      eventCount += UInt64(impersonal.count)
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
