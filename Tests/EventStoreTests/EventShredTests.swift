import EventModel
import Foundation
import Keyring
import Storage
import Testing

@testable import EventStore

@Suite struct EventShredTests {
  private let acme = TenantName("acme")!

  @Test func `shredded events are erased, and only they`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...40 {
      _ = store.append(
        tenant, TestEvent(subjects: index % 2 == 0 ? [] : ["u-1"], data: "d\(index)"))
    }
    let dead: [UInt64] = [3, 4, 16, 17, 40]
    let receipt = try store.shred("acme", .events(dead))
    #expect(receipt.plan.eventCount == 5)
    #expect(receipt.plan.sharedEventCount == 2)
    #expect(receipt.plan.impersonalEventCount == 3)
    #expect(receipt.rotation.keysDestroyed == 5)
    for _ in 0..<2 {
      let feed = try store.feed(tenant)
      #expect(feed.count == 40)
      for event in feed {
        let isErased = dead.contains(event.event.position)
        #expect(event.event.state == (isErased ? .erased : .live))
        #expect(event.data == (isErased ? nil : "d\(event.event.position)"))
      }
      #expect(
        try store.stream(tenant, "orders", isDescending: true).map(\.event.version).count == 40)
      #expect(
        try store.store.erasures(tenant, after: 0, limit: 5).map(\.positions)
          == [[3...4, 16...17, 40...40]])
      try store.reopen()
    }
    // New positions lie beyond all that were punctured, whatever seed covers them.
    for index in 41...70 {
      let result = store.append(tenant, TestEvent(data: "d\(index)"))
      #expect(result.position == UInt64(index) && result.version == UInt64(index))
    }
    #expect(try store.feed(tenant, 41...70).map(\.data) == (41...70).map { "d\($0)" })
    store.close()
    let report = try store.check()
    #expect(report.isSound && report.log.erased == 5 && report.log.opened == 65)
  }

  @Test func `an event can be shredded after others, and with a person who is erased`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...20 { _ = store.append(tenant, TestEvent(subjects: ["u-\(index % 4)"])) }
    _ = try store.shred("acme", .events([1]))
    let plan = try store.plan("acme", .events([1, 2, 2, 5]))
    #expect(plan.eventCount == 2 && plan.erasedEventCount == 1)
    _ = try store.shred("acme", .events([2, 5]))
    #expect(try store.shred("acme", "u-1").plan.eventCount == 3)
    let dead = Set<UInt64>([1, 2, 5, 9, 13, 17])
    #expect(
      try store.feed(tenant).filter { $0.event.state == .erased }.map(\.event.position)
        == dead.sorted())
    #expect(throws: StoreError.noEvent) { try store.plan("acme", .events([1, 9])) }
    #expect(throws: StoreError.noEvent) { try store.plan("acme", .events([3, 21])) }
    #expect(throws: StoreError.noEvent) { try store.plan("acme", .events([0])) }
  }

  @Test func `a plan is bound to its positions and to what was live`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for _ in 1...5 { _ = store.append(tenant, TestEvent()) }
    let plan = try store.plan("acme", .events([1, 2]))
    let token = Array(plan.token.utf8)
    #expect(throws: StoreError.confirmationUnknown) {
      try store.control(.shred(acme, .events([1, 3]), reason: .other, token: token))
    }
    _ = try store.shred("acme", .events([2]))
    #expect(throws: StoreError.planChanged) {
      try store.control(.shred(acme, .events([1, 2]), reason: .other, token: token))
    }
    #expect(try store.feed(tenant).filter { $0.event.state == .live }.count == 4)
  }

  /// "leaf-kept": what was opened of the tenant stays in memory after the barrier.
  @Test(arguments: [nil, "leaf-kept"])
  func `the leaf of a shredded event leaves the memory`(variant: String?) throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for _ in 1...3 { _ = store.append(tenant, TestEvent()) }
    #expect(try store.feed(tenant).allSatisfy { $0.event.state == .live })
    _ = try store.shredHere("acme", .events([2]), variant: variant)
    #expect((try store.feed(tenant)[1].event.state == .erased) == (variant == nil))
  }

  /// "id-unmarked": nothing but the index knows the id, and an index built anew does not.
  @Test(arguments: [nil, "id-unmarked"])
  func `no retry brings a shredded event back`(variant: String?) throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    let event = TestEvent(data: "secret", id: "e-1", source: "urn:shop")
    let other = TestEvent(data: "fine", id: "e-2", source: "urn:shop")
    _ = store.append(tenant, [event, other])
    _ = try store.shredHere("acme", .events([1]), variant: variant)
    #expect(store.append(tenant, event).error == .eventErased(position: 1))
    store.close()
    try FileManager.default.removeItem(atPath: store.dataPath + "/index")
    try store.reopen()
    let retry = store.append(tenant, event)
    #expect((retry.error == .eventErased(position: 1)) == (variant == nil))
    guard variant == nil else { return }
    #expect(store.append(tenant, other).isDuplicate)
    // In a group, too: the sender may have it left out.
    var skipping = event
    (skipping.group, skipping.skipsErased) = (7, true)
    let group = store.append(tenant, [skipping, TestEvent(data: "new", group: 7)])
    #expect(group.map(\.error) == [.subjectShredded, nil])
    var another = event
    another.source = "urn:other"
    #expect(store.append(tenant, another).error == nil)
    store.clock.advance(86_400_000 * 7)
    #expect(store.append(tenant, event).error == .eventErased(position: 1))
    store.clock.advance(86_400_000)
    #expect(store.append(tenant, event).error == nil)
  }
}
