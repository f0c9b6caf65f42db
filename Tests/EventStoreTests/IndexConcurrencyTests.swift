import EventModel
import Foundation
import Synchronization
import Testing

@testable import EventStore

/// One writer, one index thread and two readers, as the engine has them.
@Test func `readers see every posting once while tails are flushed and segments merged`() throws {
  let fixture = try IndexFixture()
  let index = fixture.index
  let feed = ModelTerm(number: 1)
  let published = Atomic<UInt64>(0)
  let isOver = Atomic(false)
  let last: UInt64 = 40_000

  @Sendable func readUntilOver() {
    var random = SystemRandomNumberGenerator()
    while !isOver.load(ordering: .acquiring) {
      let sure = published.load(ordering: .acquiring)
      guard sure > 0 else { continue }
      let from = UInt64.random(in: 1...sure, using: &random)
      let limit = 200
      let ascending = try? index.postings(feed.key, from...Limits.positionMax, limit: limit)
      let ordinals = ascending?.map(\.ordinal) ?? []
      let least = min(UInt64(limit), sure - from + 1)
      if ordinals != Array(from..<(from + UInt64(ordinals.count))) || ordinals.count < least {
        Issue.record("from \(from) of \(sure): \(ordinals.prefix(3)).. \(ordinals.count)")
        return
      }
      let newest = try? index.newest(feed.key)
      if (newest?.ordinal ?? 0) < sure { Issue.record("the newest is missing") }
    }
  }

  @Sendable func flushUntilOver() {
    while true {
      let isLast = isOver.load(ordering: .acquiring)
      if index.freeze() { try? index.flush(reached: 0) }
      while (try? index.mergeOne(shouldYield: { index.tailCount > 500 })) == true {}
      if isLast { return }
    }
  }

  DispatchQueue.concurrentPerform(iterations: 4) { part in
    switch part {
    case 0:
      var next: UInt64 = 1
      while next <= last {
        let end = min(last, next + 49)
        index.publish(
          (next...end).map {
            feed.tagged(Posting(sequence: $0, ordinal: $0), UInt16(700 + $0 % 2))
          })
        published.store(end, ordering: .releasing)
        next = end + 1
      }
      isOver.store(true, ordering: .releasing)
    case 1: flushUntilOver()
    default: readUntilOver()
    }
  }
  #expect(try index.count(feed.key) == Int(last))
  #expect(try index.postings(feed.key).map(\.ordinal) == Array(1...last))
}
