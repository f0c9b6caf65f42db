import EventModel
import Foundation
import Keyring
import Storage
import Testing

@testable import EventStore

@Suite struct PeriodShredTests {
  private let day: Int64 = 86_400_000

  private func target(_ milliseconds: Int64, _ name: String = "default") -> ShredTarget {
    .period(className: Array(name.utf8), day: UInt32(milliseconds / day))
  }

  /// Three days of ten events in two streams; the second day is shredded.
  private func threeDays(_ retention: String) throws -> (TestStore, TenantNumber, Int64) {
    let store = try TestStore()
    let tenant = try store.createTenant("acme", retention: retention)
    let first = store.clock.now
    for index in 1...30 {
      let stream = index == 15 ? "once" : "s\(index % 2)"
      _ = store.append(tenant, TestEvent(stream: stream, data: "d\(index)"))
      if index % 10 == 0 { store.clock.advance(day) }
    }
    return (store, tenant, first + day)
  }

  @Test(arguments: ["395d", "7d"])
  func `a day that is shredded is left out of everything`(retention: String) throws {
    let (store, tenant, second) = try threeDays(retention)
    let receipt = try store.shred("acme", target(second))
    #expect(receipt.plan.eventCount == 10 && receipt.plan.keyCount == (retention == "7d" ? 24 : 1))
    let left = (1...10).map { "d\($0)" } + (21...30).map { "d\($0)" }
    for round in 0..<3 {
      #expect(try store.feed(tenant).map(\.data) == left)
      #expect(try store.feed(tenant, isDescending: true).map(\.data) == left.reversed())
      // What is left out does not count.
      #expect(
        try store.feed(tenant, 6...30, limit: 10).map(\.event.position)
          == [6, 7, 8, 9, 10, 21, 22, 23, 24, 25])
      #expect(try store.feed(tenant, 12...14).isEmpty)
      #expect(try store.stream(tenant, "s0").map(\.event.version) == [1, 2, 3, 4, 5] + (11...15))
      #expect(try store.stream(tenant, "once").isEmpty)
      let name = Array("s1".utf8)
      let summary = try #require(try store.store.summary(tenant, stream: name.span))
      #expect(summary.version == 14 && summary.firstVersion == 1 && summary.expiredCount == 4)
      #expect(try store.store.count(tenant, EventFilter(subject: "u-1")) == 20)
      #expect(try store.store.erasures(tenant, after: 0, limit: 3).map(\.positions) == [[11...20]])
      store.close()
      let report = try store.check()
      #expect(report.isSound && report.log.expired == 10 && report.log.opened == 20)
      if round == 1 { try FileManager.default.removeItem(atPath: store.dataPath + "/index") }
      try store.reopen()
    }
    #expect(throws: StoreError.noPeriod) { try store.plan("acme", target(second)) }
    #expect(store.append(tenant, TestEvent(stream: "s0")).version == 16)
    #expect(store.append(tenant, TestEvent(stream: "s0")).position == 32)
  }

  /// "version-forgotten": what a stream has reached is told by the dead records only.
  @Test(arguments: [nil, "version-forgotten"])
  func `no version is given out twice`(variant: String?) throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for _ in 1...3 { _ = store.append(tenant, TestEvent()) }
    let first = store.clock.now
    store.clock.advance(day)
    for _ in 1...20 { _ = store.append(tenant, TestEvent()) }
    store.clock.advance(day)
    let receipt = try store.shredHere("acme", target(first + day), variant: variant)
    #expect(receipt.plan.eventCount == 20)
    if variant == nil {
      store.close()
      try FileManager.default.removeItem(atPath: store.dataPath + "/index")
      try store.reopen()
    }
    let next = store.append(tenant, TestEvent()).version
    #expect((next == 24) == (variant == nil))
    guard variant == nil else { return }
    _ = try store.shred("acme", target(first))
    #expect(store.append(tenant, TestEvent()).version == 25)
    let name = Array("orders".utf8)
    let summary = try #require(try store.store.summary(tenant, stream: name.span))
    #expect(summary.version == 25 && summary.firstVersion == 24 && summary.expiredCount == 23)
  }

  @Test func `a day must be over, and of a class that there is`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    _ = store.append(tenant, TestEvent())
    let now = store.clock.now
    #expect(throws: StoreError.periodNotOver) { try store.plan("acme", target(now)) }
    #expect(throws: StoreError.periodNotOver) { try store.plan("acme", target(now + 9 * day)) }
    #expect(throws: StoreError.noPeriod) { try store.plan("acme", target(now - day)) }
    #expect(throws: StoreError.unknownClass) { try store.plan("acme", target(now - day, "other")) }
    store.clock.advance(day)
    _ = try store.shred("acme", target(now))
    // A clock that goes back finds the period gone; nothing is stored in it.
    store.clock.advance(-day)
    #expect(store.append(tenant, TestEvent()).error == .clockBehind)
    try store.reopen()
    #expect(store.append(tenant, TestEvent()).error == .clockBehind)
    store.clock.advance(day)
    #expect(store.append(tenant, TestEvent()).version == 2)
  }

  @Test func `erased events of a day die with it and are counted apart`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...8 { _ = store.append(tenant, TestEvent(subjects: ["u-\(index % 2)"])) }
    let first = store.clock.now
    store.clock.advance(day)
    _ = try store.shred("acme", "u-1")
    _ = try store.shred("acme", .events([2]))
    let plan = try store.shred("acme", target(first)).plan
    #expect(plan.eventCount == 3 && plan.erasedEventCount == 5)
    #expect(try store.feed(tenant).isEmpty)
    #expect(throws: StoreError.noEvent) { try store.plan("acme", .events([4])) }
  }
}

extension EventFilter {
  fileprivate init(subject: String) {
    self.init()
    self.subject = Array(subject.utf8)
  }
}
