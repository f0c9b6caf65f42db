import EventModel
import Keyring
import Storage
import Synchronization
import Testing

@testable import EventStore

@Suite struct ErasureTests {
  @Test func `an erasure tells the positions of a person and of their streams, once`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...30 {
      _ = store.append(tenant, TestEvent(subjects: ["u-\(index % 3)"], data: "d"))
    }
    _ = store.append(tenant, TestEvent(stream: "user-1", subjects: ["u-1"]))
    _ = store.append(tenant, TestEvent(stream: "user-1", subjects: []))
    let told = Mutex<[TenantNumber]>([])
    store.store.setErasureHandler { tenants in told.withLock { $0 += tenants } }
    #expect(try store.store.lastErasure(tenant) == 0)
    _ = try store.shred("acme", "u-1")
    #expect(told.withLock { $0 } == [tenant])
    let first = try store.store.erasures(tenant, after: 0, limit: 10)
    let singles = stride(from: UInt64(1), through: 28, by: 3).map { $0...$0 }
    #expect(first.map(\.positions) == [singles + [31...32]])
    _ = try store.shred("acme", "u-2")
    for _ in 0..<2 {
      #expect(try store.store.lastErasure(tenant) == 2)
      let all = try store.store.erasures(tenant, after: 0, limit: 10)
      #expect(all.map(\.number) == [1, 2])
      #expect(all[1].positions == stride(from: UInt64(2), through: 29, by: 3).map { $0...$0 })
      #expect(try store.store.erasures(tenant, after: 1, limit: 10) == [all[1]])
      #expect(try store.store.erasures(tenant, after: 0, limit: 1) == [all[0]])
      #expect(try store.store.erasures(tenant, after: 2, limit: 10).isEmpty)
      try store.reopen()
    }
  }

  @Test func `what was erased before is not told again`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    _ = store.append(tenant, TestEvent(subjects: ["ann", "bob"]))
    _ = store.append(tenant, TestEvent(subjects: ["bob"]))
    _ = try store.shred("acme", "ann")
    _ = try store.shred("acme", "bob")
    #expect(
      try store.store.erasures(tenant, after: 0, limit: 10).map(\.positions) == [[1...1], [2...2]])
  }

  @Test func `a large erasure is told in several rows`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    _ = store.append(
      tenant, (0..<4_100).map { TestEvent(subjects: [$0 % 2 == 0 ? "ann" : "bob"], data: "") })
    _ = try store.shred("acme", "ann")
    try store.reopen()
    let rows = try store.store.erasures(tenant, after: 0, limit: 10)
    #expect(rows.map(\.positions.count) == [1_000, 1_000, 50])
    #expect(
      rows.flatMap(\.positions).map(\.lowerBound) == stride(from: 1, to: 4_100, by: 2).map { $0 })
  }

  /// Rows are durable before the act; a crash between the two must not tell of an erasure that never
  /// was.
  @Test(arguments: [nil, "erasure-unchecked"])
  func `an act that never came to be tells nothing`(variant: String?) throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for _ in 0..<5 { _ = store.append(tenant, TestEvent(subjects: ["ann"])) }
    try store.store.shared.erasures.stage(
      [1, 3, 5], tenant: tenant, now: store.clock.now, planHash: Array(repeating: 7, count: 32),
      shared: store.store.shared)
    try store.reopen()
    let told = try TestHooks.$taskVariant.withValue(variant) {
      try store.store.lastErasure(tenant)
    }
    #expect((told == 0) == (variant == nil))
    guard variant == nil else { return }
    // The ledger's next entry is another act's.
    _ = try store.createTenant("other")
    try store.reopen()
    #expect(try store.store.erasures(tenant, after: 0, limit: 10).isEmpty)
    _ = try store.shred("acme", "ann")
    #expect(try store.store.erasures(tenant, after: 0, limit: 10).map(\.positions) == [[1...5]])
  }

  @Test func `a row opens under its own number and keys only`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    let other = try store.createTenant("other")
    _ = store.append(tenant, TestEvent(subjects: ["ann"]))
    _ = try store.shred("acme", "ann")
    #expect(try store.store.lastErasure(other) == 0)
    let (mine, theirs) = try store.store.shared.withState { state in
      (
        ErasureRow.outerKey(
          mapKey: try state.tenants[tenant]!.open(state.keyring).keys.mapKey),
        ErasureRow.outerKey(
          mapKey: try state.tenants[other]!.open(state.keyring).keys.mapKey)
      )
    }
    let label = ErasureRow.label(1, mine)
    let sealed = try store.store.shared.logTables.read { view throws(StorageError) in
      try view.erasure(label.span)!.array
    }
    #expect(ErasureRow(sealed.span, number: 1, mine) != nil)
    #expect(ErasureRow(sealed.span, number: 2, mine) == nil)
    #expect(ErasureRow(sealed.span, number: 1, theirs) == nil)
    for index in sealed.indices {
      var changed = sealed
      changed[index] ^= 1
      #expect(ErasureRow(changed.span, number: 1, mine) == nil)
    }
  }

  @Test func `ranges are ascending and do not touch`() {
    #expect([UInt64]().asRanges.isEmpty)
    #expect([5, 3, 4, 9, 9, 1].map(UInt64.init).asRanges == [1...1, 3...5, 9...9])
  }
}
