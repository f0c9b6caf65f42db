import EventModel
import Keyring
import Storage
import Testing

@testable import EventStore

private let acme = TenantName("acme")!
private let day: Int64 = 86_400_000

extension TestStore {
  /// Dry run and confirmation, whatever is answered.
  @discardableResult
  fileprivate func confirm(
    _ target: ShredTarget, uid: UInt32 = 1, received: UInt32? = nil
  ) throws -> ControlAnswer {
    let token = Array(try plan("acme", target).token.utf8)
    let request = ShredRequest(
      reason: .art17, ticket: Array("DPO-1".utf8), receivedDay: received)
    return try control(.shred(acme, target, request, token: token), uid: uid)
  }

  fileprivate func status(_ number: UInt32) throws -> PlanDetail {
    guard case .planned(let plan) = try control(.plan(.status(number, { _ in true }))) else {
      throw StoreError.corrupt
    }
    return plan
  }

  fileprivate func approve(_ number: UInt32, uid: UInt32, isApprover: Bool = true) throws {
    try control(.plan(.approve(number, { _ in true })), uid: uid, isApprover: isApprover)
  }

  fileprivate func cancel(_ number: UInt32) throws {
    try control(.plan(.cancel(number, { _ in true })))
  }

  fileprivate func grant(_ kind: PlanKind, days: Int64) throws {
    try control(.setTenant(acme, .grace(kind, milliseconds: days * day)))
  }

  /// Carries out what is due, as the timer does.
  fileprivate func carryOut(_ number: UInt32) throws { try control(.plan(.carryOut(number))) }

  fileprivate func filled() throws -> TenantNumber {
    let tenant = try createTenant("acme")
    for (index, subjects) in [["ann"], ["bob"], ["ann", "bob"], []].enumerated() {
      _ = append(tenant, TestEvent(subjects: subjects, data: "d\(index + 1)"))
    }
    _ = append(tenant, TestEvent(stream: "ann's", subjects: ["ann"], data: "d5"))
    _ = append(tenant, TestEvent(stream: "ann's", subjects: [], data: "d6"))
    return tenant
  }
}

private func person(_ name: String) -> ShredTarget { .subjects([Array(name.utf8)]) }

@Suite struct PlanTests {
  @Test func `a person's events are hidden at once and destroyed when their time has come`() throws
  {
    let store = try TestStore()
    let tenant = try store.filled()
    try store.grant(.subjects, days: 3)
    guard case .planned(let plan) = try store.confirm(person("ann")) else {
      throw StoreError.corrupt
    }
    #expect(plan.state == .waiting && plan.number == 1 && plan.plan.eventCount == 4)
    #expect(plan.dueMilliseconds == store.clock.now + 3 * day)
    for _ in 0..<2 {
      #expect(try store.feed(tenant).map(\.data) == [nil, "d2", nil, "d4", nil, nil])
      #expect(try store.feed(tenant).count { $0.event.state == .restricted } == 4)
      #expect(store.append(tenant, TestEvent(subjects: ["ann"])).error == .subjectRestricted)
      #expect(
        store.append(tenant, TestEvent(stream: "ann's", subjects: [])).error == .streamRestricted)
      #expect(throws: StoreError.noPlan) { try store.carryOut(1) }
      try store.reopen()
    }
    #expect(try store.status(1).request.ticket == Array("DPO-1".utf8))
    store.clock.advance(3 * day)
    try store.carryOut(1)
    #expect(try store.feed(tenant).count { $0.event.state == .erased } == 4)
    #expect(try store.stream(tenant, "ann's").isEmpty)
    #expect(store.append(tenant, TestEvent(subjects: ["ann"])).error == .subjectShredded)
    #expect(try store.store.erasures(tenant, after: 0, limit: 9).count == 1)
    try store.reopen()
    #expect(try store.status(1).state == .done)
    #expect(throws: StoreError.noPlan) { try store.carryOut(1) }
    #expect(throws: StoreError.noPlan) { try store.cancel(1) }
  }

  @Test func `the daemon carries out what became due while it was down`() throws {
    let store = try TestStore()
    let tenant = try store.filled()
    try store.grant(.subjects, days: 3)
    try store.confirm(person("ann"))
    store.clock.advance(4 * day)
    try store.reopen()
    var left = 200
    while try store.status(1).state == .waiting, left > 0 {
      left -= 1
      Committer.pauseMilliseconds(25)
    }
    #expect(try store.status(1).state == .done)
    #expect(try store.feed(tenant).count { $0.event.state == .erased } == 4)
  }

  @Test func `a cancelled plan gives back what no other plan needs`() throws {
    let store = try TestStore()
    let tenant = try store.filled()
    for kind in [PlanKind.subjects, .stream, .events, .period] { try store.grant(kind, days: 3) }
    try store.confirm(person("ann"))
    try store.confirm(.stream(Array("ann's".utf8)))
    try store.confirm(.events([2]))
    #expect(try store.feed(tenant).map(\.data) == [nil, nil, nil, "d4", nil, nil])
    try store.cancel(1)
    for _ in 0..<2 {
      #expect(try store.feed(tenant).map(\.data) == ["d1", nil, "d3", "d4", nil, nil])
      try store.reopen()
    }
    #expect(store.append(tenant, TestEvent(subjects: ["ann"])).error == nil)
    try store.cancel(2)
    try store.cancel(3)
    #expect(try store.feed(tenant, 1...6).map(\.data) == (1...6).map { "d\($0)" })
    #expect(
      try [1, 2, 3].map { try store.status($0).state } == [.cancelled, .cancelled, .cancelled])
    // What a person demanded stays.
    try store.control(.restrictSubject(acme, subject: Array("bob".utf8), .restriction))
    try store.confirm(person("bob"))
    try store.cancel(4)
    #expect(store.append(tenant, TestEvent(subjects: ["bob"])).error == .subjectRestricted)
    #expect(try store.feed(tenant, 2...2).map(\.event.state) == [.restricted])
  }

  @Test func `a day that waits is hidden, and what expired meanwhile is no obstacle`() throws {
    let store = try TestStore()
    let tenant = try store.filled()
    try store.grant(.period, days: 2)
    let today = UInt32(store.clock.now / day)
    store.clock.advance(day)
    _ = store.append(tenant, TestEvent(subjects: ["zoe"], data: "next day"))
    try store.confirm(.period(className: [], day: today))
    #expect(try store.feed(tenant).compactMap(\.data) == ["next day"])
    #expect(try store.feed(tenant).count == 7)
    _ = try store.control(.setTenant(acme, .grace(.period, milliseconds: 0)))
    _ = try store.shred("acme", .period(className: [], day: today))
    store.clock.advance(2 * day)
    try store.carryOut(1)
    #expect(try store.status(1).state == .done)
    #expect(try store.feed(tenant).map(\.data) == ["next day"])
  }

  @Test func `a request is answered in time, whatever the tenant grants`() throws {
    let store = try TestStore()
    let tenant = try store.filled()
    try store.grant(.subjects, days: 14)
    let today = UInt32(store.clock.now / day)
    guard case .planned(let plan) = try store.confirm(person("ann"), received: today - 27) else {
      throw StoreError.corrupt
    }
    let due = ShredRequest(reason: .art17, receivedDay: today - 27).dueDay!
    #expect(plan.daysLeft == Int(due) - Int(today) && (1...4).contains(plan.daysLeft!))
    #expect(plan.dueMilliseconds == (Int64(due) + 1) * day)
    // Overdue: at once.
    guard case .shredded = try store.confirm(person("bob"), received: today - 40) else {
      throw StoreError.corrupt
    }
    #expect(try store.feed(tenant, 2...2).map(\.event.state) == [.erased])
  }
}

@Suite struct ApprovalTests {
  private func crowd(_ store: TestStore, _ count: Int) throws -> TenantNumber {
    let tenant = try store.createTenant("acme")
    _ = store.append(
      tenant, (0..<count).map { TestEvent(stream: "s", subjects: ["u-\($0)"], data: "\($0)") })
    return tenant
  }

  private func persons(_ range: Range<Int>) -> ShredTarget {
    .subjects(range.map { Array("u-\($0)".utf8) })
  }

  @Test func `a hundred and one persons need a second user, and nobody is their own second`() throws
  {
    let store = try TestStore()
    let tenant = try crowd(store, 101)
    #expect(try store.plan("acme", persons(0..<100)).needsApproval == false)
    #expect(try store.plan("acme", persons(0..<101)).needsApproval)
    #expect(throws: StoreError.approvalAwaited(plan: 1)) { try store.confirm(persons(0..<101)) }
    try store.reopen()
    #expect(try store.status(1).state == .approval)
    #expect(try store.feed(tenant).allSatisfy { $0.event.state == .live })
    #expect(throws: StoreError.approvalAwaited(plan: 1)) { try store.approve(1, uid: 1) }
    #expect(throws: StoreError.approvalAwaited(plan: 1)) {
      try store.approve(1, uid: 2, isApprover: false)
    }
    try store.approve(1, uid: 2)
    #expect(try store.feed(tenant).allSatisfy { $0.event.state == .erased })
    #expect(try store.status(1).approvedBy == "uid:2")
    #expect(try store.status(1).state == .done)
    #expect(throws: StoreError.noPlan) { try store.approve(1, uid: 3) }
  }

  @Test func `what a day adds up to counts, not the plan alone`() throws {
    let store = try TestStore()
    _ = try crowd(store, 200)
    try store.confirm(persons(0..<60))
    try store.grant(.subjects, days: 1)
    try store.confirm(persons(60..<100))
    #expect(throws: StoreError.approvalAwaited(plan: 2)) { try store.confirm(persons(100..<101)) }
    store.clock.advance(day)
    guard case .planned = try store.confirm(persons(101..<102)) else { throw StoreError.corrupt }
  }

  @Test func `more than a hundredth of the events need a second user, but for a thousand`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for part in 0..<2 {
      _ = store.append(
        tenant, (0..<600).map { TestEvent(stream: "s\(part)", subjects: [], data: "\($0)") })
    }
    #expect(try store.plan("acme", .stream(Array("s0".utf8))).needsApproval == false)
    try store.confirm(.stream(Array("s0".utf8)))
    #expect(throws: StoreError.approvalAwaited(plan: 1)) {
      try store.confirm(.stream(Array("s1".utf8)))
    }
  }

  @Test func `a plan that changed before its approval is dropped, and one that nobody approves`()
    throws
  {
    let store = try TestStore()
    let tenant = try crowd(store, 101)
    #expect(throws: StoreError.approvalAwaited(plan: 1)) { try store.confirm(persons(0..<101)) }
    _ = store.append(tenant, TestEvent(stream: "s", subjects: ["u-3"]))
    #expect(throws: StoreError.planChanged) { try store.approve(1, uid: 2) }
    #expect(try store.status(1).state == .lapsed)
    #expect(throws: StoreError.approvalAwaited(plan: 2)) { try store.confirm(persons(0..<101)) }
    store.clock.advance(7 * day)
    try store.carryOut(2)
    #expect(try store.status(2).state == .lapsed)
    #expect(try store.feed(tenant).allSatisfy { $0.event.state == .live })
  }

  @Test(arguments: ["self-approval", "approval-per-plan"])
  func `what would let one user do it alone is caught`(variant: String) throws {
    let store = try TestStore()
    let tenant = try crowd(store, 120)
    let (shared, target) = (store.store.shared, persons(0..<101))
    let control = ControlPlane(shared: shared)
    let actor = Actor(uid: 1, socketName: nil, isApprover: true)
    _ = try store.confirm(persons(101..<120))
    func act(_ act: ControlAct, _ target: ShredTarget) throws(StoreError) -> ControlAnswer {
      let survey = Result { () throws(StoreError) in
        Survey.shred(try PlanSurvey.survey(target, tenant: tenant, shared: shared))
      }
      return try control.perform(act, actor: actor, survey: survey)
    }
    let isAlone = try TestHooks.$taskVariant.withValue(variant) { () throws -> Bool in
      let wanted = variant == "self-approval" ? target : persons(0..<99)
      guard case .plan(let plan) = try act(.planShred(acme, wanted), wanted) else { return false }
      let request = ShredRequest(reason: .art17)
      let token = Array(plan.token.utf8)
      do throws(StoreError) {
        _ = try act(.shred(acme, wanted, request, token: token), wanted)
        return true
      } catch {
        guard case .approvalAwaited(let number) = error else { return false }
        do throws(StoreError) {
          _ = try act(.plan(.approve(number, { _ in true })), wanted)
          return true
        } catch { return false }
      }
    }
    #expect(isAlone, "the variant does not break anything")
  }
}

@Suite struct BatchAndTenantPlanTests {
  @Test func `persons of one batch go in one rotation and are counted once`() throws {
    let store = try TestStore()
    let tenant = try store.filled()
    let both = ShredTarget.subjects([Array("ann".utf8), Array("bob".utf8), Array("ann".utf8)])
    let plan = try store.plan("acme", both)
    #expect(plan.subjectCount == 2 && plan.eventCount == 6 && plan.sharedEventCount == 0)
    #expect(plan.ownStreamCount == 2 && plan.impersonalEventCount == 2)
    guard case .shredded(let receipt) = try store.confirm(both) else { throw StoreError.corrupt }
    #expect(receipt.rotation.epoch == 2)
    #expect(try store.feed(tenant).allSatisfy { $0.event.state == .erased })
    for name in ["ann", "bob"] {
      #expect(store.append(tenant, TestEvent(subjects: [name])).error == .subjectShredded)
    }
    _ = store.append(tenant, TestEvent(subjects: ["zoe"]))
    #expect(throws: StoreError.noSubjects(count: 2, first: 2)) {
      try store.plan(
        "acme", .subjects([Array("zoe".utf8), Array("ann".utf8), Array("nobody".utf8)]))
    }
  }

  /// Of 10,000, spread over all of the tree: what an hour of requests costs in one rotation.
  @Test func `a thousand persons in a batch seal at most three megabytes`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for part in 0..<10 {
      _ = store.append(
        tenant,
        (0..<1_000).map { TestEvent(stream: "s", subjects: ["u-\(part * 1_000 + $0)"], data: "") })
    }
    let persons = (0..<1_000).map { Array("u-\($0 * 10)".utf8) }
    let receipt = try store.shred("acme", .subjects(persons))
    #expect(receipt.plan.subjectCount == 1_000 && receipt.plan.eventCount == 1_000)
    #expect(receipt.rotation.epoch == 2 && receipt.rotation.keysDestroyed == 1_000)
    #expect(receipt.rotation.bytesSealed <= 3_000_000)
    print(
      "sealed", receipt.rotation.bytesSealed, "bytes in", receipt.rotation.nodesWritten, "nodes")
  }

  @Test func `a tenant is closed for seven days, can come back, and then is gone`() throws {
    let store = try TestStore()
    let tenant = try store.filled()
    for round: UInt32 in 1...2 {
      #expect(throws: StoreError.approvalAwaited(plan: round)) { try store.confirm(.tenant) }
      #expect(try store.feed(tenant).count == 6)
      try store.approve(round, uid: 2)
      try store.reopen()
      #expect(throws: StoreError.suspended) { try store.feed(tenant) }
      #expect(store.append(tenant, TestEvent()).error == .suspended)
      guard round == 1 else { break }
      try store.cancel(1)
      #expect(try store.feed(tenant).count == 6)
    }
    store.clock.advance(7 * day - 1)
    #expect(throws: StoreError.noPlan) { try store.carryOut(2) }
    store.clock.advance(1)
    try store.carryOut(2)
    #expect(store.store.tenant(named: acme) == nil)
    #expect(try store.status(2).state == .done)
    #expect(try store.status(2).tenant == nil)
  }

  @Test func `an offboarded tenant takes nothing, is read until its end, and its name is free`()
    throws
  {
    let store = try TestStore()
    let tenant = try store.filled()
    try store.grant(.subjects, days: 20)
    try store.confirm(person("ann"))
    #expect(throws: StoreError.approvalAwaited(plan: 2)) { try store.confirm(.offboarding) }
    for _ in 0..<2 {
      #expect(store.append(tenant, TestEvent(subjects: ["bob"])).error == .suspended)
      #expect(try store.feed(tenant).compactMap(\.data) == ["d2", "d4"])
      try store.reopen()
    }
    try store.approve(2, uid: 2)
    #expect(store.append(tenant, TestEvent(subjects: ["bob"])).error == .suspended)
    #expect(try store.feed(tenant).count == 6)
    store.clock.advance(7 * day)
    try store.carryOut(2)
    #expect(try [1, 2].map { try store.status($0).state } == [.done, .done])
    let again = try store.createTenant("acme")
    #expect(again != tenant)
    #expect(store.append(again, TestEvent(subjects: ["ann"])).position == 1)
    #expect(try store.feed(again).count == 1)
  }
}
