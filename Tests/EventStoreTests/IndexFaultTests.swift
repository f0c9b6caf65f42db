import EventModel
import Foundation
import Storage
import Synchronization
import Testing

@testable import EventStore

/// Every entry of a table.
private func entries(_ tables: IndexTables, _ table: IndexTable) throws -> [([UInt8], [UInt8])] {
  try tables.read { (view: borrowing IndexView) throws(StorageError) in
    var found: [([UInt8], [UInt8])] = []
    try view.scan(table) { key, value in
      found.append((key.array, value.array))
      return true
    }
    return found
  }
}

private func put(
  _ tables: IndexTables, _ table: IndexTable, _ key: [UInt8], _ value: [UInt8]
) throws {
  try tables.write { (transaction: inout IndexTransaction) throws(StorageError) in
    try transaction.put(value.span, for: key.span, in: table)
  }
}

private func flip(
  _ tables: IndexTables, _ table: IndexTable, _ entry: Int, byte: Int
) throws {
  let (key, value) = try entries(tables, table)[entry]
  var changed = value
  changed[byte % value.count] ^= 0x10
  try put(tables, table, key, changed)
}

private func filled(_ count: Int, distinctTerms: Int) throws -> IndexFixture {
  let fixture = try IndexFixture()
  let terms = (0..<distinctTerms).map(ModelTerm.init)
  fixture.index.publish(
    (1...count).map {
      terms[$0 % distinctTerms].tagged(Posting(sequence: UInt64($0), ordinal: UInt64($0)), 700)
    })
  fixture.index.freeze()
  try fixture.index.flush(reached: UInt64(count))
  return fixture
}

@Test(arguments: [0, 1, 2, 40, 60, 9_000, 16_365])
func `a changed block is found, never read`(byte: Int) throws {
  let fixture = try filled(900, distinctTerms: 3)
  try flip(fixture.tables, .blocks, 0, byte: byte)
  try fixture.reopen()
  #expect(throws: StorageError.corrupt) {
    for term in 0..<3 { _ = try fixture.index.postings(ModelTerm(number: term).key) }
  }
}

@Test func `changed fences, directory entries and states are found`() throws {
  let fixture = try filled(900, distinctTerms: 3)
  // Blocks 0 and 1, then the fences.
  try flip(fixture.tables, .blocks, 2, byte: 100)
  #expect(throws: StorageError.corrupt) { try fixture.reopen() }
  let other = try filled(900, distinctTerms: 3)
  try flip(other.tables, .directory, 0, byte: 77)
  #expect(throws: StorageError.corrupt) { try other.reopen() }
  let third = try filled(900, distinctTerms: 3)
  try flip(third.tables, .state, 0, byte: 77)
  #expect(throws: StorageError.corrupt) { try third.index.flushState() }
}

@Test func `blocks that changed places are found`() throws {
  let fixture = try filled(1_600, distinctTerms: 3)
  let blocks = try entries(fixture.tables, .blocks)
  try put(fixture.tables, .blocks, blocks[0].0, blocks[1].1)
  try put(fixture.tables, .blocks, blocks[1].0, blocks[0].1)
  try fixture.reopen()
  #expect(throws: StorageError.corrupt) {
    try fixture.index.postings(ModelTerm(number: 0).key)
  }
}

@Test func `a missing block is found`() throws {
  let fixture = try filled(1_600, distinctTerms: 1)
  let key = try entries(fixture.tables, .blocks)[0].0
  try fixture.tables.write { (transaction: inout IndexTransaction) throws(StorageError) in
    _ = try transaction.remove(key.span, from: .blocks)
  }
  try fixture.reopen()
  #expect(throws: StorageError.corrupt) {
    try fixture.index.postings(ModelTerm(number: 0).key)
  }
}

/// What somebody with the files sees: how long every key and value is.
private func shape(_ tables: IndexTables) throws -> [String] {
  try [IndexTable.directory, .blocks, .state].flatMap { table in
    try entries(tables, table).map { "\(table) \($0.0.count) \($0.1.count)" }
  }
}

/// True when any eight bytes occur twice in the blocks.
private func repeatsBytes(_ tables: IndexTables) throws -> Bool {
  var seen: Set<UInt64> = []
  for (_, value) in try entries(tables, .blocks) {
    var window: UInt64 = 0
    for (index, byte) in value.enumerated() {
      window = window << 8 | UInt64(byte)
      if index >= 7, !seen.insert(window).inserted { return true }
    }
  }
  return false
}

@Test func `how postings are distributed cannot be seen`() throws {
  let hot = try filled(2_000, distinctTerms: 1)
  let cold = try filled(2_000, distinctTerms: 2_000)
  #expect(try shape(hot.tables) == shape(cold.tables))
  #expect(try repeatsBytes(hot.tables) == false)
  #expect(try repeatsBytes(cold.tables) == false)
}

#if DEBUG
  @Test func `a broken index whose blocks are not sealed would be caught`() async {
    await #expect(processExitsWith: .success) {
      try TestHooks.withVariant("unsealed-blocks") {
        let hot = try filled(2_000, distinctTerms: 1)
        #expect(try repeatsBytes(hot.tables))
      }
    }
  }

  /// What the process that crashes does with seven segments: one more flush, then their merge.
  private func flushAndMerge(_ fixture: IndexFixture) throws {
    let terms = (0..<20).map(ModelTerm.init)
    let first = UInt64(7 * 8_000 + 1)
    fixture.index.publish(
      (first..<(first + 8_000)).map {
        terms[Int($0 % 20)].tagged(Posting(sequence: $0, ordinal: $0), 700)
      })
    fixture.index.freeze()
    try fixture.index.flush(reached: first + 7_999)
    _ = try fixture.index.mergeOne()
  }

  @Test func `whenever it crashes the index has all that it says it has`() async throws {
    let terms = (0..<20).map(ModelTerm.init)
    let original = try IndexFixture()
    for part in UInt64(0)..<7 {
      original.index.publish(
        (1...UInt64(8_000)).map {
          let sequence = part * 8_000 + $0
          return terms[Int(sequence % 20)].tagged(
            Posting(sequence: sequence, ordinal: sequence), 700)
        })
      original.index.freeze()
      try original.index.flush(reached: (part + 1) * 8_000)
    }
    // A flush and two commits of the merge: six points; the seventh is not reached.
    for point in 1...7 {
      let path = NSTemporaryDirectory() + "lethe-index-crash-" + UUID().uuidString
      try FileManager.default.copyItem(atPath: original.path, toPath: path)
      if point < 7 {
        await #expect(processExitsWith: .signal(SIGKILL)) {
          [path = path as String, point = point as Int] in
          let fixture = try IndexFixture(path: path, isRemovedAtEnd: false)
          TestHooks.settings.withLock { $0.pointsUntilCrash = point }
          try flushAndMerge(fixture)
        }
      } else {
        await #expect(processExitsWith: .success) { [path = path as String] in
          let fixture = try IndexFixture(path: path, isRemovedAtEnd: false)
          TestHooks.settings.withLock { $0.pointsUntilCrash = 7 }
          try flushAndMerge(fixture)
        }
      }
      let fixture = try IndexFixture(path: path)
      let reached = try #require(try fixture.index.flushState()).sequence
      #expect(reached == (point == 1 ? 56_000 : 64_000))
      #expect(fixture.index.segmentCount == (point == 1 ? 7 : point < 6 ? 8 : 1))
      for term in terms {
        #expect(try fixture.index.count(term.key) == Int(reached) / 20)
        #expect(try fixture.index.postings(term.key).count == Int(reached) / 20)
      }
      // Nothing of an interrupted merge is left.
      let ids = Set(try entries(fixture.tables, .blocks).map { Array($0.0.prefix(8)) })
      #expect(ids.count == fixture.index.segmentCount)
    }
  }
#endif
