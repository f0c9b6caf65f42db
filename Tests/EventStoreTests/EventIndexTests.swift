import EventModel
import Foundation
import Storage
import Synchronization
import Testing
import TransparencyLog

@testable import EventStore

/// The index beside a dictionary: a feed, streams and persons, over three months of expiry.
private struct Differential {
  var random = SeededGenerator("index against a dictionary")
  let fixture: IndexFixture
  var feed = ModelTerm(number: 1_000_000)
  var streams = (0..<60).map(ModelTerm.init)
  var persons = (100..<200).map(ModelTerm.init)
  /// Everything published, by sequence, as a log would have it.
  var log: [[TaggedPosting]] = []
  /// The sequence at the last freeze that was not flushed yet.
  var frozenAt: UInt64?

  init() throws { fixture = try IndexFixture() }

  mutating func publish() {
    var postings: [TaggedPosting] = []
    for _ in 0..<Int.random(in: 1...60, using: &random) {
      let sequence = UInt64(log.count + 1)
      let month = UInt16(600 + Int.random(in: 0..<3, using: &random))
      let stream = random.zipf(streams.count)
      let person = random.zipf(persons.count)
      var entry: [TaggedPosting] = []
      let inFeed = Posting(sequence: sequence, ordinal: sequence)
      feed.postings.append(inFeed)
      entry.append(feed.tagged(inFeed, month))
      let version = UInt64(streams[stream].postings.count + 1)
      let inStream = Posting(sequence: sequence, ordinal: version)
      streams[stream].postings.append(inStream)
      entry.append(streams[stream].tagged(inStream, month))
      let ofPerson = Posting(sequence: sequence, ordinal: 0)
      persons[person].postings.append(ofPerson)
      entry.append(persons[person].tagged(ofPerson, month))
      log.append(entry)
      postings += entry
    }
    fixture.index.publish(postings)
  }

  mutating func freeze() {
    if fixture.index.freeze() { frozenAt = UInt64(log.count) }
  }

  mutating func flush() throws {
    guard let reached = frozenAt else { return }
    try fixture.index.flush(reached: reached)
    frozenAt = nil
  }

  mutating func reopen() throws {
    try fixture.reopen()
    frozenAt = nil
    let reached = try fixture.index.flushState()?.sequence ?? 0
    fixture.index.publish(Array(log[Int(reached)...].joined()))
  }

  mutating func check() throws {
    let term: ModelTerm =
      switch Int.random(in: 0..<3, using: &random) {
      case 0: feed
      case 1: streams[Int.random(in: 0..<streams.count, using: &random)]
      default: persons[Int.random(in: 0..<persons.count, using: &random)]
      }
    let index = fixture.index
    #expect(try index.count(term.key) == term.postings.count)
    #expect(try index.newest(term.key) == term.postings.last)
    let top = (term.postings.last?.ordinal ?? 0) + 2
    let low = UInt64.random(in: 0...top, using: &random)
    let ordinals = low...UInt64.random(in: low...top, using: &random)
    let limit = Int.random(in: 1...1_500, using: &random)
    for isDescending in [false, true] {
      let found = try index.postings(
        term.key, ordinals, isDescending: isDescending, limit: limit)
      #expect(found == term.expected(ordinals, isDescending: isDescending, limit: limit))
    }
  }

  mutating func step() throws {
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<10: publish()
    case 10..<13: freeze()
    case 13..<16: try flush()
    case 16: _ = try fixture.index.mergeOne()
    case 17 where Int.random(in: 0..<4, using: &random) == 0: try reopen()
    default: break
    }
  }
}

@Test func `the index answers as a dictionary would, whatever is flushed, merged or reopened`()
  throws
{
  var test = try Differential()
  for _ in 0..<800 {
    try test.step()
    try test.check()
  }
  while try test.fixture.index.mergeOne() { try test.check() }
  for _ in 0..<50 { try test.check() }
}

@Test func `a merge that yields goes on later, and readers never notice`() throws {
  let fixture = try IndexFixture()
  var terms = (0..<50).map(ModelTerm.init)
  var sequence: UInt64 = 0
  for _ in 0..<8 {
    var postings: [TaggedPosting] = []
    for _ in 0..<8_000 {
      sequence += 1
      let term = Int(sequence * 7919 % 50)
      let posting = Posting(sequence: sequence, ordinal: UInt64(terms[term].postings.count + 1))
      terms[term].postings.append(posting)
      postings.append(terms[term].tagged(posting, 700))
    }
    fixture.index.publish(postings)
    #expect(fixture.index.freeze())
    try fixture.index.flush(reached: sequence)
  }
  #expect(try fixture.index.mergeOne(shouldYield: { true }))
  #expect(fixture.index.segmentCount == 8)
  // A flush between the two halves of the merge.
  sequence += 1
  let posting = Posting(sequence: sequence, ordinal: UInt64(terms[3].postings.count + 1))
  terms[3].postings.append(posting)
  fixture.index.publish([terms[3].tagged(posting, 700)])
  #expect(fixture.index.freeze())
  try fixture.index.flush(reached: sequence)
  for term in terms { #expect(try fixture.index.postings(term.key) == term.postings) }
  while try fixture.index.mergeOne(shouldYield: { true }) {}
  #expect(fixture.index.segmentCount == 2)
  for term in terms { #expect(try fixture.index.postings(term.key) == term.postings) }
  try fixture.reopen()
  #expect(fixture.index.segmentCount == 2)
  for term in terms { #expect(try fixture.index.postings(term.key) == term.postings) }
}

@Test func `a reader that is overtaken by a merge is told to start again`() throws {
  let fixture = try IndexFixture()
  let term = ModelTerm(number: 1)
  for sequence in UInt64(1)...8 {
    fixture.index.publish([term.tagged(Posting(sequence: sequence, ordinal: 0), 700)])
    fixture.index.freeze()
    try fixture.index.flush(reached: sequence)
  }
  let before = fixture.index.state.withLock { $0.segments }
  #expect(try fixture.index.mergeOne())
  let tag = TaggedPosting.tag(termKey: term.key.span, bucket: Bucket(month: 700))
  for segment in before {
    #expect(try fixture.index.reader.count(tag, in: segment) == nil)
  }
}

@Test func `a merge drops what is not to be kept`() throws {
  let fixture = try IndexFixture()
  var term = ModelTerm(number: 1)
  for sequence in UInt64(1)...8 {
    let posting = Posting(sequence: sequence, ordinal: sequence)
    if sequence % 2 == 0 { term.postings.append(posting) }
    fixture.index.publish([term.tagged(posting, 700)])
    fixture.index.freeze()
    try fixture.index.flush(reached: sequence)
  }
  #expect(try fixture.index.mergeOne(keep: { $0.sequence % 2 == 0 }))
  #expect(try fixture.index.postings(term.key) == term.postings)
  try fixture.reopen()
  #expect(try fixture.index.postings(term.key) == term.postings)
}

@Test func `a merge that keeps nothing leaves nothing`() throws {
  let fixture = try IndexFixture()
  let term = ModelTerm(number: 1)
  for sequence in UInt64(1)...8 {
    fixture.index.publish([term.tagged(Posting(sequence: sequence, ordinal: 0), 700)])
    fixture.index.freeze()
    try fixture.index.flush(reached: sequence)
  }
  #expect(try fixture.index.mergeOne(keep: { _ in false }))
  #expect(fixture.index.segmentCount == 0)
  try fixture.tables.read { (view: borrowing IndexView) throws(StorageError) in
    #expect(try view.count(.blocks) == 0)
    #expect(try view.count(.directory) == 0)
  }
}

@Test func `a merge keeps all of a day, by which retries are known again`() throws {
  let fixture = try IndexFixture()
  let term = ModelTerm(number: 1)
  let day = Bucket(dayContaining: 1_800_000_000_000)
  let tag = TaggedPosting.tag(termKey: term.key.span, bucket: day)
  for sequence in UInt64(1)...8 {
    let posting = Posting(sequence: sequence, ordinal: 0)
    fixture.index.publish([TaggedPosting(tag: tag, bucket: day, posting: posting)])
    fixture.index.freeze()
    try fixture.index.flush(reached: sequence)
  }
  #expect(try fixture.index.mergeOne(keep: { _ in false }))
  let merged = fixture.index.state.withLock { $0.segments }
  #expect(merged.map(\.entry.postingCount) == [8])
}

@Test func `a bucket without a key is passed over, at writing and at reading`() throws {
  let fixture = try IndexFixture()
  let term = ModelTerm(number: 1)
  fixture.index.publish([
    term.tagged(Posting(sequence: 1, ordinal: 1), 0x3EAD),
    term.tagged(Posting(sequence: 2, ordinal: 2), 700),
  ])
  fixture.index.freeze()
  try fixture.index.flush(reached: 2)
  #expect(try fixture.index.postings(term.key).map(\.sequence) == [2])
}

@Test func `removing a bucket removes its segments from the disk`() throws {
  let fixture = try IndexFixture()
  let term = ModelTerm(number: 1)
  fixture.index.publish([
    term.tagged(Posting(sequence: 1, ordinal: 1), 699),
    term.tagged(Posting(sequence: 2, ordinal: 2), 700),
  ])
  fixture.index.freeze()
  try fixture.index.flush(reached: 2)
  try fixture.index.removeBuckets { $0.number < 700 }
  #expect(try fixture.index.postings(term.key).map(\.sequence) == [2])
  try fixture.tables.read { (view: borrowing IndexView) throws(StorageError) in
    #expect(try view.count(.directory) == 1)
    #expect(try view.count(.blocks) == 2)
  }
}

@Test func `states come back with the flush that carried them`() throws {
  let fixture = try IndexFixture()
  #expect(try fixture.index.flushState() == nil)
  let tenant = TenantNumber(rawValue: 7)
  #expect(try fixture.index.tenantState(tenant) == nil)
  let reached = FlushState(sequence: 9, recordHash: RecordHash.sha256([1, 2].span))
  try fixture.index.flush(
    state: reached,
    tenants: [TenantFlush(number: tenant, state: [5, 6], leaves: LogTail(start: 0))])
  try fixture.reopen()
  #expect(try fixture.index.flushState() == reached)
  let state = try #require(try fixture.index.tenantState(tenant))
  #expect(state.count == 1_600 && state.prefix(3) == [5, 6, 0])
  #expect(try fixture.index.tenantState(TenantNumber(rawValue: 8)) == nil)
}

@Test func `the newest postings of a hot term in the tail need no walk from its beginning`() throws
{
  var tail = Tail()
  let term = ModelTerm(number: 1)
  for sequence in UInt64(1)...5_000 {
    tail.append(term.tagged(Posting(sequence: sequence, ordinal: sequence), 1))
  }
  let tag = TaggedPosting.tag(termKey: term.key.span, bucket: Bucket(month: 1))
  let found = try #require(tail.term(tag, Bucket(month: 1)))
  for place in [0, 1, 2, 3, 4, 10, 11, 4_998, 4_999] {
    #expect(tail.posting(place, ofTerm: found).ordinal == UInt64(place + 1))
  }
  #expect(tail.places(ofTerm: found, PostingRange(ordinals: 4_990...9_999)) == 4_989..<5_000)
  #expect(tail.places(ofTerm: found, PostingRange(ordinals: 6_000...9_999)) == 5_000..<5_000)
  var ordinals: [UInt64] = []
  tail.forEachPosting(ofTerm: found) { ordinals.append($0.ordinal) }
  #expect(ordinals == Array(1...5_000))
}

@Test func `terms are sorted by tag whatever the tags are`() throws {
  var tail = Tail()
  var random = SeededGenerator("sorted terms")
  for sequence in UInt64(1)...3_000 {
    let tag = sequence % 3 == 0 ? sequence : random.next()
    tail.append(
      TaggedPosting(
        tag: tag, bucket: Bucket(month: UInt16(sequence % 2)),
        posting: Posting(sequence: sequence, ordinal: 0)))
  }
  for month in UInt16(0)...1 {
    let tags = tail.sortedTerms(Bucket(month: month)).map { tail.terms[$0].tag }
    #expect(tags.count == 1_500)
    #expect(tags == tags.sorted())
  }
}

/// Blocks that are opened to find a cold person's postings, for so many persons in eight segments.
private func blocksOpened(persons: Int, recent: Bool) throws -> (most: Int, segments: Int) {
  let fixture = try IndexFixture()
  var sequence: UInt64 = 0
  for _ in 0..<7 {
    var postings: [TaggedPosting] = []
    for person in 0..<persons {
      sequence += 1
      postings.append(
        ModelTerm(number: person).tagged(Posting(sequence: sequence, ordinal: 0), 700))
    }
    fixture.index.publish(postings)
    #expect(fixture.index.freeze())
    try fixture.index.flush(reached: sequence)
  }
  // Of the newest segment only.
  let range =
    recent ? PostingRange(sequences: (sequence - UInt64(persons) + 1)...sequence) : PostingRange()
  var most = 0
  for person in stride(from: 0, to: persons, by: persons / 50) {
    let key = ModelTerm(number: person).key
    #expect(fixture.index.countMax(termKey: key.span) <= 7 * 2 * SegmentCodec.postingsPerBlock)
    for isDescending in [false, true] {
      fixture.index.reader.cache.removeAll()
      let before = fixture.index.reader.cache.missCount.load(ordering: .relaxed)
      let found = try fixture.index.postings(
        termKey: key.span, range, isDescending: isDescending, limit: 1_000)
      #expect(found.count == (recent ? 1 : 7))
      most = max(most, fixture.index.reader.cache.missCount.load(ordering: .relaxed) - before)
    }
  }
  return (most, fixture.index.segmentCount)
}

@Test func `a cold term costs about a block in each segment, however many persons there are`()
  throws
{
  for persons in [2_000, 40_000] {
    let whole = try blocksOpened(persons: persons, recent: false)
    #expect(whole.segments == 7)
    // A run may begin at a block's edge.
    #expect(whole.most <= 7 + 2)
    #expect(try blocksOpened(persons: persons, recent: true).most <= 2)
  }
}

@Test func `a term's postings are bounded by sequence as by ordinal, and never under-estimated`()
  throws
{
  var random = SeededGenerator("ranges of sequences")
  let fixture = try IndexFixture()
  var terms = (0..<40).map(ModelTerm.init)
  var sequence: UInt64 = 0
  for round in 0..<60 {
    var postings: [TaggedPosting] = []
    for _ in 0..<Int.random(in: 1...400, using: &random) {
      sequence += UInt64.random(in: 1...3, using: &random)
      let term = random.zipf(terms.count)
      let posting = Posting(sequence: sequence, ordinal: 0)
      terms[term].postings.append(posting)
      postings.append(
        terms[term].tagged(posting, UInt16(700 + Int.random(in: 0..<2, using: &random))))
    }
    fixture.index.publish(postings)
    if round % 3 == 0, fixture.index.freeze() { try fixture.index.flush(reached: sequence) }
    if round % 20 == 19 { while try fixture.index.mergeOne() {} }
    let term = terms[Int.random(in: 0..<terms.count, using: &random)]
    let low = UInt64.random(in: 0...sequence, using: &random)
    let high = UInt64.random(in: low...(sequence + 2), using: &random)
    let limit = Int.random(in: 1...300, using: &random)
    for isDescending in [false, true] {
      let found = try fixture.index.postings(
        termKey: term.key.span, PostingRange(sequences: low...high), isDescending: isDescending,
        limit: limit)
      let all = term.postings.filter { (low...high).contains($0.sequence) }
      #expect(found == Array((isDescending ? all.reversed() : all).prefix(limit)))
    }
    #expect(fixture.index.countMax(termKey: term.key.span) >= term.postings.count)
  }
}
