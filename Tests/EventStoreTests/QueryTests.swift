import Dispatch
import EventModel
import Foundation
import Keyring
import Storage
import Testing

@testable import EventStore

/// What a tenant's log must be, kept as plainly as can be.
private struct Model {
  struct Entry {
    let event: QueryEvent
    let position: UInt64
    let stored: Int64
    /// Which stream of this name it was: a name that comes back after a shred is a new stream.
    let streamNumber: Int
    var version: UInt64
    var isLive = true
  }

  var entries: [Entry] = []
  /// In the order in which they came to be; nil when their keys are gone.
  var streams: [String?] = []
  var shredded: Set<String> = []

  mutating func append(_ event: QueryEvent, _ result: AppendResult) {
    var number = streams.lastIndex(of: event.stream)
    if number == nil {
      number = streams.count
      streams.append(event.stream)
    }
    entries.append(
      Entry(
        event: event, position: result.position, stored: result.storedMilliseconds,
        streamNumber: number!, version: result.version))
  }

  mutating func shred(_ person: String) {
    shredded.insert(person)
    let visited = Set(
      entries.filter { $0.event.subjects.contains(person) }.map(\.streamNumber))
    let own = visited.filter { number in
      streams[number] != nil
        && !entries.contains {
          $0.streamNumber == number && $0.isLive && $0.event.subjects.contains { $0 != person }
        }
    }
    for number in own { streams[number] = nil }
    for index in entries.indices
    where entries[index].event.subjects.contains(person)
      || own.contains(entries[index].streamNumber)
    {
      entries[index].isLive = false
    }
  }

  func matches(_ filter: EventFilter) -> [UInt64] {
    entries.filter { entry in
      let event = entry.event
      func has(_ wanted: [UInt8]?, _ value: String) -> Bool {
        wanted.map { $0 == Array(value.utf8) } ?? true
      }
      return entry.isLive && has(filter.stream, event.stream) && has(filter.type, event.type)
        && has(filter.source, event.source)
        && (filter.subject.map { wanted in event.subjects.contains { Array($0.utf8) == wanted } }
          ?? true)
        && entry.stored >= filter.sinceMilliseconds ?? .min
        && entry.stored < filter.untilMilliseconds ?? .max
    }.map(\.position)
  }

  var listing: [StreamListing] {
    streams.indices.compactMap { number in
      guard let name = streams[number] else { return nil }
      let mine = entries.filter { $0.streamNumber == number }
      guard let last = mine.last else { return nil }
      return StreamListing(
        name: mine.contains(where: \.isLive) ? Array(name.utf8) : nil, version: last.version,
        lastStoredMilliseconds: last.stored)
    }
  }
}

private struct QueryDifferential {
  var random: SeededGenerator
  let store: TestStore
  let tenant: TenantNumber
  let other: TenantNumber
  var model = Model()

  init() throws {
    random = SeededGenerator("queries against a model")
    store = try TestStore()
    tenant = try store.createTenant("acme")
    other = try store.createTenant("other")
  }

  mutating func event() -> QueryEvent {
    var event = QueryEvent()
    event.stream = "s\(random.zipf(12))"
    event.type = "t\(random.zipf(5))"
    event.source = ["", "urn:a", "urn:b"].randomElement(using: &random)!
    let count = [0, 1, 1, 1, 2, 3].randomElement(using: &random)!
    event.subjects = (0..<count).map { _ in "u\(random.zipf(40))" }
    event.subjects = Array(Set(event.subjects)).sorted()
    return event
  }

  mutating func append() throws {
    var events: [QueryEvent] = []
    for _ in 0..<Int.random(in: 1...40, using: &random) { events.append(event()) }
    events.removeAll { !model.shredded.isDisjoint(with: $0.subjects) }
    guard !events.isEmpty else { return }
    for (event, result) in zip(events, store.append(tenant, events)) {
      #expect(result.error == nil)
      model.append(event, result)
    }
    _ = store.append(other, events)
    store.clock.advance(Int64.random(in: 0...3_000, using: &random))
  }

  mutating func filter() -> EventFilter {
    func maybe(_ prefix: String, _ count: Int, _ random: inout SeededGenerator) -> String? {
      Bool.random(using: &random) ? "\(prefix)\(Int.random(in: 0..<count, using: &random))" : nil
    }
    var filter = EventFilter(
      stream: maybe("s", 13, &random), type: maybe("t", 6, &random),
      subject: maybe("u", 41, &random),
      source: Int.random(in: 0..<4, using: &random) == 0 ? "urn:a" : nil)
    let times = model.entries.map(\.stored)
    if Int.random(in: 0..<3, using: &random) == 0 {
      filter.sinceMilliseconds = times.randomElement(using: &random)
    }
    if Int.random(in: 0..<3, using: &random) == 0 {
      filter.untilMilliseconds = times.randomElement(using: &random).map {
        $0 + Int64.random(in: 0...1, using: &random)
      }
    }
    return filter
  }

  /// How many answers differ from the model's.
  mutating func check() throws -> Int {
    let filter = filter()
    let expected = model.matches(filter)
    let limit = Int.random(in: 1...200, using: &random)
    var differences = 0
    if try store.query(tenant, filter, limit: limit) != expected { differences += 1 }
    if try store.query(tenant, filter, isDescending: true, limit: limit) != expected.reversed() {
      differences += 1
    }
    if try store.store.count(tenant, filter) != UInt64(expected.count) { differences += 1 }
    if try store.listing(tenant, limit: Int.random(in: 1...20, using: &random)) != model.listing {
      differences += 1
    }
    return differences
  }

  mutating func step() throws {
    switch Int.random(in: 0..<24, using: &random) {
    case 0..<17: try append()
    case 17, 18: try store.reopen()
    case 19: while try store.store.shared.index.mergeOne() {}
    case 20 where Int.random(in: 0..<3, using: &random) == 0: try store.rebuildIndex()
    case 21:
      let person = "u\(random.zipf(40))"
      guard model.entries.contains(where: { $0.event.subjects.contains(person) }),
        !model.shredded.contains(person), model.shredded.count < 12
      else { return }
      _ = try store.shred("acme", person)
      model.shred(person)
    default: break
    }
  }
}

@Suite struct QueryTests {
  @Test func `queries answer as a model would, whatever is shredded, flushed or rebuilt`() throws {
    var test = try QueryDifferential()
    for _ in 0..<150 {
      try test.step()
      #expect(try test.check() == 0)
    }
  }

  @Test func `the model notices a range that ends one too early`() throws {
    var test = try QueryDifferential()
    for _ in 0..<10 { try test.append() }
    let differences = try TestHooks.$taskVariant.withValue("range-end") {
      var differences = 0
      // Few of the random queries end at an event that they match.
      for _ in 0..<1_000 where differences == 0 { differences += try test.check() }
      return differences
    }
    #expect(differences > 0)
  }

  @Test func `a record counts only if it has the term that led to it`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    let other = try store.createTenant("other")
    _ = store.append(
      tenant,
      [
        QueryEvent(stream: "a", type: "t1", subjects: ["ann"]),
        QueryEvent(stream: "b", type: "t2", subjects: ["bob"]),
      ])
    _ = store.append(other, [QueryEvent(stream: "a", type: "t1", subjects: ["ann"])])
    let filters = [
      EventFilter(subject: "ann"), EventFilter(stream: "a"), EventFilter(type: "t1"),
    ]
    // The other records under the terms' tags, as if these collided.
    for filter in filters {
      let terms = try store.terms(tenant, QueryMatch(filter: filter))
      let found = terms.terms(of: terms.driver(in: store.store.shared.index))
      let bucket = Bucket(month: 700)
      store.store.shared.index.publish(
        found.flatMap { term in
          [2, 3].map {
            TaggedPosting(
              tag: term.tag(in: bucket), bucket: bucket,
              posting: Posting(sequence: $0, ordinal: $0))
          }
        })
    }
    for filter in filters { #expect(try store.query(tenant, filter) == [1]) }
    #expect(try store.listing(tenant).count == 2)
    let trusted = try TestHooks.$taskVariant.withValue("posting-trusted") {
      try filters.map { try store.query(tenant, $0) }
    }
    #expect(trusted.allSatisfy { $0 != [1] })
  }

  @Test func `a query that finds little answers a cursor after a bounded number of events`() throws
  {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for _ in 0..<10 {
      _ = store.append(
        tenant, (0..<200).map { QueryEvent(source: $0 == 199 ? "urn:rare" : "urn:common") })
    }
    for isDescending in [false, true] {
      var reached: UInt64?
      var found: [UInt64] = []
      var calls = 0
      repeat {
        var run = QueryRun(
          shared: store.store.shared, tenant: tenant,
          QueryMatch(filter: EventFilter(source: "urn:rare")), isDescending: isDescending,
          limit: 100, reached: reached, examinedMax: 300)
        try run.run { event, _ in
          found.append(event.position)
          return true
        }
        reached = run.reached
        calls += 1
      } while reached != nil
      let expected = (1...10).map { UInt64($0 * 200) }
      #expect(found == (isDescending ? expected.reversed() : expected))
      #expect((5...8).contains(calls))
    }
  }

  @Test func `an event is found by id and source until it is erased`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    let other = try store.createTenant("other")
    _ = store.append(
      tenant,
      [
        QueryEvent(subjects: ["ann"], id: "1"),
        QueryEvent(subjects: ["bob"], source: "urn:a", id: "1"),
        QueryEvent(subjects: ["bob"], id: "2"),
      ])
    func check() throws {
      #expect(try store.position(tenant, id: "1", source: "urn:a") == 2)
      #expect(try store.position(tenant, id: "2") == 3)
      for (id, source) in [("2", "urn:a"), ("3", ""), ("", "")] {
        #expect(throws: StoreError.noEvent) {
          try store.position(tenant, id: id, source: source)
        }
      }
      #expect(throws: StoreError.noEvent) { try store.position(other, id: "2") }
    }
    try check()
    #expect(try store.position(tenant, id: "1") == 1)
    try store.reopen()
    try check()
    _ = try store.shred("acme", "ann")
    #expect(throws: StoreError.noEvent) { try store.position(tenant, id: "1") }
    try check()
    try store.rebuildIndex()
    #expect(throws: StoreError.noEvent) { try store.position(tenant, id: "1") }
    try check()
  }

  /// How many events a query delivers to which a shred comes at the first.
  private static func deliveredBeside(shredOf person: String) throws -> Int {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for _ in 0..<5 { _ = store.append(tenant, (0..<700).map { QueryEvent(subjects: ["u\($0)"]) }) }
    guard
      case .plan(let plan) = try store.control(
        .planShredSubject(TenantName("acme")!, subject: Array(person.utf8)))
    else { throw StoreError.corrupt }
    let done = DispatchSemaphore(value: 0)
    var delivered = 0
    let cursor = try store.store.query(
      tenant, EventFilter(), isDescending: false, limit: 10_000, cursor: nil
    ) { _, _ in
      delivered += 1
      guard delivered == 1 else { return true }
      store.store.control(
        .shredSubject(
          TenantName("acme")!, subject: Array(person.utf8), reason: .art17,
          token: Array(plan.token.utf8)),
        actor: Actor(uid: 1, socketName: nil, isApprover: false)
      ) { _ in done.signal() }
      while store.store.shared.awaitedReads == 0 { usleep(1_000) }
      return true
    }
    done.wait()
    #expect(cursor.isEmpty == (delivered > PagedRead.pageLimit))
    var rest: [UInt64] = []
    _ = try store.store.query(
      tenant, EventFilter(subject: person), isDescending: false, limit: 10, cursor: nil
    ) { event, _ in
      rest.append(event.position)
      return true
    }
    #expect(rest.isEmpty)
    return delivered
  }

  @Test func `a query ends early when a shred waits, after a page at most`() throws {
    #expect(try Self.deliveredBeside(shredOf: "u3") <= PagedRead.pageLimit)
    let held = try TestHooks.$taskVariant.withValue("section-held") {
      try Self.deliveredBeside(shredOf: "u3")
    }
    #expect(held > PagedRead.pageLimit)
  }
}
