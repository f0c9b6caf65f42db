import EventModel
import Keyring
import Storage
import Testing

@testable import EventStore

@Suite struct GrantTests {
  private let name = TenantName("acme")!
  private let exporter = Actor(uid: 1_201, socketName: nil, isApprover: false)

  private func today(_ store: TestStore) -> UInt32 { UInt32(store.clock.now / 86_400_000) }

  private func set(_ store: TestStore, days: UInt32, uid: UInt32 = 1) throws -> GrantDetail {
    let act = GrantAct.set(name, .uid(1_201), untilDay: today(store) + days)
    guard case .grant(let grant) = try store.control(.grant(act), uid: uid) else {
      throw StoreError.corrupt
    }
    return grant
  }

  private func mayExport(_ store: TestStore, _ tenant: TenantNumber, _ actor: Actor) -> Bool {
    (try? store.store.checkGrant(tenant, actor, verb: "event.export")) != nil
  }

  /// "export-ungranted": nobody asks for a grant.
  @Test(arguments: [nil, "export-ungranted"])
  func `nothing is taken out without a grant, and what was refused is in the ledger`(
    variant: String?
  ) throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    TestHooks.$taskVariant.withValue(variant) {
      #expect(mayExport(store, tenant, exporter) == (variant != nil))
    }
    guard variant == nil else { return }
    let last = try store.store.ledger(after: 0, limit: 100) { _ in true }.last
    #expect(last?.entry.act == .refused && last?.result == "no-grant")
    #expect(last?.entry.verb == Array("event.export".utf8) && last?.tenant == name)
  }

  @Test func `a grant is one user's, ends with its last day, and survives a restart`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    _ = try store.createTenant("other")
    _ = try set(store, days: 1)
    try store.reopen()
    #expect(mayExport(store, tenant, exporter))
    #expect(!mayExport(store, store.store.tenant(named: TenantName("other")!)!, exporter))
    #expect(!mayExport(store, tenant, Actor(uid: 1_202, socketName: nil, isApprover: false)))
    // The same uid through a named socket is somebody else.
    #expect(!mayExport(store, tenant, Actor(uid: 1_201, socketName: "web", isApprover: false)))
    let end = (Int64(today(store)) + 2) * 86_400_000
    store.clock.advance(end - 1 - store.clock.now)
    #expect(mayExport(store, tenant, exporter))
    store.clock.advance(1)
    #expect(!mayExport(store, tenant, exporter))
    guard case .grants(let left) = try store.control(.grant(.list { _ in true })) else {
      throw StoreError.corrupt
    }
    #expect(left.isEmpty)
  }

  @Test func `a grant ends within a year, and there are only so many`() throws {
    let store = try TestStore()
    _ = try store.createTenant("acme")
    #expect(throws: StoreError.untilUnsuitable) { try set(store, days: Limits.grantDaysMax + 1) }
    let yesterday = GrantAct.set(name, .uid(1), untilDay: today(store) - 1)
    #expect(throws: StoreError.untilUnsuitable) { try store.control(.grant(yesterday)) }
    for _ in 0..<Limits.grantsMax { _ = try set(store, days: 0) }
    #expect(throws: StoreError.tooManyGrants) { try set(store, days: 1) }
    // Those that ended make room.
    store.clock.advance(86_400_000)
    #expect(try set(store, days: 1).id.text == "1-\(Limits.grantsMax + 1)")
  }

  /// "grant-self-approved": who set a grant may approve it.
  @Test(arguments: [nil, "grant-self-approved"])
  func `where the tenant asks for it, another user must approve`(variant: String?) throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    try store.control(.setTenant(name, .exportApproval(true)))
    let grant = try set(store, days: 1, uid: 7)
    #expect(!grant.isApproved && !mayExport(store, tenant, exporter))
    let control = ControlPlane(shared: store.store.shared)
    let approve = ControlAct.grant(.approve(grant.id) { _ in true })
    let own = Actor(uid: 7, socketName: nil, isApprover: true)
    if let variant {
      _ = try TestHooks.$taskVariant.withValue(variant) {
        try control.perform(approve, actor: own, survey: nil)
      }
      #expect(mayExport(store, tenant, exporter))
      return
    }
    #expect(throws: StoreError.needsApproval) {
      try control.perform(approve, actor: own, survey: nil)
    }
    try store.control(approve, uid: 8, isApprover: true)
    #expect(mayExport(store, tenant, exporter))
    #expect(throws: StoreError.noGrant) {
      try store.control(.grant(.revoke(grant.id) { _ in false }))
    }
    try store.control(.grant(.revoke(grant.id) { _ in true }))
    #expect(!mayExport(store, tenant, exporter))
    let acts = try store.store.ledger(after: 0, limit: 100) { _ in true }.map(\.entry.act)
    #expect(
      acts.filter { $0 != .refused } == [
        .storeCreated, .tenantCreated, .exportApprovalSet, .grantSet, .grantApproved, .grantRevoked,
      ])
  }
}
