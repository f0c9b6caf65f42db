import EventModel
import Foundation
import Keyring
import Storage
import Testing

@testable import EventStore

/// Events under a hold whose other keys are destroyed.
@Suite struct HeldEventTests {
  private let day: Int64 = 86_400_000
  private let acme = TenantName("acme")!

  /// What ends a key that a held event of u-1 needs.
  enum End: CaseIterable {
    case otherPerson, stream, period, expiry
  }

  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  private func hold(_ store: TestStore, _ scope: HoldScope) throws -> HoldID {
    let review = UInt32(store.clock.now / day) + 900
    let act = HoldAct.set(acme, scope, .litigation, reviewDay: review)
    guard case .hold(.hold(let detail)) = try store.control(.hold(act)) else {
      throw StoreError.corrupt
    }
    return detail.id
  }

  private func release(_ store: TestStore, _ id: HoldID) throws {
    guard
      case .hold(.plan(_, let token)) = try store.control(
        .hold(.release(id, { _ in true }, .dryRun)))
    else { throw StoreError.corrupt }
    _ = try store.control(
      .hold(.release(id, { _ in true }, .token(bytes(token)))), uid: 2, isApprover: true)
  }

  private func export(_ store: TestStore, _ id: HoldID, limit: Int = 100) throws -> [String] {
    var (after, found): (UInt64?, [String]) = (0, [])
    while let behind = after {
      guard
        case .hold(.export(let page)) = try store.control(
          .hold(.export(id, { _ in true }, after: behind, limit: limit)))
      else { throw StoreError.corrupt }
      found += page.events.map { ReadBack($0.event, $0.body.span).data ?? "" }
      after = page.next
    }
    return found
  }

  /// Events of u-1: alone, with somebody else, in a stream of their own; and others' between them.
  private func store() throws -> (TestStore, TenantNumber) {
    let store = try TestStore()
    let tenant = try store.createTenant("acme", retention: "30d")
    _ = store.append(tenant, TestEvent(stream: "s", data: "mine"))
    _ = store.append(tenant, TestEvent(stream: "s", subjects: ["u-1", "u-2"], data: "ours"))
    _ = store.append(tenant, TestEvent(stream: "s", subjects: ["u-3", "u-2"], data: "theirs"))
    _ = store.append(tenant, TestEvent(stream: "t", subjects: ["u-3"], data: "other"))
    store.clock.advance(2 * day)
    return (store, tenant)
  }

  private func carryOut(_ end: End, _ store: TestStore, variant: String? = nil) throws {
    let target: ShredTarget
    switch end {
    case .otherPerson: target = .subjects([bytes("u-2")])
    case .stream: target = .stream(bytes("s"))
    case .period: target = .period(className: [], day: UInt32(store.clock.now / day) - 2)
    case .expiry:
      store.clock.advance(40 * day)
      let shared = store.store.shared
      _ = try TestHooks.$taskVariant.withValue(variant) {
        try ControlPlane(shared: shared).expire(
          .success(.expiry(try ExpirySurvey.survey(shared, now: store.clock.now))),
          isDryRun: false, Actor(uid: 1, socketName: nil, isApprover: false))
      }
      return
    }
    _ = try store.shredHere("acme", target, variant: variant)
  }

  @Test(arguments: End.allCases)
  func `a held event outlives what ends its other keys, restricted until its release`(
    _ end: End
  ) throws {
    let (store, tenant) = try store()
    let id = try hold(store, .subject(bytes("u-1")))
    #expect(try export(store, id, limit: 1) == ["mine", "ours"])
    try carryOut(end, store)
    let held: [UInt64] = end == .otherPerson ? [2] : [1, 2]
    for _ in 0..<2 {
      let feed = try store.feed(tenant)
      #expect(feed.filter { $0.event.state == .restricted }.map(\.event.position) == held)
      #expect(feed.allSatisfy { $0.event.state == .live || $0.data == nil })
      #expect(try export(store, id, limit: 1) == ["mine", "ours"])
      let descending = try store.feed(tenant, isDescending: true)
      #expect(descending.map(\.event.position) == feed.map(\.event.position).reversed())
      try store.reopen()
    }
    try release(store, id)
    let feed = try store.feed(tenant)
    #expect(feed.allSatisfy { $0.event.state != .restricted })
    #expect(!feed.contains { $0.event.state == .live && held.contains($0.event.position) })
    #expect(throws: StoreError.noHold) { try export(store, id) }
    #expect(try documents(store, tenant) == 0)
    store.close()
    #expect(try store.check().log.isSound)
  }

  @Test(arguments: [nil, "purge-live"])
  func `a purge leaves what a hold has saved`(variant: String?) throws {
    for end in End.allCases {
      let (store, tenant) = try store()
      let id = try hold(store, .subject(bytes("u-1")))
      try carryOut(end, store)
      let purged = try TestHooks.$taskVariant.withValue(variant) { try store.purge() }
      #expect(purged > 0)
      for _ in 0..<2 {
        let found = try? export(store, id)
        #expect((found == ["mine", "ours"]) == (variant == nil))
        try store.reopen()
      }
      guard variant == nil else { continue }
      try release(store, id)
      #expect(try store.purge() > 0)
      #expect(try store.feed(tenant).allSatisfy { $0.event.state != .restricted })
    }
  }

  private func documents(_ store: TestStore, _ tenant: TenantNumber) throws -> Int {
    try store.store.shared.withState { (state) throws(StoreError) in
      try state.heldDocuments(tenant).count
    }
  }

  @Test(arguments: End.allCases)
  func `variant held-unsaved loses what is held`(_ end: End) throws {
    let (store, tenant) = try store()
    let id = try hold(store, .subject(bytes("u-1")))
    try carryOut(end, store, variant: "held-unsaved")
    #expect(try store.feed(tenant).allSatisfy { $0.event.state != .restricted })
    #expect(try export(store, id) == (end == .otherPerson ? ["mine"] : []))
  }

  @Test func `variant held-kept leaves the keys behind a release`() throws {
    let (store, tenant) = try store()
    let id = try hold(store, .subject(bytes("u-1")))
    try carryOut(.stream, store)
    let shared = store.store.shared
    let control = ControlPlane(shared: shared)
    try TestHooks.$taskVariant.withValue("held-kept") {
      guard
        case .plan(_, let token) = try control.perform(
          .release(id, { _ in true }, .dryRun),
          Actor(uid: 1, socketName: nil, isApprover: false), nil)
      else { throw StoreError.corrupt }
      _ = try control.perform(
        .release(id, { _ in true }, .token(bytes(token))),
        Actor(uid: 2, socketName: nil, isApprover: true), nil)
    }
    #expect(try documents(store, tenant) == 1)
  }

  @Test func `a hold on a stream keeps its events against their persons' shreds and their days`()
    throws
  {
    let (store, tenant) = try store()
    let id = try hold(store, .stream(bytes("s")))
    #expect(throws: StoreError.held(id)) { try store.plan("acme", .stream(bytes("s"))) }
    let plan = try store.plan("acme", .subjects([bytes("u-3")]))
    #expect(plan.eventCount == 1 && plan.heldEventCount == 1 && plan.sharedEventCount == 0)
    let receipt = try store.shred("acme", "u-3")
    #expect(receipt.plan.eventCount == 1 && receipt.plan.heldEventCount == 1)
    #expect(try export(store, id) == ["mine", "ours", "theirs"])
    try carryOut(.expiry, store)
    #expect(try store.feed(tenant).map(\.event.position) == [1, 2, 3])
    #expect(try export(store, id, limit: 2) == ["mine", "ours", "theirs"])
    try release(store, id)
    #expect(try store.feed(tenant).isEmpty)
  }

  @Test func `a second hold takes over what the first one saved`() throws {
    let scopes = [
      HoldScope.subject(bytes("u-1")), .stream(bytes("s")), .retentionClass(bytes("default")),
      .tenant,
    ]
    for scope in scopes {
      let (store, tenant) = try store()
      let first = try hold(store, .subject(bytes("u-1")))
      _ = store.append(tenant, TestEvent(stream: "s", data: "later"))
      try carryOut(.period, store)
      let second = try hold(store, scope)
      try release(store, first)
      let (kept, all) = (["mine", "ours"], ["mine", "ours", "later"])
      #expect(try export(store, second).filter { all.contains($0) } == all)
      #expect(try store.feed(tenant).filter { $0.event.state == .restricted }.count == kept.count)
      #expect(try documents(store, tenant) == 1)
      try release(store, second)
      #expect(try store.feed(tenant).map(\.data) == ["later"])
    }
  }

  @Test func `what a hold saved goes with the first run after its end`() throws {
    let (store, tenant) = try store()
    let id = try hold(store, .subject(bytes("u-1")))
    try carryOut(.period, store)
    guard
      case .hold(.plan(_, let token)) = try store.control(
        .hold(.release(id, { _ in true }, .dryRun)))
    else { throw StoreError.corrupt }
    _ = try store.control(.hold(.release(id, { _ in true }, .token(bytes(token)))))
    store.clock.advance(7 * day - 1)
    _ = try store.expire()
    #expect(try documents(store, tenant) == 1 && export(store, id) == ["mine", "ours"])
    store.clock.advance(1)
    #expect(try store.expire().rotation != nil)
    #expect(try documents(store, tenant) == 0)
    #expect(try store.feed(tenant).isEmpty)
    #expect(try store.expire().rotation == nil)
  }

  @Test func `expiry goes on for all that is not under the hold`() throws {
    let (store, tenant) = try store()
    _ = try hold(store, .subject(bytes("u-1")))
    store.clock.advance(40 * day)
    let report = try store.expire()
    #expect(report.eventCount == 2 && report.heldCount == 2)
    #expect(try store.feed(tenant).map(\.event.position) == [1, 2])
    let summary = try store.store.summary(tenant, stream: bytes("s").span)
    #expect(summary?.version == 3 && summary?.firstVersion == 1 && summary?.expiredCount == 1)
  }

  @Test func `what a stream and its day lose is found again when the index is rebuilt`() throws {
    let (store, tenant) = try store()
    let id = try hold(store, .subject(bytes("u-1")))
    try carryOut(.expiry, store)
    store.close()
    try FileManager.default.removeItem(atPath: store.dataPath + "/index")
    try store.reopen()
    #expect(try store.feed(tenant).map(\.event.position) == [1, 2])
    #expect(try export(store, id) == ["mine", "ours"])
  }

  @Test func `more events than one document has are saved and forgotten`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme", retention: "30d")
    let count = 2 * HeldDocument.entriesMax + 7
    _ = store.append(tenant, (0..<count).map { TestEvent(data: "e-\($0)") })
    let id = try hold(store, .subject(bytes("u-1")))
    try carryOut(.expiry, store)
    #expect(try documents(store, tenant) == 3)
    #expect(try export(store, id, limit: 50) == (0..<count).map { "e-\($0)" })
    #expect(try store.feed(tenant, 20...30).map(\.event.position) == Array(20...30))
    try release(store, id)
    #expect(try documents(store, tenant) == 0)
  }
}
