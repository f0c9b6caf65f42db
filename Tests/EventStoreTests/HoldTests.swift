import EventModel
import Keyring
import Storage
import Testing

@testable import EventStore

@Suite struct HoldTests {
  private let day: Int64 = 86_400_000
  private let acme = TenantName("acme")!

  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  private func hold(_ store: TestStore, _ scope: HoldScope) throws -> HoldDetail {
    let review = UInt32(store.clock.now / day) + 90
    let act = HoldAct.set(acme, scope, .litigation, reviewDay: review)
    guard case .hold(.hold(let detail)) = try store.control(.hold(act)) else {
      throw StoreError.corrupt
    }
    return detail
  }

  private func list(_ store: TestStore) throws -> [HoldDetail] {
    guard case .hold(.holds(let found)) = try store.control(.hold(.list { _ in true })) else {
      throw StoreError.corrupt
    }
    return found
  }

  /// Releases a hold; by another user, an approver, at once.
  private func release(
    _ store: TestStore, _ id: HoldID, isApproved: Bool
  ) throws -> HoldAnswer {
    guard
      case .hold(.plan(_, let token)) = try store.control(
        .hold(.release(id, { _ in true }, .dryRun)))
    else { throw StoreError.corrupt }
    let act = HoldAct.release(id, { _ in true }, .token(bytes(token)))
    let answer = try store.control(
      .hold(act), uid: isApproved ? 2 : 1, isApprover: true)
    guard case .hold(let found) = answer else { throw StoreError.corrupt }
    return found
  }

  /// A person in two streams, one shared with another, and somebody else.
  private func store() throws -> (TestStore, TenantNumber) {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    _ = store.append(tenant, TestEvent(stream: "s", data: "mine", id: "i-1"))
    _ = store.append(tenant, TestEvent(stream: "s", subjects: ["u-1", "u-2"], data: "ours"))
    _ = store.append(tenant, TestEvent(stream: "t", subjects: ["u-3"], data: "theirs"))
    store.clock.advance(2 * day)
    return (store, tenant)
  }

  private func period(_ store: TestStore) -> ShredTarget {
    .period(className: [], day: UInt32(store.clock.now / day) - 2)
  }

  @Test func `a person under a hold, and events and tenants that name them, are not shredded`()
    throws
  {
    let (store, tenant) = try store()
    #expect(throws: StoreError.noSubject) { try hold(store, .subject(bytes("nobody"))) }
    let id = try hold(store, .subject(bytes("u-1"))).id
    for _ in 0..<2 {
      let held: [ShredTarget] = [.subjects([bytes("u-1")]), .events([1]), .tenant]
      for target in held {
        #expect(throws: StoreError.held(id), "\(target)") { try store.plan("acme", target) }
      }
      try store.reopen()
    }
    // What is not under the hold goes.
    #expect(try store.shred("acme", .stream(bytes("t"))).plan.eventCount == 1)
    #expect(try store.feed(tenant).map(\.data) == ["mine", "ours", nil])
  }

  @Test func `a hold on a class or a tenant keeps what is in it`() throws {
    for scope in [HoldScope.retentionClass(bytes("default")), .tenant] {
      let (store, _) = try store()
      let id = try hold(store, scope).id
      #expect(throws: StoreError.held(id)) { try store.plan("acme", .subjects([bytes("u-2")])) }
      #expect(throws: StoreError.held(id)) { try store.plan("acme", .events([2])) }
      #expect(throws: StoreError.held(id)) { try store.plan("acme", period(store)) }
      #expect(throws: StoreError.held(id)) { try store.plan("acme", .tenant) }
    }
  }

  @Test func `days of a class under a hold expire when it is released`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme", retention: "10d")
    _ = try store.setClass("acme", "other", max: "10d")
    _ = store.append(tenant, TestEvent(data: "held"))
    _ = store.append(tenant, TestEvent(data: "gone", className: "other"))
    let id = try hold(store, .retentionClass(bytes("default"))).id
    store.clock.advance(50 * day)
    #expect(try store.expire().eventCount == 1)
    #expect(try store.feed(tenant).map(\.data) == ["held"])
    guard case .released = try release(store, id, isApproved: true) else {
      throw StoreError.corrupt
    }
    #expect(try store.expire().eventCount == 1)
    #expect(try store.feed(tenant).isEmpty)
  }

  @Test func `a dry run does not count for a hold that was set after it`() throws {
    let (store, _) = try store()
    let plan = try store.plan("acme", .stream(bytes("s")))
    _ = try hold(store, .subject(bytes("u-1")))
    #expect(throws: StoreError.planChanged) {
      try store.control(
        .shred(acme, .stream(bytes("s")), reason: .other, token: bytes(plan.token)))
    }
    #expect(try store.plan("acme", .stream(bytes("s"))).heldEventCount == 2)
  }

  @Test func `a released hold ends in a week, or at once with an approver`() throws {
    let (store, tenant) = try store()
    let first = try hold(store, .subject(bytes("u-1")))
    #expect(try list(store).map(\.id) == [first.id] && !first.isOverdue)
    #expect(throws: StoreError.confirmationMissing) {
      try store.control(.hold(.release(first.id, { _ in true }, .none)))
    }
    // Of another tenant's holds nobody learns whether they are there.
    #expect(throws: StoreError.noHold) {
      try store.control(.hold(.release(first.id, { _ in false }, .dryRun)))
    }
    guard case .hold(let detail) = try release(store, first.id, isApproved: false) else {
      throw StoreError.corrupt
    }
    #expect(detail.endsMilliseconds == store.clock.now + 7 * day)
    store.clock.advance(7 * day - 1)
    #expect(throws: StoreError.held(first.id)) {
      try store.plan("acme", .subjects([bytes("u-1")]))
    }
    store.clock.advance(1)
    #expect(try store.plan("acme", .subjects([bytes("u-1")])).eventCount == 2)
    let second = try hold(store, .subject(bytes("u-1")))
    guard case .released = try release(store, second.id, isApproved: true) else {
      throw StoreError.corrupt
    }
    #expect(try list(store).isEmpty)
    #expect(try store.shred("acme", "u-1").plan.eventCount == 2)
    #expect(try store.feed(tenant).map(\.data) == [nil, nil, "theirs"])
  }

  @Test func `a review lies ahead, and is overdue when its day has come`() throws {
    let (store, _) = try store()
    #expect(throws: StoreError.reviewPast) {
      try store.control(.hold(.set(acme, .tenant, .audit, reviewDay: 20_000)))
    }
    _ = try hold(store, .tenant)
    store.clock.advance(91 * day)
    #expect(try list(store).map(\.isOverdue) == [true])
  }

  /// A key whose minimum has ended stays while its person is under a hold.
  @Test(arguments: [nil, "hold-ignored"])
  func `a hold outlasts a minimum`(variant: String?) throws {
    let (store, tenant) = try store()
    _ = try store.setClass("acme", "invoices", max: "3650d", min: "30d")
    _ = store.append(
      tenant, TestEvent(stream: "b", subjects: ["u-9"], data: "bill", className: "invoices"))
    _ = store.append(
      tenant, TestEvent(stream: "b", subjects: ["u-3"], data: "bill", className: "invoices"))
    let id = try hold(store, .stream(bytes("b"))).id
    #expect(throws: StoreError.held(id)) { try store.plan("acme", .stream(bytes("b"))) }
    guard case .released = try release(store, id, isApproved: true) else {
      throw StoreError.corrupt
    }
    _ = try store.shred("acme", .stream(bytes("b")))
    let day = UInt16(store.clock.now / day) + 31
    store.clock.advance(40 * self.day)
    // The name is free: what was held of the former stream, a hold on the class still keeps.
    _ = store.append(tenant, TestEvent(stream: "b", subjects: [], data: "new"))
    _ = try hold(store, .stream(bytes("b")))
    let shared = store.store.shared
    try TestHooks.$taskVariant.withValue(variant) {
      let lapsed = try shared.lapsedParts(on: day)
      #expect(lapsed[tenant]?.slots.isEmpty ?? true == (variant == nil))
    }
  }

  /// A hold that names no key, as on a class, keeps those that its events need.
  @Test(arguments: [nil, "hold-ignored"], [true, false])
  func `a hold keeps the keys of its events after their minimum`(
    variant: String?, isOfClass: Bool
  ) throws {
    let (store, tenant) = try store()
    _ = try store.setClass("acme", "invoices", max: "3650d", min: "30d")
    _ = store.append(
      tenant, TestEvent(stream: "b", subjects: ["u-9"], data: "bill", className: "invoices"))
    _ = try store.shred("acme", .subjects([bytes("u-9")]))
    _ = try hold(store, isOfClass ? .retentionClass(bytes("invoices")) : .tenant)
    let day = UInt16(store.clock.now / day) + 31
    let shared = store.store.shared
    try TestHooks.$taskVariant.withValue(variant) {
      let lapsed = try shared.lapsedParts(on: day)
      #expect(lapsed[tenant]?.slots.isEmpty ?? true == (variant == nil))
    }
  }
}
