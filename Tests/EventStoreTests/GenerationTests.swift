import EventModel
import Foundation
import Keyring
import Testing

@testable import EventStore

@Suite struct GenerationTests {
  private let day: Int64 = 86_400_000

  private func rotate(_ store: TestStore, _ tenant: String = "acme") throws -> KeyRotation {
    let act = ControlAct.rotateTenant(TenantName(tenant)!, .rotated)
    guard case .rotated(let rotation) = try store.control(act) else { throw StoreError.corrupt }
    return rotation
  }

  /// Five events of the old keys and five of the new ones.
  private func filled() throws -> (TestStore, TenantNumber) {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...10 {
      if index == 6 {
        let rotation = try rotate(store)
        #expect(rotation.generation?.number == 2 && rotation.generation?.lastPosition == 5)
      }
      _ = store.append(
        tenant,
        TestEvent(
          stream: "s\(index % 2)", subjects: index % 3 == 0 ? [] : ["u-\(index % 3)"],
          data: "d\(index)", id: "e-\(index)"))
    }
    return (store, tenant)
  }

  private func loseIndex(_ store: TestStore) throws {
    store.close()
    try FileManager.default.removeItem(atPath: store.dataPath + "/index")
    try store.reopen()
  }

  @Test func `events of every generation are read, searched, counted and recognised`() throws {
    let (store, tenant) = try filled()
    let filter = EventFilter(type: "order.placed")
    let cursor = try store.page(tenant, EventFilter(subject: "u-1"), limit: 1).cursor
    _ = try rotate(store)
    // A rotation keeps the lineage, so that pages go on.
    let rest = try store.page(tenant, EventFilter(subject: "u-1"), cursor: cursor)
    #expect(rest.positions == [4, 7, 10])
    for _ in 0..<2 {
      #expect(try store.feed(tenant).map(\.data) == (1...10).map { "d\($0)" })
      #expect(try store.feed(tenant, isDescending: true).count == 10)
      #expect(try store.query(tenant, filter) == Array(1...10))
      #expect(try store.query(tenant, EventFilter(subject: "u-2")) == [2, 5, 8])
      #expect(try store.position(tenant, id: "e-3") == 3)
      for index in [2, 9] {
        let again = TestEvent(
          stream: "s\(index % 2)", subjects: index % 3 == 0 ? [] : ["u-\(index % 3)"],
          data: "d\(index)", id: "e-\(index)")
        let result = store.append(tenant, again)
        #expect(result.isDuplicate && result.position == UInt64(index))
      }
      try loseIndex(store)
    }
    #expect(store.append(tenant, TestEvent(stream: "s1")).version == 6)
    store.close()
    let report = try store.check()
    #expect(report.isSound && report.log.opened == 11)
  }

  @Test func `persons and single events of every generation are shredded`() throws {
    let (store, tenant) = try filled()
    #expect(try store.shred("acme", .events([2, 9])).rotation.keysDestroyed == 2)
    _ = try rotate(store)
    #expect(try store.shred("acme", "u-1").plan.eventCount == 4)
    let states = [1, 2, 4, 7, 9, 10] as Set<UInt64>
    for _ in 0..<2 {
      let erased = try store.feed(tenant).filter { $0.event.state == .erased }
      #expect(Set(erased.map(\.event.position)) == states)
      // An id that was shredded under older keys stays shredded.
      let retry = TestEvent(stream: "s0", subjects: ["u-2"], data: "d2", id: "e-2")
      #expect(store.append(tenant, retry).error == .eventErased(position: 2))
      try loseIndex(store)
    }
    #expect(try store.store.erasures(tenant, after: 0, limit: 9).map(\.number) == [1, 2])
    #expect(
      try store.store.erasures(tenant, after: 0, limit: 9).map(\.positions)
        == [[2...2, 9...9], [1...1, 4...4, 7...7, 10...10]])
  }

  @Test func `earlier generations expire with their periods`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme", retention: "30d")
    for index in 0..<4 {
      _ = store.append(tenant, TestEvent(data: "d\(index)"))
      store.clock.advance(10 * day)
      if index < 3 { _ = try rotate(store) }
    }
    // Forty days: what was stored in the first two is over. The second may have told of erasures until its
    // last day, which is not over.
    try store.control(.confirmClock)
    try store.control(.expire(isDryRun: false))
    #expect(try store.feed(tenant).map(\.data) == ["d2", "d3"])
    let keys = try store.store.shared.withState { state in
      try (1...4).map { try state.keyring.retiredGeneration(tenant, $0) != nil }
    }
    #expect(keys == [false, true, true, false])
    #expect(try store.store.erasures(tenant, after: 0, limit: 9).map(\.positions) == [[1...2]])
    store.close()
    let report = try store.check()
    #expect(report.isSound && report.log.opened == 2 && report.log.expired == 2)
  }
}
