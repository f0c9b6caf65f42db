import EventModel
import Foundation
import Storage
import Testing

private func append(
  _ log: LogTables, _ records: [[UInt8]], first: UInt64, state: [UInt8] = [9]
) throws(StorageError) {
  var arena: [UInt8] = []
  var ranges: [ByteRange] = []
  for record in records {
    ranges.append(ByteRange(offset: arena.count, count: record.count))
    arena += record
  }
  try log.append(arena.span, ranges: ranges, firstSequence: first, sealedState: state.span)
}

private func record(_ log: LogTables, _ sequence: UInt64) throws(StorageError) -> [UInt8]? {
  try log.read { (view: borrowing LogView) throws(StorageError) in
    try view.record(sequence)?.array
  }
}

private func last(_ log: LogTables) throws(StorageError) -> UInt64 {
  try log.read { (view: borrowing LogView) throws(StorageError) in try view.lastSequence() }
}

@Test func `records and state come back after the log is opened again`() throws {
  let scratch = ScratchDirectory()
  let path = scratch.path + "/data"
  do {
    let log = try LogTables.open(DataDirectory.create(path: path, id: storeID))
    #expect(try last(log) == 0)
    try append(log, [[1], [2, 2], [3, 3, 3]], first: 1, state: [7, 7])
    try append(log, [Array(repeating: 4, count: 100_000)], first: 4, state: [8])
  }
  let log = try LogTables.open(DataDirectory.open(path: path))
  #expect(try last(log) == 4)
  #expect(try record(log, 2) == [2, 2])
  #expect(try record(log, 4)?.count == 100_000)
  #expect(try record(log, 5) == nil)
  try log.read { (view: borrowing LogView) throws(StorageError) in
    #expect(try view.sealedState()?.array == [8])
    #expect(try view.recordCount() == 4)
    var seen: [UInt64] = []
    try view.scan(from: 2) { sequence, record in
      seen.append(sequence)
      return record.count < 3
    }
    #expect(seen == [2, 3])
  }
}

@Test func `a sequence that is not the greatest stores nothing`() throws {
  let scratch = ScratchDirectory()
  let log = try LogTables.open(DataDirectory.create(path: scratch.path, id: storeID))
  try append(log, [[1], [2]], first: 1)
  #expect(throws: StorageError.corrupt) { try append(log, [[3], [4]], first: 2) }
  #expect(try last(log) == 2)
  try append(log, [[3]], first: 3)
  #expect(try record(log, 3) == [3])
}

@Test func `a full map is no space, and smaller things go on`() throws {
  let scratch = ScratchDirectory()
  let directory = try DataDirectory.create(path: scratch.path, id: storeID)
  let log = try LogTables.open(directory, mapBytes: 1 << 18)
  try append(log, [[1]], first: 1)
  let large = [UInt8](repeating: 2, count: 1 << 17)
  #expect(throws: StorageError.noSpace) { try append(log, [large, large, large], first: 2) }
  #expect(try last(log) == 1)
  try append(log, [[2]], first: 2)
  #expect(try record(log, 2) == [2])
}

#if DEBUG
  @Test func `after an I/O failure the log is read but not written until it is opened again`()
    throws
  {
    let scratch = ScratchDirectory()
    let path = scratch.path + "/data"
    do {
      let log = try LogTables.open(DataDirectory.create(path: path, id: storeID))
      try append(log, [[1]], first: 1)
      log.refuseWrites()
      for _ in 0..<3 {
        #expect(throws: StorageError.readOnly) { try append(log, [[2]], first: 2) }
        #expect(try record(log, 1) == [1])
      }
    }
    let log = try LogTables.open(DataDirectory.open(path: path))
    try append(log, [[2]], first: 2)
    #expect(try record(log, 2) == [2])
  }
#endif

@Test func `a truncated log is an error and not the end of the process`() throws {
  let scratch = ScratchDirectory()
  let path = scratch.path + "/data"
  do {
    let log = try LogTables.open(DataDirectory.create(path: path, id: storeID))
    for sequence in 1...50 {
      try append(
        log, [[UInt8](repeating: UInt8(sequence), count: 5_000)], first: UInt64(sequence))
    }
  }
  let file = try #require(FileHandle(forUpdatingAtPath: path + "/log/data.mdb"))
  try file.truncate(atOffset: 40_960)
  try file.close()
  do {
    let log = try LogTables.open(DataDirectory.open(path: path))
    for sequence in UInt64(1)...50 { _ = try record(log, sequence) }
  } catch { #expect(error == .corrupt) }
}

@Test func `a copy is read without a lock and never written`() throws {
  let scratch = ScratchDirectory()
  let path = scratch.path + "/data"
  do {
    let log = try LogTables.open(DataDirectory.create(path: path, id: storeID))
    try append(log, [[1]], first: 1)
  }
  let log = try LogTables.open(DataDirectory.open(path: path, isReadOnly: true))
  #expect(try record(log, 1) == [1])
  #expect(throws: StorageError.readOnly) { try append(log, [[2]], first: 2) }
}

@Test func `nodes and ledger entries commit together or not at all`() throws {
  let scratch = ScratchDirectory()
  let tables = try KeyringTables.open(DataDirectory.create(path: scratch.path, id: storeID))
  let id: [UInt8] = Array(1...8)
  try tables.write { (transaction: inout KeyringTransaction) throws(StorageError) in
    try transaction.putNode(id.span, [1, 2, 3].span)
    try transaction.appendLedger(1, [4].span)
    #expect(try transaction.node(id.span)?.array == [1, 2, 3])
  }
  #expect(throws: StorageError.corrupt) {
    try tables.write { (transaction: inout KeyringTransaction) throws(StorageError) in
      try transaction.removeNode(id.span)
      try transaction.appendLedger(1, [5].span)
    }
  }
  try tables.read { (view: borrowing KeyringView) throws(StorageError) in
    #expect(try view.node(id.span)?.array == [1, 2, 3])
    #expect(try view.ledgerEntry(1)?.array == [4])
    #expect(try view.ledgerEntry(2) == nil)
    #expect(try view.nodeCount() == 1)
    var ids: [[UInt8]] = []
    try view.forEachNode { id, _ in
      ids.append(id.array)
      return true
    }
    #expect(ids == [id])
  }
}

@Test func `the index can be emptied`() throws {
  let scratch = ScratchDirectory()
  let tables = try IndexTables.open(DataDirectory.create(path: scratch.path, id: storeID))
  try tables.write { (transaction: inout IndexTransaction) throws(StorageError) in
    for table in [IndexTable.directory, .blocks, .state, .tiles] {
      try transaction.put([1].span, for: [2].span, in: table)
    }
  }
  try tables.removeAll()
  try tables.read { (view: borrowing IndexView) throws(StorageError) in
    for table in [IndexTable.directory, .blocks, .state, .tiles] {
      #expect(try view.count(table) == 0)
    }
  }
}

@Test func `a file is made whole, written in place and never made twice`() throws {
  let scratch = ScratchDirectory()
  let path = scratch.path + "/root"
  let file = try FileDescriptor.create(path: path, size: 200_000)
  #expect(throws: StorageError.exists) {
    _ = try FileDescriptor.create(path: path, size: 1)
  }
  try file.write([5, 6].span, at: 199_998)
  try file.sync()
  let status = try file.status()
  #expect(status.size == 200_000 && status.links == 1 && status.isRegular && status.isPrivate)
  #expect(try FileDescriptor.open(path: path).bytes(count: 3, at: 199_997) == [0, 5, 6])
  #expect(throws: StorageError.corrupt) { try file.bytes(count: 1, at: 200_000) }
  #expect(try file.tryLock())
  #expect(try FileDescriptor.open(path: path).tryLock() == false)
  try FileManager.default.createSymbolicLink(
    atPath: scratch.path + "/link", withDestinationPath: path)
  #expect(throws: StorageError.notPrivate) {
    _ = try FileDescriptor.open(path: scratch.path + "/link")
  }
}
