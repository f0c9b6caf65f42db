import EventModel
import Keyring
import Storage
import Testing

@testable import EventStore

@Suite struct StreamShredTests {
  private let acme = TenantName("acme")!

  @Test func `a shredded stream is unknown, and one of its name begins anew`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...12 {
      _ = store.append(
        tenant,
        TestEvent(
          stream: index % 3 == 0 ? "other" : "gone", subjects: index % 2 == 0 ? ["u-1"] : [],
          data: "d\(index)"))
    }
    let receipt = try store.shred("acme", .stream(Array("gone".utf8)))
    #expect(receipt.plan.eventCount == 8)
    #expect(receipt.plan.sharedEventCount == 4)
    #expect(receipt.plan.impersonalEventCount == 4)
    #expect(receipt.plan.ownStreamCount == 1)
    for _ in 0..<2 {
      #expect(try store.stream(tenant, "gone").isEmpty)
      #expect(try store.feed(tenant).map(\.data) == (1...12).map { $0 % 3 == 0 ? "d\($0)" : nil })
      #expect(
        try store.store.erasures(tenant, after: 0, limit: 2).map(\.positions)
          == [[1...2, 4...5, 7...8, 10...11]])
      try store.reopen()
    }
    #expect(throws: StoreError.noStream) { try store.plan("acme", .stream(Array("gone".utf8))) }
    #expect(store.append(tenant, TestEvent(stream: "gone", data: "new")).version == 1)
    #expect(store.append(tenant, TestEvent(stream: "other")).version == 5)
    #expect(try store.stream(tenant, "gone").map(\.data) == ["new"])
    #expect(try store.shred("acme", "u-1").plan.eventCount == 6)
  }

  @Test func `a plan is bound to what the stream had`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    _ = store.append(tenant, TestEvent(stream: "a"))
    _ = store.append(tenant, TestEvent(stream: "b", subjects: ["u-2"]))
    let plan = try store.plan("acme", .stream(Array("a".utf8)))
    let token = Array(plan.token.utf8)
    func confirm(_ stream: String) throws {
      try store.control(
        .shred(acme, .stream(Array(stream.utf8)), reason: .other, token: token))
    }
    #expect(throws: StoreError.confirmationUnknown) { try confirm("b") }
    _ = store.append(tenant, TestEvent(stream: "b"))
    _ = store.append(tenant, TestEvent(stream: "a"))
    #expect(throws: StoreError.planChanged) { try confirm("a") }
    #expect(throws: StoreError.noStream) { try store.plan("acme", .stream(Array("c".utf8))) }
    #expect(try store.feed(tenant).allSatisfy { $0.event.state == .live })
  }

  @Test func `events of a stream that was erased before are counted apart`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...6 {
      _ = store.append(tenant, TestEvent(stream: "s", subjects: ["u-\(index % 2)"]))
    }
    _ = try store.shred("acme", "u-1")
    _ = try store.shred("acme", .events([2]))
    let plan = try store.shred("acme", .stream(Array("s".utf8))).plan
    #expect(plan.eventCount == 2 && plan.erasedEventCount == 4)
    #expect(try store.feed(tenant).allSatisfy { $0.event.state == .erased })
  }
}
