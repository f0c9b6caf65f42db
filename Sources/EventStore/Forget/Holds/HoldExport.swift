package import EventModel
import Keyring
import Storage

/// A page of what a hold keeps: its events, those among them that nobody else can open included.
package struct HoldExport: Sendable {
  /// An event with its plaintext.
  package struct Event: Sendable {
    package let event: ReadEvent
    package let body: [UInt8]
  }

  package let tenant: TenantName
  package private(set) var events: [Event] = []
  /// The position behind which the next page begins; nil at the end.
  package private(set) var next: UInt64?

  /// What was destroyed since would have to be missing.
  let epoch: UInt64
  package let number: TenantNumber
  private let holds: Holds
  private let hold: UInt32
  private let limit: Int
  private var bytes = 0
}

extension HoldExport {
  /// Reads the events under a hold behind the position `after`, at most `limit`.
  ///
  /// A person's and a stream's are found by their terms and among what was saved; a class's and a
  /// tenant's by the feed.
  static func read(
    _ id: HoldID, isPermitted: PlanPermission, after: UInt64, limit: Int, _ shared: SharedEngine
  ) throws(StoreError) -> HoldExport {
    let now = shared.clock()
    let begun = try shared.withState {
      (state) throws(StoreError) -> (HoldExport, TermKey, HeldEvents)? in
      guard let tenant = state.tenants[id.tenant], isPermitted(tenant.name) else { return nil }
      let holds = try Holds(id.tenant, state, now: now)
      guard holds.entries.contains(where: { $0.hold.number == id.number }) else { return nil }
      let secrets = try state.activeTenant(id.tenant).open(state.keyring)
      let export = HoldExport(
        tenant: tenant.name, epoch: state.keyring.epoch, number: id.tenant, holds: holds,
        hold: id.number, limit: limit)
      return (export, secrets.feed.term, try secrets.held(state.keyring))
    }
    guard let (begun, feed, held) = begun,
      let entry = begun.holds.entries.first(where: { $0.hold.number == id.number })
    else { throw .noHold }
    var export = begun
    let saved = held.places.filter { $0.hold == id.number && $0.position > after }
    switch entry.hold.scope {
    case .subject, .stream:
      let found = try export.postings(of: entry, shared)
      let all = Set(found).union(saved.map(\.sequence)).sorted()
      try export.add(all[...], entry, Set(saved.map(\.sequence)), after, shared)
    case .retentionClass, .tenant:
      try export.addFeed(feed, entry, after, shared)
    }
    return export
  }

  /// The sequences of the events that the index knows of a person or a stream.
  private func postings(
    of entry: Holds.Entry, _ shared: SharedEngine
  ) throws(StoreError) -> [UInt64] {
    let walk = HeaderWalk(shared: shared, tenant: number)
    var found: [UInt64] = []
    var isStream = false
    if case .stream = entry.hold.scope { isStream = true }
    for slot in entry.slots {
      guard let term = try walk.term(of: slot, isStream: isStream) else { continue }
      found += try term.postings(
        in: shared.index, ordinals: isStream ? 1...Limits.positionMax : 0...0,
        isDescending: false, limit: .max
      ).map(\.sequence)
    }
    return found
  }

  private mutating func addFeed(
    _ feed: TermKey, _ entry: Holds.Entry, _ after: UInt64, _ shared: SharedEngine
  ) throws(StoreError) {
    var read = PagedRead(
      range: min(after + 1, Limits.positionMax)...Limits.positionMax, isDescending: false,
      limit: .max)
    while next == nil, let page = read.nextPage {
      let postings = try feed.postings(
        in: shared.index, ordinals: page.range, isDescending: false, limit: page.limit)
      try add(postings.map(\.sequence)[...], entry, [], after, shared)
      read.advance(found: postings)
    }
  }

  /// Adds the events of these sequences, ascending, until the page is full.
  ///
  /// A shred waits for one step at most.
  private mutating func add(
    _ sequences: ArraySlice<UInt64>, _ entry: Holds.Entry, _ saved: Set<UInt64>, _ after: UInt64,
    _ shared: SharedEngine
  ) throws(StoreError) {
    var rest = sequences
    while next == nil, !rest.isEmpty {
      let postings = rest.prefix(EventReader.pageEvents).map { Posting(sequence: $0, ordinal: 0) }
      rest = rest.dropFirst(postings.count)
      var found: [Event] = []
      try shared.reading { () throws(StoreError) in
        var reader = EventReader(
          shared: shared, tenant: number, seesRestricted: true, opensHeld: true)
        _ = try reader.read(
          postings[...],
          isWanted: { routing, header, posting in
            routing.position > after
              && (entry.covers(routing, header) || saved.contains(posting.sequence))
          },
          { event, body in
            if event.state != .erased { found.append(Event(event: event, body: body.array)) }
            return true
          })
      }
      for event in found {
        guard events.count < limit,
          events.isEmpty || bytes + event.body.count <= Limits.replyBytesMax
        else {
          next = events.last?.event.position
          return
        }
        events.append(event)
        bytes += event.body.count
      }
    }
  }
}

extension ControlPlane {
  /// Hands out what a hold keeps; the ledger has it before the answer.
  func export(
    _ id: HoldID, _ isPermitted: PlanPermission, after: UInt64, limit: Int,
    _ survey: Result<Survey, StoreError>?, _ actor: Actor
  ) throws(StoreError) -> HoldExport {
    guard var found = try survey?.get().held() else { throw .corrupt }
    // Something was destroyed since it was read: it must not be handed out.
    if shared.withState({ $0.keyring.epoch }) != found.epoch {
      found = try HoldExport.read(
        id, isPermitted: isPermitted, after: after, limit: limit, shared)
    }
    let count = UInt64(found.events.count)
    try shared.withState { (state) throws(StoreError) in
      if let failure = state.failure { throw failure }
      try StoreError.translating { () throws(KeyringError) in
        try state.keyring.appendLedger(
          LedgerEntry(
            timeMilliseconds: shared.clock(), act: .holdExported, actor: actor.ledgerActor,
            tenant: id.tenant, count: count))
      }
    }
    return found
  }
}
