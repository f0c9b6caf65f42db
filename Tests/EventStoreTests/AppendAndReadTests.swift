import Dispatch
import EventModel
import Storage
import Testing

@testable import EventStore

@Suite struct AppendAndReadTests {
  @Test func `what was appended is read back by position and by version`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...600 {
      let result = store.append(
        tenant, TestEvent(stream: "s\(index % 3)", subjects: ["u-\(index % 7)"], data: "d\(index)"))
      #expect(result.error == nil)
      #expect(result.position == UInt64(index))
    }
    let feed = try store.feed(tenant)
    #expect(feed.map(\.event.position) == Array(1...600))
    #expect(feed.map(\.data) == (1...600).map { "d\($0)" })
    let stream = try store.stream(tenant, "s1")
    #expect(stream.map(\.event.version) == Array(1...200))
    #expect(stream.map(\.data) == stride(from: 1, through: 600, by: 3).map { "d\($0)" })
    let newest = try store.stream(tenant, "s1", isDescending: true, limit: 2)
    #expect(newest.map(\.event.version) == [200, 199])
    #expect(try store.stream(tenant, "nowhere").isEmpty)
  }

  @Test func `a range of several pages is read in order in both directions`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    // Neighbours in the log are of two streams: runs of records and single ones.
    let events = (1...2_500).map { TestEvent(stream: $0 % 7 < 4 ? "a" : "b", data: "d\($0)") }
    for start in stride(from: 0, to: events.count, by: 500) {
      _ = store.append(tenant, Array(events[start..<(start + 500)]))
    }
    let expected = (1...2_500).map { "d\($0)" }
    #expect(try store.feed(tenant).map(\.data) == expected)
    #expect(try store.feed(tenant, isDescending: true).map(\.data) == expected.reversed())
    #expect(try store.feed(tenant, 1_000...2_499).map(\.data) == Array(expected[999..<2_499]))
    let ofStream = (1...2_500).filter { $0 % 7 < 4 }.map { "d\($0)" }
    #expect(try store.stream(tenant, "a").map(\.data) == ofStream)
    #expect(
      try store.stream(tenant, "a", isDescending: true, limit: 1_300).map(\.data)
        == Array(ofStream.reversed().prefix(1_300)))
  }

  /// Otherwise a read that finds few live events among millions would hold a shred for minutes.
  @Test(arguments: [nil, "long-reads"])
  func `a shred waits for one page of a long read`(variant: String?) throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for _ in 0..<3 {
      _ = store.append(tenant, (1...500).map { TestEvent(data: "d\($0)") })
    }
    let shared = store.store.shared
    let (begun, waited) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let queue = DispatchQueue(label: "waits for reads")
    var isFree: Bool?
    try TestHooks.$taskVariant.withValue(variant) {
      try store.store.readFeed(
        tenant, positions: 1...Limits.positionMax, isDescending: false, limit: .max
      ) { event, _ in
        if event.position == 1 {
          queue.async {
            begun.signal()
            shared.waitForReads()
            waited.signal()
          }
          // The wait must begin while the first page is read.
          begun.wait()
          Committer.pauseMilliseconds(100)
        }
        guard event.position == 1_500 else { return true }
        isFree = waited.wait(timeout: .now() + (variant == nil ? 10 : 1)) == .success
        return true
      }
    }
    #expect(isFree == (variant == nil))
    if variant != nil { waited.wait() }
  }

  @Test func `an event may name nobody, or up to four persons`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for count in 0...4 {
      let subjects = (0..<count).map { "person-\(count)-\($0)" }
      #expect(store.append(tenant, TestEvent(subjects: subjects, data: "\(count)")).error == nil)
    }
    let feed = try store.feed(tenant)
    #expect(feed.map(\.subjects.count) == [0, 1, 2, 3, 4])
    #expect(feed.map(\.data) == ["0", "1", "2", "3", "4"])
  }

  @Test func `expectations are checked against the stream's version`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    #expect(
      store.append(tenant, TestEvent(expectation: .exists)).error
        == .wrongVersion(expected: .exists, actual: 0))
    #expect(store.append(tenant, TestEvent(expectation: .none)).version == 1)
    #expect(
      store.append(tenant, TestEvent(expectation: .none)).error
        == .wrongVersion(expected: .none, actual: 1))
    #expect(store.append(tenant, TestEvent(expectation: .version(1))).version == 2)
    #expect(
      store.append(tenant, TestEvent(expectation: .version(1))).error
        == .wrongVersion(expected: .version(1), actual: 2))
    #expect(store.append(tenant, TestEvent(expectation: .exists)).version == 3)
  }

  @Test func `a batch is stored whole or not at all`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    let refused = store.append(
      tenant,
      [
        TestEvent(stream: "a", group: 1), TestEvent(stream: "b", expectation: .exists, group: 1),
        TestEvent(stream: "c", group: 1), TestEvent(stream: "d", group: 2),
      ])
    #expect(refused[0].error == .batchRefused)
    #expect(refused[1].error == .wrongVersion(expected: .exists, actual: 0))
    #expect(refused[2].error == .batchRefused)
    #expect(refused[3].position == 1)
    // Within a batch, later expectations see earlier events.
    let stored = store.append(
      tenant,
      [
        TestEvent(stream: "a", expectation: .none, group: 3),
        TestEvent(stream: "a", expectation: .version(1), group: 3),
      ])
    #expect(stored.map(\.version) == [1, 2])
    #expect(try store.feed(tenant).count == 3)
  }

  @Test func `tenants have their own positions, streams and persons`() throws {
    let store = try TestStore()
    let first = try store.createTenant("first")
    let second = try store.createTenant("second")
    #expect(store.append(first, TestEvent(data: "1")).position == 1)
    #expect(store.append(second, TestEvent(data: "2")).position == 1)
    #expect(try store.feed(first).map(\.data) == ["1"])
    #expect(try store.feed(second).map(\.data) == ["2"])
    try store.control(.suspendTenant(TenantName("first")!))
    #expect(store.append(first, TestEvent()).error == .suspended)
    #expect(throws: StoreError.suspended) { try store.feed(first) }
    try store.control(.resumeTenant(TenantName("first")!))
    #expect(store.append(first, TestEvent()).position == 2)
  }

  @Test func `stored time never goes back within a tenant`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    let first = store.append(tenant, TestEvent())
    store.clock.advance(-86_400_000 * 400)
    let second = store.append(tenant, TestEvent())
    #expect(second.storedMilliseconds == first.storedMilliseconds)
    #expect(try store.feed(tenant).count == 2)
  }

  @Test func `an unknown retention class is refused`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    #expect(store.append(tenant, TestEvent(className: "nosuch")).error == .unknownClass)
    #expect(store.append(tenant, TestEvent(className: "default")).error == nil)
  }

  @Test func `classes kept at most a week count hours`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("short", retention: "3d")
    #expect(store.append(tenant, TestEvent(data: "x")).error == nil)
    try store.reopen()
    #expect(try store.feed(tenant).map(\.data) == ["x"])
  }

  @Test func `everything is there after a restart, and numbering goes on`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...50 {
      _ = store.append(tenant, TestEvent(stream: "s\(index % 2)", data: "\(index)"))
    }
    try store.reopen()
    #expect(try store.feed(tenant).map(\.data) == (1...50).map { "\($0)" })
    let next = store.append(tenant, TestEvent(stream: "s0", expectation: .version(25)))
    #expect(next.position == 51 && next.version == 26)
  }

  @Test func `a large event is read back whole`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    let data = String(repeating: "x", count: Limits.dataBytesMax)
    #expect(store.append(tenant, TestEvent(data: data)).error == nil)
    #expect(try store.feed(tenant)[0].data == data)
  }
}
