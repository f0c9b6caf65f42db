import EventModel
import Foundation
import Keyring
import Sodium
import Storage
import Synchronization
import Testing
import TransparencyLog

@testable import EventStore

@Suite struct PurgeTests {
  private let day: Int64 = 86_400_000

  /// Nine events of one day: odd ones of ann, the others of bob, the last of both and of two more.
  private func fill(_ store: TestStore, _ tenant: TenantNumber) {
    for index in 1...8 {
      let event = TestEvent(
        stream: "s\(index % 2)", subjects: [index % 2 == 1 ? "ann" : "bob"], data: "no. \(index)",
        id: "id-\(index)")
      #expect(store.append(tenant, event).error == nil)
    }
    let all = TestEvent(stream: "s0", subjects: ["ann", "bob", "cid", "dan"], data: "no. 9")
    #expect(store.append(tenant, all).error == nil)
  }

  @Test func `a shredded event leaves its header and its hash`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    fill(store, tenant)
    let whole = try store.records()
    _ = try store.shred("acme", "ann")
    let before = try store.feed(tenant)
    let frontier = store.frontier(tenant)
    #expect(try store.status().purge.outstandingActs == 1)
    #expect(try store.purge() == 5)
    let purge = try store.status().purge
    #expect(purge.outstandingActs == 0 && purge.recordCount == 5 && purge.lastMilliseconds != nil)
    let left = try store.records()
    for (sequence, record) in whole {
      let isAnns = sequence % 2 == 1
      let length = sequence == 9 ? 144 : 112
      #expect(isAnns ? left[sequence]?.count == length : left[sequence] == record)
    }
    for round in 0..<3 {
      #expect(try store.feed(tenant) == before)
      #expect(try store.stream(tenant, "s0").map(\.event.version) == [1, 2, 3, 4, 5])
      #expect(store.frontier(tenant) == frontier)
      // An index that was built anew has no ids of erased events.
      let retry = TestEvent(subjects: ["bob"], data: "no. 1", id: "id-1")
      #expect(round == 2 || store.append(tenant, retry).error == .eventErased(position: 1))
      store.close()
      let report = try store.check()
      #expect(report.isSound && report.log.erased == 5 && report.log.purged == 5)
      if round == 1 { try FileManager.default.removeItem(atPath: store.dataPath + "/index") }
      try store.reopen()
      // Nothing is done twice.
      #expect(try store.purge() == 0)
    }
    #expect(store.append(tenant, TestEvent(stream: "s0", subjects: ["bob"])).version == 6)
  }

  @Test func `an expired event leaves its position and its hash`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme", retention: "30d")
    fill(store, tenant)
    _ = try store.shred("acme", "ann")
    _ = try store.purge()
    store.clock.advance(day)
    for _ in 0..<3 { _ = store.append(tenant, TestEvent(stream: "s0", subjects: ["bob"])) }
    store.clock.advance(29 * day)
    #expect(try store.expire().eventCount == 9)
    let frontier = store.frontier(tenant)
    #expect(try store.purge() == 4)
    #expect(try store.records().keys.sorted() == [10, 11, 12])
    for round in 0..<3 {
      #expect(try store.feed(tenant).map(\.event.position) == [10, 11, 12])
      #expect(try store.stream(tenant, "s0").map(\.event.version) == [6, 7, 8])
      #expect(store.frontier(tenant) == frontier)
      store.close()
      let report = try store.check()
      #expect(report.isSound && report.log.expired == 9 && report.log.purged == 9)
      #expect(report.log.records == 12 && report.log.opened == 3)
      if round == 1 { try FileManager.default.removeItem(atPath: store.dataPath + "/index") }
      try store.reopen()
      #expect(try store.purge() == 0)
    }
    #expect(store.append(tenant, TestEvent(stream: "s0", subjects: ["bob"])).position == 13)
  }

  @Test func `the newest record tells where the log ends, and stays though bare`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme", retention: "30d")
    fill(store, tenant)
    store.clock.advance(40 * day)
    #expect(try store.expire().eventCount == 9)
    let frontier = store.frontier(tenant)
    #expect(try store.purge() == 9)
    #expect(try store.records().mapValues(\.count) == [9: 112])
    for round in 0..<2 {
      if round == 1 {
        store.close()
        try FileManager.default.removeItem(atPath: store.dataPath + "/index")
      }
      try store.reopen()
      #expect(try store.feed(tenant).isEmpty && store.frontier(tenant) == frontier)
    }
    #expect(store.append(tenant, TestEvent(stream: "s0")).position == 10)
    #expect(try store.feed(tenant).map(\.event.position) == [10])
    store.close()
    #expect(try store.check().isSound)
  }

  @Test func `of a tenant that is gone nothing is left but traces`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    let other = try store.createTenant("other")
    fill(store, tenant)
    _ = store.append(other, TestEvent())
    try store.control(.setTenant(TenantName("acme")!, .grace(.tenant, milliseconds: 0)))
    _ = try store.shred("acme", .tenant)
    #expect(try store.purge() == 9)
    #expect(try store.records().keys.sorted() == [10])
    store.close()
    let report = try store.check()
    #expect(report.isSound && report.log.erased == 9 && report.log.purged == 9)
  }

  /// "purge-live": nobody asks whether the keys are gone.
  @Test(arguments: [nil, "purge-live"])
  func `nothing is purged whose keys live`(variant: String?) throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    fill(store, tenant)
    try store.control(
      .restrictSubject(TenantName("acme")!, subject: Array("bob".utf8), .restriction))
    _ = try store.shred("acme", .events([2]))
    _ = try TestHooks.$taskVariant.withValue(variant) { try store.purge() }
    try store.control(.unrestrictSubject(TenantName("acme")!, subject: Array("bob".utf8)))
    // A sweep looks at every record.
    store.store.shared.purgeState.withLock { ($0.sweepNext, $0.sweepEnd) = (1, 10) }
    _ = try store.shred("acme", .events([4]))
    _ = try TestHooks.$taskVariant.withValue(variant) { try store.purge() }
    let live = try? store.feed(tenant).filter { $0.event.state == .live }.map(\.event.position)
    #expect((live == [1, 3, 5, 6, 7, 8, 9]) == (variant == nil))
    store.close()
    #expect(try store.check().isSound == (variant == nil))
  }

  @Test func `a run that is interrupted goes on where it was`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    let other = try store.createTenant("other")
    for _ in 0..<3 {
      let events = (0..<1_000).map { TestEvent(data: "no. \($0)") }
      #expect(store.append(tenant, events).allSatisfy { $0.error == nil })
    }
    _ = store.append(other, TestEvent())
    try store.control(.setTenant(TenantName("acme")!, .grace(.tenant, milliseconds: 0)))
    _ = try store.shred("acme", .tenant)
    var total: UInt64 = 0
    var runs = 0
    while try store.status().purge.outstandingActs > 0 {
      total += try store.purge { $0 == .looked }
      runs += 1
      try store.reopen()
      try #require(runs < 10)
    }
    #expect(total == 3_000 && runs == 4)
    #expect(try store.records().count == 1)
    let acts = try store.store.shared.withState { try $0.keyring.ledgerEntries(from: 1, limit: 99) }
    let purged = try #require(acts.last { $0.entry.act == .purged })
    #expect(acts.count { $0.entry.act == .purged } == 1)
    #expect(purged.entry.count == acts.last { $0.entry.act == .tenantShredded }?.index)
  }

  @Test func `a group of traces opens in its own place only`() {
    let key = SealingKey(.random(count: 32))
    var group = TraceGroup(number: 3)
    let routing = Routing(
      tenant: TenantNumber(rawValue: 7), position: 1 << 47, generation: 2,
      classNumber: ClassNumber(rawValue: 5), period: Period(unit: .hour, index: 1_000_000))
    let bytes: [UInt8] = [1, 2, 3]
    let trace = RecordTrace(routing, .sha256(bytes.span))
    #expect(RecordTrace(trace.encoded.span) == trace)
    for sequence in [768, 800, 1_023] { group.insert(trace, UInt64(sequence)) }
    let sealed = group.sealed(key)
    let opened = TraceGroup(sealed.span, number: 3, key: key)
    #expect(opened?[800] == trace.encoded && opened?[801] == nil)
    #expect(TraceGroup(sealed.span, number: 4, key: key) == nil)
    for index in sealed.indices {
      var changed = sealed
      changed[index] ^= 1
      #expect(TraceGroup(changed.span, number: 3, key: key) == nil)
    }
  }

  @Test func `a bare record that was changed is damaged`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    fill(store, tenant)
    _ = try store.shred("acme", "ann")
    _ = try store.purge()
    let bare = try #require(try store.records()[9])
    store.store.shared.withState { state in
      #expect(state.routing.open(bare.span)?.position == 9)
      for index in bare.indices {
        var changed = bare
        changed[index] ^= 1
        #expect(state.routing.open(changed.span) == nil, "byte \(index)")
      }
    }
  }
}

extension TestStore {
  /// Purges when the certificates are finished, as the purging thread does.
  func purge(mayGoOn: @escaping (PurgeRun.Turn) -> Bool = { _ in true }) throws -> UInt64 {
    try control(.certificates(after: 0, limit: 1))
    return try store.shared.purge(mayGoOn: mayGoOn)
  }

  /// Every record as it lies in the log.
  func records() throws -> [UInt64: [UInt8]] {
    try store.shared.logTables.read { view throws(StorageError) in
      var found: [UInt64: [UInt8]] = [:]
      try view.scan(from: 1) { sequence, record in
        found[sequence] = record.array
        return true
      }
      return found
    }
  }

  /// The root of a tenant's log, as far as its events are durable.
  func frontier(_ tenant: TenantNumber) -> Frontier {
    store.shared.withState { $0.tenants[tenant]!.committed.frontier }
  }
}
