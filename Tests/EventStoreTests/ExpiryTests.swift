import EventModel
import Foundation
import Keyring
import Storage
import Synchronization
import Testing

@testable import EventStore

@Suite struct ExpiryTests {
  private let day: Int64 = 86_400_000

  /// Ten events a day in two streams, and one in a stream of its own; each day of another person.
  private func fill(_ store: TestStore, _ tenant: TenantNumber, days: Int) {
    for number in 0..<days {
      for index in 1...10 {
        let stream = index == 5 ? "once-\(number)" : "s\(index % 2)"
        let result = store.append(
          tenant,
          TestEvent(stream: stream, subjects: ["u-\(number)"], data: "\(number)-\(index)"))
        #expect(result.error == nil)
      }
      store.clock.advance(day)
    }
  }

  @Test func `what is over is left out of everything, and what is not stays`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme", retention: "30d")
    let other = try store.createTenant("other", retention: "400d")
    fill(store, tenant, days: 3)
    #expect(store.append(other, TestEvent()).error == nil)
    #expect(try store.expire().eventCount == 0)
    store.clock.advance(28 * day)
    // Thirty-one days after the first: two of three days are over.
    #expect(try store.expire(isDryRun: true).eventCount == 20)
    #expect(try store.feed(tenant).count == 30)
    #expect(try store.status().dueEventCount == 20)
    let report = try store.expire()
    #expect(report.eventCount == 20 && report.tenantCount == 1 && report.periodCount == 2)
    #expect(report.rotation != nil)
    let status = try store.status()
    #expect(status.dueEventCount == 0 && status.dueSinceMilliseconds == nil)
    #expect(status.lastRun?.eventCount == 20)
    for round in 0..<3 {
      try expectLastDay(of: store, tenant)
      #expect(try store.feed(other).count == 1)
      store.close()
      let report = try store.check()
      #expect(report.isSound && report.log.expired == 20 && report.log.opened == 11)
      if round == 1 { try FileManager.default.removeItem(atPath: store.dataPath + "/index") }
      try store.reopen()
    }
    // Nothing is done twice.
    #expect(try store.expire().rotation == nil)
    #expect(store.append(tenant, TestEvent(stream: "s0")).version == 16)
    #expect(store.append(tenant, TestEvent(stream: "once-0")).version == 2)
  }

  private func expectLastDay(of store: TestStore, _ tenant: TenantNumber) throws {
    #expect(try store.feed(tenant).map(\.event.position) == Array(21...30))
    #expect(
      try store.feed(tenant, isDescending: true, limit: 3).map(\.event.position) == [30, 29, 28])
    #expect(try store.feed(tenant, 1...20).isEmpty)
    #expect(try store.feed(tenant, 15...25, limit: 2).map(\.event.position) == [21, 22])
    #expect(try store.stream(tenant, "s0").map(\.event.version) == Array(11...15))
    #expect(try store.stream(tenant, "once-1").isEmpty)
    let gone = try #require(try store.store.summary(tenant, stream: Array("once-1".utf8).span))
    #expect(gone.version == 1 && gone.expiredCount == 1 && gone.lastStoredMilliseconds == nil)
    let name = Array("s0".utf8)
    let summary = try #require(try store.store.summary(tenant, stream: name.span))
    #expect(summary.version == 15 && summary.firstVersion == 11 && summary.expiredCount == 10)
    #expect(try store.store.count(tenant, EventFilter(person: "u-0")) == 0)
    #expect(try store.store.count(tenant, EventFilter(person: "u-2")) == 10)
    #expect(try store.store.erasures(tenant, after: 0, limit: 9).map(\.positions) == [[1...20]])
  }

  /// "expiry-early": a period is taken for over a day before it is.
  @Test(arguments: ["30d", "5d", "1h"], [nil, "expiry-early"])
  func `nothing expires before its time`(retention: String, variant: String?) throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme", retention: retention)
    let wanted = Retention(Array(retention.utf8))!
    let first = store.clock.now
    #expect(store.append(tenant, TestEvent()).error == nil)
    let end = wanted.expiryMilliseconds(of: Period(unit: wanted.unit, containing: first))
    store.clock.advance(end - 1 - first)
    let early = try store.expireHere(variant: variant)
    #expect((early.eventCount == 0) == (variant == nil))
    guard variant == nil else { return }
    store.clock.advance(1)
    #expect(try store.expire().eventCount == 1)
    #expect(try store.feed(tenant).isEmpty)
  }

  /// "version-forgotten": what a stream has reached is told by the dead records only.
  @Test(arguments: [nil, "version-forgotten"])
  func `no version and no position is given out twice`(variant: String?) throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme", retention: "30d")
    for _ in 1...4 { _ = store.append(tenant, TestEvent()) }
    store.clock.advance(31 * day)
    #expect(try store.expireHere(variant: variant).eventCount == 4)
    store.close()
    try FileManager.default.removeItem(atPath: store.dataPath + "/index")
    try store.reopen()
    let next = store.append(tenant, TestEvent())
    #expect((next.version == 5) == (variant == nil) && next.position == 5)
  }

  @Test func `months and days of the index go with their events`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme", retention: "30d")
    for index in 0..<80 {
      #expect(store.append(tenant, TestEvent(id: "id-\(index)")).error == nil)
      store.clock.advance(day)
      // A flush a day would take too long: the index is written when the store is closed.
      if index % 20 == 19 { try store.reopen() }
    }
    let before = try store.buckets()
    let report = try store.expire()
    let after = try store.buckets()
    #expect(report.bucketCount == UInt64(before.count - after.count) && report.bucketCount > 60)
    // The day itself, the seven in which ids are looked for and one to spare.
    #expect(after.filter(\.isDay).count <= 9)
    let today = Bucket(containing: store.clock.now)
    #expect(after.filter { !$0.isDay }.allSatisfy { $0 >= today })
    try store.reopen()
    let segments = store.store.shared.index.state.withLock { $0.segments.map(\.entry.bucket) }
    #expect(Set(segments).isSubset(of: after))
    #expect(try store.feed(tenant).map(\.event.position) == Array(52...80))
    store.close()
    #expect(try store.check().isSound)
  }

  @Test func `a position that is missing without having expired is damage`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme", retention: "30d")
    fill(store, tenant, days: 3)
    store.clock.advance(28 * day)
    _ = try store.expire()
    let shared = store.store.shared
    let feed = try shared.withState { try $0.activeTenant(tenant).open($0.keyring).feed.term }
    let gaps = FeedGaps(shared: shared, tenant: tenant, feed: feed)
    let postings = try feed.postings(
      in: shared.index, ordinals: 1...30, isDescending: false, limit: 30)
    func check(without gone: Set<UInt64>) throws {
      try gaps.check(
        postings.filter { !gone.contains($0.ordinal) },
        of: PagedRead.Page(range: 1...30, limit: 100), isDescending: false)
    }
    try check(without: [])
    try check(without: Set(1...20))
    try check(without: [3, 9])
    #expect(throws: StoreError.corrupt) { try check(without: [25]) }
    #expect(throws: StoreError.corrupt) { try check(without: [3, 30]) }
  }

  @Test func `a suspended tenant's events expire too`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme", retention: "30d")
    _ = store.append(tenant, TestEvent())
    try store.control(.suspendTenant(TenantName("acme")!))
    store.clock.advance(40 * day)
    #expect(try store.expire().eventCount == 1)
    try store.control(.resumeTenant(TenantName("acme")!))
    #expect(try store.feed(tenant).isEmpty)
  }

  @Test func `a clock that goes back finds the period gone`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme", retention: "30d")
    _ = store.append(tenant, TestEvent())
    store.clock.advance(40 * day)
    _ = try store.expire()
    store.clock.advance(-40 * day)
    #expect(try store.expire().rotation == nil)
    #expect(try store.feed(tenant).isEmpty)
    #expect(store.append(tenant, TestEvent()).error == .clockBehind)
  }

  @Test func `all tenants go in one rotation and keep a bounded state`() throws {
    let store = try TestStore()
    var tenants: [TenantNumber] = []
    for index in 0..<5 { tenants.append(try store.createTenant("t\(index)", retention: "30d")) }
    let epoch = store.store.shared.withState { $0.keyring.epoch }
    for number in 0..<45 {
      for tenant in tenants { #expect(store.append(tenant, TestEvent()).error == nil) }
      let report = try store.expire()
      #expect(report.eventCount == (number < 30 ? 0 : 5) && report.tenantCount == report.eventCount)
      store.clock.advance(day)
    }
    #expect(store.store.shared.withState { $0.keyring.epoch } == epoch + 15)
    let counts = try store.store.shared.withState { state in
      try tenants.map { try state.keyring.tenantKeys($0).classes[0].cover.count }
    }
    #expect(counts.max()! <= 16)
    store.clock.advance(60 * day)
    #expect(try store.expire().eventCount == 150)
    for tenant in tenants { #expect(try store.feed(tenant).isEmpty) }
  }
}

extension EventFilter {
  fileprivate init(person: String) {
    self.init()
    subject = Array(person.utf8)
  }
}

extension TestStore {
  func expire(isDryRun: Bool = false) throws -> ExpiryReport {
    guard case .expiry(let report) = try control(.expire(isDryRun: isDryRun)) else {
      throw StoreError.corrupt
    }
    return report
  }

  /// The same on this thread, so that a broken variant concerns this test only.
  func expireHere(variant: String?) throws -> ExpiryReport {
    let shared = store.shared
    return try TestHooks.$taskVariant.withValue(variant) {
      let survey = Result { () throws(StoreError) in
        Survey.expiry(try ExpirySurvey.survey(shared, now: shared.clock()))
      }
      let answer = try ControlPlane(shared: shared).perform(
        .expire(isDryRun: false), actor: Actor(uid: 1, socketName: nil, isApprover: false),
        survey: survey)
      guard case .expiry(let report) = answer else { throw StoreError.corrupt }
      return report
    }
  }

  func status() throws -> RetentionStatus {
    guard case .retentionStatus(let status) = try control(.retentionStatus) else {
      throw StoreError.corrupt
    }
    return status
  }

  func buckets() throws -> [Bucket] {
    try store.shared.withState { try $0.keyring.buckets() }
  }
}
