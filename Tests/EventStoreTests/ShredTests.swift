import EventModel
import Storage
import Testing

@testable import EventStore

@Suite struct ShredTests {
  @Test func `a shredded person's events keep their places and lose everything else`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...30 {
      _ = store.append(tenant, TestEvent(subjects: ["u-\(index % 3)"], data: "d\(index)"))
    }
    let receipt = try store.shred("acme", "u-1")
    #expect(receipt.plan.eventCount == 10)
    #expect(receipt.plan.sharedStreamCount == 1)
    let feed = try store.feed(tenant)
    #expect(feed.count == 30)
    for event in feed {
      let isErased = event.event.position % 3 == 1
      #expect(event.event.state == (isErased ? .erased : .live))
      #expect(event.data == (isErased ? nil : "d\(event.event.position)"))
    }
    try store.reopen()
    #expect(try store.feed(tenant) == feed)
    #expect(try store.stream(tenant, "orders").count == 30)
  }

  @Test func `an erased person is refused until enrolled again, and then begins anew`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    _ = store.append(tenant, TestEvent(data: "old"))
    _ = try store.shred("acme", "u-1")
    #expect(store.append(tenant, TestEvent(data: "refused")).error == .subjectShredded)
    try store.reopen()
    #expect(store.append(tenant, TestEvent(data: "refused")).error == .subjectShredded)
    try store.control(.enrolSubject(TenantName("acme")!, subject: Array("u-1".utf8)))
    #expect(store.append(tenant, TestEvent(data: "new")).error == nil)
    let states = try store.feed(tenant).map { $0.data }
    #expect(states == [nil, "new"])
  }

  @Test func `the suppression mark ends after thirty days`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    _ = store.append(tenant, TestEvent())
    _ = try store.shred("acme", "u-1")
    store.clock.advance(86_400_000 * 29)
    #expect(store.append(tenant, TestEvent()).error == .subjectShredded)
    store.clock.advance(86_400_000 * 2)
    #expect(store.append(tenant, TestEvent()).error == nil)
  }

  @Test func `streams that name nobody else die with the person, others live on`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    _ = store.append(
      tenant,
      [
        TestEvent(stream: "user-ann", subjects: ["ann"], data: "1"),
        TestEvent(stream: "user-ann", subjects: [], data: "2"),
        TestEvent(stream: "shared", subjects: ["ann"], data: "3"),
        TestEvent(stream: "shared", subjects: ["bob"], data: "4"),
        TestEvent(stream: "shared", subjects: ["ann", "bob"], data: "5"),
      ])
    let receipt = try store.shred("acme", "ann")
    #expect(receipt.plan.ownStreamCount == 1)
    #expect(receipt.plan.sharedStreamCount == 1)
    #expect(receipt.plan.eventCount == 4)
    #expect(receipt.plan.sharedEventCount == 1)
    #expect(receipt.plan.impersonalEventCount == 1)
    #expect(try store.feed(tenant).map(\.data) == [nil, nil, nil, "4", nil])
    #expect(try store.stream(tenant, "user-ann").isEmpty)
    #expect(store.append(tenant, TestEvent(stream: "user-ann", subjects: ["bob"])).version == 1)
    #expect(store.append(tenant, TestEvent(stream: "shared", subjects: ["bob"])).version == 4)
  }

  @Test func `a stream that named two persons dies with the second`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    _ = store.append(tenant, TestEvent(stream: "ann-and-bob", subjects: ["ann"]))
    _ = store.append(tenant, TestEvent(stream: "ann-and-bob", subjects: ["bob"]))
    #expect(try store.shred("acme", "ann").plan.ownStreamCount == 0)
    #expect(try store.stream(tenant, "ann-and-bob").count == 2)
    #expect(try store.shred("acme", "bob").plan.ownStreamCount == 1)
    #expect(try store.stream(tenant, "ann-and-bob").isEmpty)
  }

  @Test func `a plan is bound to what it counted and to its person`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    let name = TenantName("acme")!
    _ = store.append(tenant, [TestEvent(subjects: ["ann"]), TestEvent(subjects: ["bob"])])
    guard
      case .plan(let plan) = try store.control(.planShredSubject(name, subject: Array("ann".utf8)))
    else { throw StoreError.corrupt }
    let token = Array(plan.token.utf8)
    #expect(throws: StoreError.confirmationUnknown) {
      try store.control(
        .shredSubject(name, subject: Array("bob".utf8), reason: .art17, token: token))
    }
    _ = store.append(tenant, TestEvent(subjects: ["ann"]))
    #expect(throws: StoreError.planChanged) {
      try store.control(
        .shredSubject(name, subject: Array("ann".utf8), reason: .art17, token: token))
    }
    #expect(throws: StoreError.noSubject) {
      try store.control(.planShredSubject(name, subject: Array("nobody".utf8)))
    }
    #expect(throws: StoreError.confirmationMissing) {
      try store.control(.shredSubject(name, subject: Array("ann".utf8), reason: .art17, token: []))
    }
    store.clock.advance(Limits.planMilliseconds + 1)
    #expect(throws: StoreError.confirmationUnknown) {
      try store.control(
        .shredSubject(name, subject: Array("ann".utf8), reason: .art17, token: token))
    }
    #expect(try store.feed(tenant).allSatisfy { $0.event.state == .live })
  }

  @Test func `a tenant is shredded by a second user only, and is then unknown`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    let other = try store.createTenant("other")
    _ = store.append(tenant, TestEvent())
    _ = store.append(other, TestEvent(data: "mine"))
    let name = TenantName("acme")!
    guard case .plan(let plan) = try store.control(.planShredTenant(name), uid: 1) else {
      throw StoreError.corrupt
    }
    let confirm = ControlAct.shredTenant(name, reason: .offboarding, token: Array(plan.token.utf8))
    try store.control(.setTenant(name, .grace(.tenant, milliseconds: 0)))
    #expect(throws: StoreError.approvalAwaited(plan: 1)) {
      try store.control(confirm, uid: 1, isApprover: true)
    }
    #expect(throws: StoreError.approvalAwaited(plan: 1)) { try store.control(confirm, uid: 2) }
    try store.control(confirm, uid: 2, isApprover: true)
    #expect(throws: StoreError.noTenant) { try store.feed(tenant) }
    #expect(store.append(tenant, TestEvent()).error == .noTenant)
    try store.reopen()
    #expect(store.store.tenant(named: name) == nil)
    #expect(try store.feed(other).map(\.data) == ["mine"])
    let again = try store.createTenant("acme")
    #expect(again != tenant)
    #expect(store.append(again, TestEvent()).position == 1)
  }

  /// What a shred destroys is counted while appends go on, and asked about again before it is done.
  @Test(arguments: [nil, "survey-stale"])
  func `what came after the count changes the plan`(variant: String?) throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    _ = store.append(tenant, TestEvent(stream: "shared", subjects: ["ann"]))
    _ = store.append(tenant, TestEvent(stream: "shared", subjects: ["bob"]))
    _ = store.append(tenant, TestEvent(stream: "ann's", subjects: ["ann"]))
    let shared = store.store.shared
    let (name, ann) = (TenantName("acme")!, Array("ann".utf8))
    let actor = Actor(uid: 1, socketName: nil, isApprover: false)
    let later = [
      TestEvent(stream: "shared", subjects: ["ann"]), TestEvent(stream: "ann's", subjects: []),
      TestEvent(stream: "other", subjects: ["ann"]),
    ]
    for event in later {
      let control = ControlPlane(shared: shared)
      let survey = Result { () throws(StoreError) in
        Survey.shred(try PlanSurvey.survey(.subjects([ann]), tenant: tenant, shared: shared))
      }
      guard
        case .plan(let plan) = try control.perform(
          .planShredSubject(name, subject: ann), actor: actor, survey: survey)
      else { throw StoreError.corrupt }
      _ = store.append(tenant, event)
      let failure = TestHooks.$taskVariant.withValue(variant) { () -> StoreError? in
        do throws(StoreError) {
          _ = try control.perform(
            .shredSubject(name, subject: ann, reason: .art17, token: Array(plan.token.utf8)),
            actor: actor, survey: survey)
          return nil
        } catch { return error }
      }
      #expect((failure == .planChanged) == (variant == nil))
      guard variant == nil else { return }
    }
    _ = store.append(tenant, TestEvent(stream: "shared", subjects: ["bob"]))
    #expect(try store.shred("acme", "ann").plan.eventCount == 5)
  }
}
