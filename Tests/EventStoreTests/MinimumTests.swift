import EventModel
import Keyring
import Testing

@testable import EventStore

@Suite struct MinimumTests {
  private let day: Int64 = 86_400_000

  /// A tenant with clicks and, kept for thirty days at least, invoices.
  private func store() throws -> (TestStore, TenantNumber) {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    _ = try store.setClass("acme", "invoices", max: "3650d", min: "30d")
    return (store, tenant)
  }

  private func today(_ store: TestStore) -> UInt16 { UInt16(store.clock.now / day) }

  /// What the expiry run does with keys whose last day has come.
  private func lapse(_ store: TestStore) throws -> Int {
    let shared = store.store.shared
    var removal = Removal()
    removal.parts = try shared.lapsedParts(on: today(store))
    guard !removal.parts.isEmpty else { return 0 }
    let actor = Actor(uid: 1, socketName: nil, isApprover: false)
    return try ControlPlane(shared: shared).rotate(
      removal, .keysCollected, .none, actor, plan: nil, reason: nil, now: store.clock.now
    ).keysDestroyed
  }

  private func states(_ store: TestStore, _ tenant: TenantNumber) throws -> [EventState] {
    try store.feed(tenant).map(\.event.state)
  }

  @Test(arguments: [nil, "minimum-ignored"])
  func `a person's invoices outlive the request, restricted, and end by themselves`(
    variant: String?
  ) throws {
    let (store, tenant) = try store()
    _ = store.append(tenant, TestEvent(stream: "s", data: "click"))
    _ = store.append(tenant, TestEvent(stream: "s", subjects: ["u-2"], data: "other"))
    _ = store.append(tenant, TestEvent(stream: "s", data: "old", className: "invoices"))
    store.clock.advance(20 * day)
    _ = store.append(tenant, TestEvent(stream: "s", data: "new", className: "invoices"))
    let last = today(store) + 31
    let receipt = try store.shredHere(
      "acme", .subjects([Array("u-1".utf8)]), variant: variant)
    if variant != nil {
      #expect(try states(store, tenant) == [.erased, .live, .erased, .erased])
      return
    }
    #expect(receipt.plan.eventCount == 1 && receipt.plan.keyCount == 1)
    #expect(receipt.plan.restrictedEventCount == 2 && receipt.plan.restrictedUntilDay == last)
    #expect(receipt.rotation.keysDestroyed == 1)
    let name = Array(receipt.rotation.certificate!.text.utf8)
    guard case .certificate(let certificate) = try store.control(.certificate(name)) else {
      Issue.record("no certificate")
      return
    }
    let text = String(decoding: certificate.document, as: UTF8.self)
    #expect(text.contains(#""events_restricted":2"#))
    for _ in 0..<2 {
      #expect(try states(store, tenant) == [.erased, .live, .restricted, .restricted])
      #expect(try store.store.count(tenant, EventFilter(subject: "u-1")) == 0)
      #expect(store.append(tenant, TestEvent(className: "invoices")).error == .subjectShredded)
      try store.reopen()
    }
    // Comes back: events get another key, and those of before stay restricted.
    try store.control(.enrolSubject(TenantName("acme")!, subject: Array("u-1".utf8)))
    #expect(store.append(tenant, TestEvent(data: "again", className: "invoices")).error == nil)
    #expect(try states(store, tenant) == [.erased, .live, .restricted, .restricted, .live])
    store.clock.advance(31 * day - 1 - store.clock.now % day)
    #expect(try lapse(store) == 0)
    store.clock.advance(1)
    #expect(try lapse(store) == 1 && lapse(store) == 0)
    #expect(try states(store, tenant) == [.erased, .live, .erased, .erased, .live])
    try store.reopen()
    #expect(try states(store, tenant) == [.erased, .live, .erased, .erased, .live])
    store.close()
    let report = try store.check()
    #expect(report.isSound && report.log.opened == 2)
  }

  @Test func `a person's own stream ends with the last minimum in it`() throws {
    let (store, tenant) = try store()
    _ = store.append(tenant, TestEvent(stream: "mine", data: "click"))
    _ = store.append(tenant, TestEvent(stream: "mine", data: "bill", className: "invoices"))
    _ = store.append(tenant, TestEvent(stream: "mine", subjects: [], data: "note"))
    let receipt = try store.shred("acme", "u-1")
    #expect(receipt.plan.eventCount == 1 && receipt.plan.restrictedEventCount == 2)
    #expect(receipt.plan.ownStreamCount == 0 && receipt.plan.keyCount == 1)
    #expect(try states(store, tenant) == [.erased, .restricted, .restricted])
    #expect(try store.stream(tenant, "mine").isEmpty)
    // The name is free, and another stream's versions begin at 1.
    #expect(
      store.append(tenant, TestEvent(stream: "mine", subjects: ["u-2"], data: "x")).version == 1)
    store.clock.advance(31 * day)
    #expect(try (store.expire().rotation?.keysDestroyed ?? 0) >= 2, "and the days of the index")
    #expect(try states(store, tenant) == [.erased, .erased, .erased, .live])
  }

  @Test func `a stream that is shredded waits for the minimum of what is in it`() throws {
    let (store, tenant) = try store()
    _ = store.append(tenant, TestEvent(stream: "s", data: "click"))
    _ = store.append(tenant, TestEvent(stream: "s", subjects: [], data: "b", className: "invoices"))
    let receipt = try store.shred("acme", .stream(Array("s".utf8)))
    #expect(receipt.plan.eventCount == 0 && receipt.plan.restrictedEventCount == 2)
    #expect(try states(store, tenant) == [.restricted, .restricted])
    store.clock.advance(31 * day)
    #expect(try lapse(store) == 1)
    #expect(try states(store, tenant) == [.erased, .erased])
  }

  @Test func `a minimum that has passed keeps nothing`() throws {
    let (store, tenant) = try store()
    _ = store.append(tenant, TestEvent(data: "bill", className: "invoices"))
    store.clock.advance(32 * day)
    let receipt = try store.shred("acme", "u-1")
    #expect(receipt.plan.eventCount == 1 && receipt.plan.restrictedEventCount == 0)
    #expect(try states(store, tenant) == [.erased])
  }

  @Test func `a class that restricts on request keeps events until they expire`() throws {
    let (store, tenant) = try store()
    var change = RetentionChange()
    change.maximum = RetentionSpan(Array("40d".utf8))
    change.onRequest = .restrict
    let request = RetentionRequest(className: Array("claims".utf8), change: change)
    try store.control(.retention(TenantName("acme")!, .set(request, .none)))
    _ = store.append(tenant, TestEvent(data: "claim", className: "claims"))
    _ = store.append(
      tenant, TestEvent(stream: "s", subjects: ["u-2"], data: "claim", className: "claims"))
    let receipt = try store.shred("acme", "u-1")
    #expect(receipt.plan.restrictedUntilDay == today(store) + 40)
    #expect(try states(store, tenant) == [.restricted, .live])
    // Nobody asked for themselves: only a minimum keeps a stream.
    #expect(try store.shred("acme", .stream(Array("s".utf8))).plan.eventCount == 1)
  }

  @Test func `in compliance mode nobody takes events away by themselves`() throws {
    let (store, tenant) = try store()
    var change = RetentionChange()
    change.mode = .compliance
    let request = RetentionRequest(className: Array("invoices".utf8), change: change)
    _ = store.append(tenant, TestEvent(data: "bill", className: "invoices"))
    try store.control(.retention(TenantName("acme")!, .set(request, .none)))
    let stored = UInt32(store.clock.now / day)
    store.clock.advance(2 * day)
    let period = ShredTarget.period(className: Array("invoices".utf8), day: stored)
    #expect(throws: StoreError.minimumPending) { try store.plan("acme", .events([1])) }
    #expect(throws: StoreError.minimumPending) { try store.plan("acme", period) }
    store.clock.advance(30 * day)
    #expect(try store.plan("acme", period).eventCount == 1)
  }
}
