import EventModel
import Foundation
import Storage
import Synchronization
import Testing

@testable import EventStore

@Suite struct IndexMaintenanceTests {
  @Test func `a day that has passed ends in one segment, and today's wait for their eighth`() throws
  {
    let fixture = try IndexFixture()
    let term = ModelTerm(number: 1)
    let days = (0..<4).map { Bucket(dayContaining: Int64($0 + 100) * 86_400_000) }
    var sequence: UInt64 = 0
    for day in days {
      for _ in 0..<5 {
        sequence += 1
        fixture.index.publish([
          term.tagged(Posting(sequence: sequence, ordinal: 7), day.number),
          term.tagged(Posting(sequence: sequence, ordinal: sequence), 700),
        ])
        fixture.index.freeze()
        try fixture.index.flush(reached: sequence)
      }
    }
    while try fixture.index.mergeOne() {}
    let counts = fixture.index.state.withLock { state in
      Dictionary(grouping: state.segments, by: \.entry.bucket).mapValues(\.count)
    }
    #expect(days.map { counts[$0] } == [1, 1, 5, 5])
    #expect(counts[Bucket(month: 700)] == 6)
    #expect(try fixture.index.postings(term.key).count == 20)
  }

  @Test func `a flush of several buckets is there whole after a restart`() throws {
    let fixture = try IndexFixture()
    let term = ModelTerm(number: 1)
    let day = Bucket(dayContaining: 86_400_000)
    fixture.index.publish([
      term.tagged(Posting(sequence: 1, ordinal: 1), 700),
      term.tagged(Posting(sequence: 1, ordinal: 9), day.number),
      term.tagged(Posting(sequence: 2, ordinal: 2), 701),
    ])
    fixture.index.freeze()
    try fixture.index.flush(reached: 2)
    try fixture.reopen()
    #expect(fixture.index.segmentCount == 3)
    // What stands for duplicates is no second posting of the term.
    #expect(try fixture.index.postings(term.key).map(\.ordinal) == [1, 2])
  }

  @Test func `postings whose records were purged are dropped in a merge`() throws {
    let directory = try TemporaryDirectory()
    let data = try DataDirectory.create(
      path: directory.path + "/data", id: try #require(StoreID(bytes: Array(1...16))))
    let log = try LogTables.open(data, mapBytes: 1 << 24)
    let record = [UInt8](repeating: 1, count: 16)
    func append(_ count: Int, from first: UInt64) throws {
      try log.append(
        record.span, ranges: Array(repeating: ByteRange(offset: 0, count: 16), count: count),
        firstSequence: first, sealedState: record.span)
    }
    try append(10, from: 1)
    var whole = PurgedRecords(log)
    let isKept = whole.keeps(Posting(sequence: 999, ordinal: 0))
    #expect(isKept)
    try append(5_000, from: 21)
    var records = PurgedRecords(log)
    let kept = (UInt64(1)...6_000).filter { records.keeps(Posting(sequence: $0, ordinal: 0)) }
    #expect(kept == Array(1...10) + Array(21...6_000))
  }

  @Test func `the filter never denies what was put in, seldom errs and stays within bounds`() {
    var random = SeededGenerator("filter")
    let filter = IDFilter()
    let today: Int64 = 20_000
    func day(_ ago: Int64) -> Bucket { Bucket(dayContaining: (today - ago) * 86_400_000) }
    let old = random.next() & Limits.positionMax
    #expect(filter.mayContain(old), "it says maybe until it is complete")
    filter.noteComplete()
    #expect(!filter.mayContain(old))
    filter.insert(old, day(9))
    let known = (0..<200_000).map { _ in random.next() & Limits.positionMax }
    for (index, fingerprint) in known.enumerated() {
      filter.insert(fingerprint, day(Int64(7 - index * 8 / known.count)))
    }
    let denied = known.contains { !filter.mayContain($0) }
    #expect(!denied)
    #expect(!filter.mayContain(old), "days that are too old are let go of")
    let errors = (0..<20_000).count { _ in filter.mayContain(random.next() & Limits.positionMax) }
    #expect(errors < 2_000)
    #expect(filter.byteCount <= IDFilter.bytesMax)
  }
}
