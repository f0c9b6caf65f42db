import EventModel
import Storage
import Testing

@testable import EventStore

@Suite struct CursorTests {
  private static func filled() throws -> (TestStore, TenantNumber, TenantNumber) {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    let other = try store.createTenant("other")
    for tenant in [tenant, other] {
      for index in 0..<40 {
        _ = store.append(tenant, [QueryEvent(stream: "s\(index % 4)", subjects: ["u\(index % 3)"])])
      }
    }
    return (store, tenant, other)
  }

  /// How many cursors that were not made for the query are taken.
  private static func accepted() throws -> Int {
    let (store, tenant, other) = try filled()
    let filter = EventFilter(subject: "u1")
    let cursor = try store.page(tenant, filter, limit: 3).cursor
    #expect(cursor.count == QueryCursor.textBytes)
    var accepted = 0
    func expectRefused(
      _ cursor: [UInt8], _ tenant: TenantNumber, _ filter: EventFilter,
      isDescending: Bool = false
    ) throws {
      do {
        _ = try store.page(
          tenant, filter, isDescending: isDescending, limit: 3, cursor: cursor)
        accepted += 1
      } catch StoreError.badCursor {}
    }
    for index in cursor.indices {
      var forged = cursor
      forged[index] = forged[index] == 0x41 ? 0x42 : 0x41
      try expectRefused(forged, tenant, filter)
      try expectRefused(Array(cursor[..<max(1, index)]), tenant, filter)
    }
    try expectRefused(cursor + [0x41], tenant, filter)
    try expectRefused(cursor, other, filter)
    try expectRefused(cursor, tenant, filter, isDescending: true)
    try expectRefused(cursor, tenant, EventFilter(subject: "u2"))
    try expectRefused(cursor, tenant, EventFilter(stream: "u1"))
    try expectRefused(cursor, tenant, EventFilter(stream: "s1", subject: "u1"))
    var timed = filter
    timed.sinceMilliseconds = 0
    try expectRefused(cursor, tenant, timed)
    do {
      _ = try store.store.streams(tenant, limit: 3, cursor: cursor) { _ in true }
      accepted += 1
    } catch StoreError.badCursor {}
    return accepted
  }

  @Test func `a cursor is taken only for the tenant, query and direction that it was made for`()
    throws
  {
    #expect(try Self.accepted() == 0)
    let broken = try TestHooks.$taskVariant.withValue("cursor-unchecked") { try Self.accepted() }
    #expect(broken > 0)
  }

  @Test func `a cursor goes on where it was, whatever was appended, shredded or restarted`() throws
  {
    let (store, tenant, _) = try Self.filled()
    for isDescending in [false, true] {
      var filter = EventFilter()
      filter.untilMilliseconds = store.clock.now + 1
      let before = try store.query(tenant, filter, isDescending: isDescending)
      var found: [UInt64] = []
      var cursor: [UInt8]?
      repeat {
        let page = try store.page(
          tenant, filter, isDescending: isDescending, limit: 7, cursor: cursor)
        found += page.positions
        cursor = page.cursor
        store.clock.advance(10)
        _ = store.append(tenant, [QueryEvent(subjects: ["u9"])])
        if found.count == 14 { try store.reopen() }
        if found.count == 21 { try store.rebuildIndex() }
      } while cursor?.isEmpty == false
      #expect(found == before)
    }
    let first = try store.page(tenant, EventFilter(subject: "u1"), limit: 2)
    _ = try store.shred("acme", "u1")
    let second = try store.page(tenant, EventFilter(subject: "u1"), cursor: first.cursor)
    #expect(second.positions.isEmpty && second.cursor.isEmpty)
  }

  @Test func `a last page that is just full is known to be the last`() throws {
    let (store, tenant, _) = try Self.filled()
    let page = try store.page(tenant, EventFilter(stream: "s1"), limit: 10)
    #expect(page.positions.count == 10)
    #expect(page.cursor.isEmpty)
  }

  @Test func `a cursor has one spelling, and what is none is refused`() throws {
    var random = SeededGenerator("cursors")
    for _ in 0..<20_000 {
      let count = Int.random(in: 30...40, using: &random)
      var text = (0..<count).map { _ in
        Array("ABCXYZabcxyz0189-_".utf8).randomElement(using: &random)!
      }
      if Bool.random(using: &random) { text.replaceSubrange(0..<2, with: Array("AQ".utf8)) }
      if Int.random(in: 0..<9, using: &random) == 0 {
        text[Int.random(in: 0..<count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if let cursor = QueryCursor(text: text.span) { #expect(cursor.text == text) }
    }
    for text in ["", "=", "AQ", "AQA=", String(repeating: "A", count: 36)] {
      let cursor = QueryCursor(text: Array(text.utf8).span)
      #expect(cursor == nil)
    }
  }
}
