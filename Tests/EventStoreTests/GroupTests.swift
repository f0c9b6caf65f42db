import EventModel
import Keyring
import Testing

@testable import EventStore

@Suite struct GroupTests {
  private func group(_ events: [TestEvent], skipsErased: Bool = false) -> [TestEvent] {
    events.map {
      var event = $0
      event.group = 7
      event.skipsErased = skipsErased
      return event
    }
  }

  @Test func `a group that is repeated whole gets its first positions`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    let events = group([
      TestEvent(stream: "a", expectation: .none, id: "1"), TestEvent(stream: "b", id: "2"),
    ])
    let firsts = store.append(tenant, events)
    #expect(firsts.map(\.position) == [1, 2])
    #expect(store.append(tenant, events) == firsts.map(\.asDuplicate))
    try store.reopen()
    #expect(store.append(tenant, events) == firsts.map(\.asDuplicate))
    #expect(try store.store.lastPosition(tenant) == 2)
  }

  @Test func `a group that repeats some of its events is a conflict`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    #expect(store.append(tenant, TestEvent(id: "1")).error == nil)
    let results = store.append(
      tenant, group([TestEvent(id: "0"), TestEvent(id: "1"), TestEvent(expectation: .none)]))
    #expect(results.map(\.error) == [.batchRefused, .idConflict(position: 1), .batchRefused])
    #expect(try store.store.lastPosition(tenant) == 1)
  }

  @Test func `an id twice in a group is a conflict, also of equal events`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    let results = store.append(tenant, group([TestEvent(id: "1"), TestEvent(id: "1")]))
    #expect(results.map(\.error) == [.batchRefused, .idConflict(position: 0)])
    #expect(try store.store.lastPosition(tenant) == 0)
  }

  @Test func `a group may leave out events about the erased`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    _ = store.append(tenant, TestEvent(stream: "mine", subjects: ["u-2"]))
    _ = store.append(tenant, TestEvent(stream: "erased", subjects: ["u-1"], id: "old"))
    _ = try store.shred("acme", "u-1")
    let events = [
      TestEvent(stream: "mine", subjects: ["u-1"], expectation: .version(1)),
      TestEvent(stream: "mine", subjects: ["u-2"], id: "1"),
      TestEvent(stream: "new", subjects: ["u-3", "u-1"]),
      TestEvent(stream: "other", subjects: ["u-4"], id: "2"),
    ]
    #expect(
      store.append(tenant, group(events)).map(\.error)
        == [.subjectShredded, .batchRefused, .batchRefused, .batchRefused])
    let results = store.append(tenant, group(events, skipsErased: true))
    #expect(results.map(\.error) == [.subjectShredded, nil, .subjectShredded, nil])
    #expect(results.map(\.position) == [0, 3, 0, 4])
    let again = store.append(tenant, group(events, skipsErased: true))
    #expect(again.map(\.isDuplicate) == [false, true, false, true])
    // What is expected of the stream holds although its first event is left out.
    let expecting = [
      TestEvent(stream: "mine", subjects: ["u-1"], expectation: .version(1)),
      TestEvent(stream: "mine", subjects: ["u-2"]),
    ]
    #expect(
      store.append(tenant, group(expecting, skipsErased: true))[0].error
        == .wrongVersion(expected: .version(1), actual: 2))
    try store.control(.enrolSubject(TenantName("acme")!, subject: Array("u-1".utf8)))
    let erased = group(
      [
        TestEvent(stream: "erased", subjects: ["u-1"], id: "old"),
        TestEvent(stream: "mine", subjects: ["u-2"]),
      ], skipsErased: true)
    #expect(store.append(tenant, erased).map(\.error) == [.subjectShredded, nil])
  }
}
