import EventModel
import Keyring
import Storage

/// What is known of some events of a tenant: counted by reading exactly their records.
struct IncidentTally: Sendable {
  /// Events that the positions stand for.
  private(set) var eventCount: UInt64 = 0
  /// Of these, events that can still be opened, restricted ones too.
  private(set) var liveCount: UInt64 = 0
  /// Events whose person, stream or own key was destroyed.
  private(set) var erasedCount: UInt64 = 0
  /// Events whose period is over, or was shredded.
  var expiredCount: UInt64 { eventCount - liveCount - erasedCount }
  /// Keys of persons that the headers name: a person counts once in each class.
  private(set) var persons: Set<Slot> = []
  private(set) var classes: [ClassNumber: UInt64] = [:]
  /// Of live events.
  private(set) var types: [[UInt8]: UInt64] = [:]
  /// Persons of live events, by their identifiers; only for the tenant itself.
  private(set) var identifiers: [[UInt8]: UInt64] = [:]

  /// Reads the events at these positions.
  static func count(
    _ positions: [ClosedRange<UInt64>], of tenant: TenantNumber, _ shared: SharedEngine
  ) throws(StoreError) -> IncidentTally {
    var tally = IncidentTally()
    tally.eventCount = positions.reduce(0) { $0 + UInt64($1.count) }
    for range in positions {
      var read = PagedRead(range: range, isDescending: false, limit: .max)
      while read.nextPage != nil {
        // A read of its own for each page: a shred waits for one at most.
        try shared.reading { () throws(StoreError) in
          try tally.readPage(&read, tenant, shared)
        }
      }
    }
    return tally
  }

  private mutating func readPage(
    _ read: inout PagedRead, _ number: TenantNumber, _ shared: SharedEngine
  ) throws(StoreError) {
    guard let page = read.nextPage else { return }
    let term = try shared.withState { (state) throws(StoreError) in
      guard let tenant = state.tenants[number] else { throw .noTenant }
      return try tenant.open(state.keyring).feed.term
    }
    let postings = try term.postings(
      in: shared.index, ordinals: page.range, isDescending: false, limit: page.limit)
    read.advance(found: postings)
    var reader = EventReader(shared: shared, tenant: number, seesRestricted: true)
    var tally = exchange(&self, with: IncidentTally())
    defer { self = tally }
    var persons: [Slot] = []
    var classes: [ClassNumber: UInt64] = [:]
    _ = try reader.read(
      postings[...],
      isWanted: { routing, header, posting in
        guard routing.position == posting.ordinal else { return false }
        for index in 0..<header.subjects.count { persons.append(header.subjects[index]) }
        classes[routing.classNumber, default: 0] += 1
        return true
      },
      { event, plain in
        tally.note(event, plain)
        return true
      })
    tally.persons.formUnion(persons)
    tally.classes.merge(classes, uniquingKeysWith: +)
  }

  private mutating func note(_ event: ReadEvent, _ plain: Span<UInt8>) {
    guard event.state != .erased else { return erasedCount += 1 }
    liveCount += 1
    guard let reader = EventBodyReader(plain) else { return }
    reader.forEachField(in: plain) { tag, place in
      switch tag {
      case BodyField.type.rawValue: types[plain.extracting(place).array, default: 0] += 1
      case BodyField.dataSubject.rawValue:
        identifiers[plain.extracting(place).array, default: 0] += 1
      default: break
      }
    }
  }
}

/// What can be opened of a tenant with today's keys.
struct LiveTally: Sendable {
  private(set) var eventCount: UInt64 = 0
  /// Events that were stored and cannot be opened any more, neither with today's root.
  private(set) var goneCount: UInt64 = 0
  private(set) var persons: Set<Slot> = []

  /// Counts the events that were stored until `time`, by their headers.
  static func count(
    _ number: TenantNumber, through time: Int64, _ shared: SharedEngine
  ) throws(StoreError) -> LiveTally {
    let (term, last) = try shared.withState { (state) throws(StoreError) in
      guard let tenant = state.tenants[number] else { throw .noTenant }
      return (try tenant.open(state.keyring).feed.term, tenant.committed.position)
    }
    var tally = LiveTally()
    guard last > 0 else { return tally }
    var later: UInt64 = 0
    try HeaderWalk(shared: shared, tenant: number).forEach(term, ordinals: 1...last) {
      _, header, isLive in
      guard header.storedMilliseconds <= time else {
        later += 1
        return true
      }
      guard isLive else { return true }
      tally.eventCount += 1
      for index in 0..<header.subjects.count { tally.persons.insert(header.subjects[index]) }
      return true
    }
    tally.goneCount = last - min(last, tally.eventCount + later)
    return tally
  }
}
