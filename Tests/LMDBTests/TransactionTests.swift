import Foundation
import LMDB
import Testing

/// An environment in a private directory that goes with the value.
private final class Scratch {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "lethe-lmdb-" + UUID().uuidString
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func open(mapBytes: Int = 1 << 22, isReadOnly: Bool = false) throws -> Environment {
    try Environment.open(path: path, mapBytes: mapBytes, tables: 2, isReadOnly: isReadOnly)
  }
}

private struct Refusal: Error {}

private func key(_ number: UInt8) -> [UInt8] { [0, number] }

extension Environment {
  fileprivate func values(_ table: Table) throws -> [[UInt8]] {
    try read { view throws(LMDBError) in
      do throws(TransactionFailure<LMDBError>) {
        return try view.withCursor(table) { cursor throws(LMDBError) in
          var found: [[UInt8]] = []
          var isThere = try cursor.first()
          while isThere {
            found.append(cursor.value.indices.map { cursor.value[$0] })
            isThere = try cursor.next()
          }
          return found
        }
      } catch { throw error.lmdb }
    }
  }
}

@Suite struct TransactionTests {
  @Test func `what was committed is there after opening again, in the order of its keys`() throws {
    let scratch = try Scratch()
    do {
      let environment = try scratch.open()
      let table = try environment.table("t")
      try environment.write { transaction throws(LMDBError) in
        for number in [3, 1, 2] as [UInt8] {
          try transaction.put([number].span, for: key(number).span, in: table)
        }
      }
    }
    let environment = try scratch.open(isReadOnly: true)
    #expect(try environment.values(try environment.existingTable("t")) == [[1], [2], [3]])
    #expect(throws: (any Error).self) { try environment.existingTable("other") }
  }

  @Test func `a closure that throws leaves nothing behind`() throws {
    let scratch = try Scratch()
    let environment = try scratch.open()
    let table = try environment.table("t")
    #expect(throws: (any Error).self) {
      try environment.write { (transaction: inout WriteTransaction) throws in
        try transaction.put([1].span, for: key(1).span, in: table)
        throw Refusal()
      }
    }
    #expect(try environment.values(table).isEmpty)
  }

  @Test func `a view does not see what is committed after it began`() throws {
    let scratch = try Scratch()
    let environment = try scratch.open()
    let table = try environment.table("t")
    let before = try environment.beginReading()
    try environment.write { transaction throws(LMDBError) in
      try transaction.put([1].span, for: key(1).span, in: table)
    }
    let seen = try before.count(table)
    #expect(seen == 0)
    #expect(try environment.values(table) == [[1]])
  }

  @Test func `appending takes greater keys only, putting replaces, removing tells`() throws {
    let scratch = try Scratch()
    let environment = try scratch.open()
    let table = try environment.table("t")
    let isRefused = try environment.write { transaction throws(LMDBError) in
      try transaction.append([5].span, for: key(5).span, in: table)
      do throws(LMDBError) {
        try transaction.append([4].span, for: key(4).span, in: table)
        return false
      } catch { return error == .keyExists }
    }
    #expect(isRefused)
    let removed = try environment.write { transaction throws(LMDBError) in
      try transaction.put([6].span, for: key(5).span, in: table)
      return [
        try transaction.remove(key(4).span, from: table),
        try transaction.value(of: key(5).span, in: table)?[0] == 6,
      ]
    }
    #expect(removed == [false, true])
    try environment.write { transaction throws(LMDBError) in try transaction.removeAll(table) }
    #expect(try environment.values(table).isEmpty)
  }

  @Test func `a full map is out of space, and passes`() throws {
    let scratch = try Scratch()
    let environment = try scratch.open(mapBytes: 1 << 17)
    let table = try environment.table("t")
    let large = [UInt8](repeating: 7, count: 40_000)
    var failure: LMDBError?
    for number in 0..<10 as Range<UInt8> where failure == nil {
      do {
        try environment.write { transaction throws(LMDBError) in
          try transaction.put(large.span, for: key(number).span, in: table)
        }
      } catch { failure = error.lmdb }
    }
    #expect(failure?.isOutOfSpace == true)
    try environment.write { transaction throws(LMDBError) in
      try transaction.put([1].span, for: key(0).span, in: table)
    }
    #expect(try environment.values(table).first == [1])
  }

  @Test func `seeking finds the first key at or after the one asked for`() throws {
    let scratch = try Scratch()
    let environment = try scratch.open()
    let table = try environment.table("t")
    try environment.write { transaction throws(LMDBError) in
      for number in [2, 4] as [UInt8] {
        try transaction.put([number].span, for: key(number).span, in: table)
      }
    }
    let found = try environment.read { view throws(LMDBError) -> [UInt8?] in
      do throws(TransactionFailure<LMDBError>) {
        return try view.withCursor(table) { cursor throws(LMDBError) in
          var found: [UInt8?] = []
          for number in 1...5 as ClosedRange<UInt8> {
            found.append(try cursor.seek(key(number).span) ? cursor.value[0] : nil)
          }
          return found
        }
      } catch { throw error.lmdb }
    }
    #expect(found == [2, 2, 4, 4, nil])
  }
}

@Test func `a copy has what was committed when it began, and no free pages`() throws {
  let scratch = try Scratch()
  let environment = try scratch.open()
  let table = try environment.table("t")
  for round: UInt8 in 0..<20 {
    try environment.write { transaction throws(LMDBError) in
      try transaction.put(
        [UInt8](repeating: round, count: 20_000).span, for: key(1).span, in: table)
    }
  }
  let other = try Scratch()
  let file = unsafe open(other.path + "/data.mdb", O_RDWR | O_CREAT, 0o600)
  try environment.copy(to: file)
  close(file)
  let copy = try other.open(isReadOnly: true)
  #expect(copy.usedBytes < environment.usedBytes)
  let found = try copy.values(copy.existingTable("t"))
  #expect(found == [[UInt8](repeating: 19, count: 20_000)])
}

@Test func `nothing is taken from readers that live`() throws {
  let scratch = try Scratch()
  let environment = try scratch.open()
  let table = try environment.table("t")
  let view = try environment.beginReading()
  #expect(try environment.dropDeadReaders() == 0)
  #expect(try view.count(table) == 0)
}
