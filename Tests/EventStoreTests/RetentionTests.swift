import EventModel
import Keyring
import Testing

@testable import EventStore

@Suite struct RetentionTests {
  private let day: Int64 = 86_400_000

  @Test func `a class has persons, days and an end of its own`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    _ = try store.setClass("acme", "invoices", max: "3650d", min: "2190d")
    for name in ["invoices", "", "default"] {
      #expect(store.append(tenant, TestEvent(data: name, className: name)).error == nil)
    }
    #expect(store.append(tenant, TestEvent(className: "nosuch")).error == .unknownClass)
    for _ in 0..<2 {
      #expect(try store.feed(tenant).map(\.data) == ["invoices", "", "default"])
      #expect(try store.store.count(tenant, EventFilter(subject: "u-1")) == 3)
      try store.reopen()
    }
    let classes = try store.classes("acme")
    #expect(classes.map { String(decoding: $0.name, as: UTF8.self) } == ["default", "invoices"])
    #expect(
      classes[1].policy.retention.text == "3650d" && classes[1].policy.minimumPeriods == 2_190)
    // A day of one class leaves the other's alone.
    store.clock.advance(2 * day)
    let today = UInt32((store.clock.now - 2 * day) / day)
    let receipt = try store.shred("acme", .period(className: Array("invoices".utf8), day: today))
    #expect(receipt.plan.eventCount == 1)
    #expect(try store.feed(tenant).map(\.data) == ["", "default"])
  }

  @Test func `events whose writer says no class are of their type's`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme", retention: "36h")
    let before = store.append(tenant, TestEvent(type: "invoice", data: "before", id: "i-1"))
    _ = try store.setClass("acme", "invoices", max: "3650d")
    #expect(throws: StoreError.unknownClass) { try store.map("acme", "invoice", "nosuch") }
    let detail = try store.map("acme", "invoice", "invoices")
    #expect(detail.types == [Array("invoice".utf8)])
    // A retry is still known, whatever class its event would have now.
    let again = store.append(tenant, TestEvent(type: "invoice", data: "before", id: "i-1"))
    #expect(again.isDuplicate && again.position == before.position)
    for round in 0..<2 {
      for (type, name) in [("invoice", ""), ("click", ""), ("invoice", "default")] {
        let data = "\(type) \(name) \(round)"
        #expect(
          store.append(tenant, TestEvent(type: type, data: data, className: name)).error == nil)
      }
      try store.reopen()
    }
    // The hours of the default class are over; only what was mapped is left.
    let today = UInt32(store.clock.now / day)
    store.clock.advance(2 * day)
    _ = try store.shred("acme", .period(className: [], day: today))
    #expect(try store.feed(tenant).map(\.data) == ["invoice  0", "invoice  1"])
    _ = try store.map("acme", "invoice", "default")
    #expect(try store.classes("acme").allSatisfy { $0.types.isEmpty })
  }

  @Test func `a shorter maximum needs a plan, and an approver or a week`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme", retention: "100d")
    _ = store.append(tenant, TestEvent())
    store.clock.advance(20 * day)
    _ = store.append(tenant, TestEvent())
    #expect(throws: StoreError.confirmationMissing) {
      try store.setClass("acme", "default", max: "15d")
    }
    let plan = try store.planClass("acme", "default", max: "15d")
    #expect(plan.eventCount == 1 && plan.weight == .shortensMaximum)
    #expect(plan.inForceMilliseconds == store.clock.now + 7 * day)
    #expect(throws: StoreError.confirmationUnknown) {
      try store.setClass("acme", "default", max: "14d", token: plan.token)
    }
    let set = try store.setClass("acme", "default", max: "15d", token: plan.token)
    #expect(set.policy.retention.text == "100d" && set.policy.shortening?.periods == 15)
    #expect(throws: StoreError.confirmationUnknown) {
      try store.setClass("acme", "default", max: "15d", token: plan.token)
    }
    let again = try store.planClass("acme", "default", max: "12d")
    let approved = try store.setClass(
      "acme", "default", max: "12d", token: again.token, uid: 2, isApprover: true)
    #expect(approved.policy.retention.text == "12d" && approved.policy.shortening == nil)
    try store.reopen()
    #expect(try store.classes("acme")[0].policy == approved.policy)
  }

  @Test func `a plan is for the policy that it was made for`() throws {
    let store = try TestStore()
    _ = try store.createTenant("acme", retention: "100d")
    let plan = try store.planClass("acme", "default", max: "15d")
    _ = try store.setClass("acme", "default", max: "200d")
    #expect(throws: StoreError.planChanged) {
      try store.setClass("acme", "default", max: "15d", token: plan.token)
    }
  }

  @Test func `a shorter minimum needs an approver`() throws {
    let store = try TestStore()
    _ = try store.createTenant("acme", retention: "100d")
    _ = try store.setClass("acme", "default", min: "50d")
    let plan = try store.planClass("acme", "default", min: "40d")
    #expect(throws: StoreError.needsApproval) {
      try store.setClass("acme", "default", min: "40d", token: plan.token, isApprover: true)
    }
    let set = try store.setClass(
      "acme", "default", min: "40d", token: plan.token, uid: 2, isApprover: true)
    #expect(set.policy.minimumPeriods == 40)
  }

  @Test func `a tenant has eight classes at most, and a new one needs a maximum`() throws {
    let store = try TestStore()
    _ = try store.createTenant("acme")
    #expect(throws: StoreError.retention(.noMaximum)) { try store.setClass("acme", "a") }
    for index in 1..<Limits.classesMax { _ = try store.setClass("acme", "c\(index)", max: "30d") }
    #expect(throws: StoreError.tooManyClasses) { try store.setClass("acme", "more", max: "30d") }
  }
}

extension TestStore {
  static func request(_ name: String, max: String?, min: String?) -> RetentionRequest {
    var change = RetentionChange()
    change.maximum = max.flatMap { RetentionSpan(Array($0.utf8)) }
    change.minimum = min.flatMap { RetentionSpan(Array($0.utf8)) }
    return RetentionRequest(className: Array(name.utf8), change: change)
  }

  @discardableResult
  func setClass(
    _ tenant: String, _ name: String, max: String? = nil, min: String? = nil,
    token: String? = nil, uid: UInt32 = 1, isApprover: Bool = false
  ) throws -> RetentionDetail {
    let confirmation = token.map { Confirmation.token(Array($0.utf8)) } ?? .none
    let answer = try control(
      .retention(
        TenantName(tenant)!, .set(Self.request(name, max: max, min: min), confirmation)),
      uid: uid, isApprover: isApprover)
    guard case .retention(.done(let detail)) = answer else { throw StoreError.corrupt }
    return detail
  }

  @discardableResult
  func map(_ tenant: String, _ type: String, _ name: String) throws -> RetentionDetail {
    let act = RetentionAct.map(type: Array(type.utf8), className: Array(name.utf8))
    guard case .retention(.done(let detail)) = try control(.retention(TenantName(tenant)!, act))
    else { throw StoreError.corrupt }
    return detail
  }

  func planClass(
    _ tenant: String, _ name: String, max: String? = nil, min: String? = nil
  ) throws -> RetentionPlan {
    let answer = try control(
      .retention(TenantName(tenant)!, .set(Self.request(name, max: max, min: min), .dryRun)))
    guard case .retention(.plan(let plan)) = answer else { throw StoreError.corrupt }
    return plan
  }

  func classes(_ tenant: String) throws -> [RetentionDetail] {
    guard case .retention(.classes(let found)) = try control(.retention(TenantName(tenant)!, .list))
    else { throw StoreError.corrupt }
    return found
  }
}
