import EventModel
import Foundation
import LMDB
import Testing

@testable import Storage

/// A walk must pass every file that LMDB writes, and stop whatever could crash LMDB or hide rows.
@Suite struct PageWalkTests {
  /// An environment with small and large values, deep trees and a list of free pages.
  private func makeFile(_ scratch: ScratchDirectory, _ random: inout SplitMix) throws {
    let environment = try Environment.open(path: scratch.path, mapBytes: 1 << 26, tables: 3)
    let tables = [try environment.table("a"), try environment.table("b")]
    for round in 0..<6 {
      try environment.write { transaction throws(LMDBError) in
        for _ in 0..<150 {
          let key = random.next(below: 3_000).bigEndianBytes
          let count = Int(random.next(below: 10) == 0 ? random.next(below: 12_000) : 200)
          let value = [UInt8](repeating: UInt8(round), count: count)
          if random.next(below: 3) == 0 {
            try transaction.remove(key.span, from: tables[0])
          } else {
            try transaction.put(value.span, for: key.span, in: tables[round % 2])
          }
        }
      }
    }
  }

  @Test func `a file as LMDB leaves it is sound, and every page of it is accounted for`() throws {
    var random = SplitMix.forTest()
    for _ in 0..<2 {
      let scratch = ScratchDirectory()
      try makeFile(scratch, &random)
      let report = try PageWalk.run(path: scratch.path + "/data.mdb")
      #expect(report.entries > 200 && report.free > 0)
      #expect(report.used + report.free + report.lost == report.pages)
      #expect(report.lost == 0)
    }
  }

  @Test func `a new and empty file is sound`() throws {
    let scratch = ScratchDirectory()
    do { _ = try Environment.open(path: scratch.path, mapBytes: 1 << 20, tables: 1).table("t") }
    #expect(try PageWalk.run(path: scratch.path + "/data.mdb").entries == 0)
  }

  /// Whatever a change leaves sound, LMDB reads whole: as many rows as before, without a crash.
  @Test func `a changed page is refused or harmless`() throws {
    var random = SplitMix.forTest()
    let scratch = ScratchDirectory()
    try makeFile(scratch, &random)
    let path = scratch.path + "/data.mdb"
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    let rows = try readAll(scratch)
    var refused = 0
    for round in 0..<400 {
      var changed = whole
      let page = Int(random.next(below: UInt64(whole.count / 4_096)))
      // Aimed at headers, offsets and the first nodes, where LMDB trusts what it finds.
      let offset = page * 4_096 + Int(random.next(below: round % 3 == 0 ? 4_096 : 64))
      changed[offset] ^= UInt8(1 << random.next(below: 8))
      try changed.write(to: URL(fileURLWithPath: path))
      do { _ = try PageWalk.run(path: path) } catch {
        refused += 1
        continue
      }
      let found = try? readAll(scratch)
      #expect(found == rows, "a flip in page \(page) at \(offset % 4_096)")
    }
    #expect(refused > 20)
  }

  @Test func `a file that ends early is refused`() throws {
    var random = SplitMix.forTest()
    let scratch = ScratchDirectory()
    try makeFile(scratch, &random)
    let path = scratch.path + "/data.mdb"
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    for pages in [0, 1, 2, whole.count / 8_192, whole.count / 4_096 / 4] {
      try whole.prefix(pages * 4_096).write(to: URL(fileURLWithPath: path))
      #expect(throws: PageFault.self) { try PageWalk.run(path: path) }
    }
    #expect(throws: PageFault.self) { try PageWalk.run(path: scratch.path + "/absent") }
  }

  /// How many rows the tables have, and a checksum of their keys.
  private func readAll(_ scratch: ScratchDirectory) throws -> [UInt64] {
    let environment = try Environment.open(
      path: scratch.path, mapBytes: 1 << 26, tables: 3, isReadOnly: true)
    var found: [UInt64] = []
    for name in ["a", "b"] {
      let table = try environment.existingTable(name)
      found += try environment.read { view throws(LMDBError) in
        do throws(TransactionFailure<LMDBError>) {
          return try view.withCursor(table) { cursor throws(LMDBError) in
            var (count, sum): (UInt64, UInt64) = (0, 0)
            var isThere = try cursor.first()
            while isThere {
              count += 1
              for index in cursor.value.indices { sum &+= UInt64(cursor.value[index]) / 255 }
              isThere = try cursor.next()
            }
            return [count]
          }
        } catch { throw error.lmdb }
      }
    }
    return found
  }
}

/// A generator that is printed and can be given (`LETHE_TEST_SEED`).
private struct SplitMix {
  private var state: UInt64

  static func forTest() -> SplitMix {
    let given = ProcessInfo.processInfo.environment["LETHE_TEST_SEED"].flatMap(UInt64.init)
    let seed = given ?? UInt64.random(in: 0...UInt64(UInt32.max))
    print("seed \(seed) (replay with LETHE_TEST_SEED=\(seed))")
    return SplitMix(state: seed)
  }

  mutating func next(below bound: UInt64) -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return (mixed ^ (mixed >> 31)) % bound
  }
}
