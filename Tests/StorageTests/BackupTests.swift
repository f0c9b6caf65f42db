import EventModel
import Foundation
import Storage
import Testing

private func open(
  _ scratch: ScratchDirectory
) throws(StorageError) -> (store: DataDirectory, log: LogTables) {
  let store = try DataDirectory.create(path: scratch.path + "/data", id: storeID)
  return (store, try LogTables.open(store))
}

private func append(
  _ log: LogTables, _ sequences: ClosedRange<UInt64>, byte: UInt8 = 7
) throws(StorageError) {
  let arena = [UInt8](repeating: byte, count: 300)
  try log.append(
    arena.span, ranges: sequences.map { _ in ByteRange(offset: 0, count: 300) },
    firstSequence: sequences.lowerBound, sealedState: [UInt8(sequences.upperBound & 255)].span)
}

private func ends(_ log: LogTables) throws(StorageError) -> (last: UInt64, state: [UInt8]?) {
  try log.read { (view) throws(StorageError) in
    (try view.lastSequence(), try view.sealedState()?.array)
  }
}

@Test func `a copy of a log takes what it does not have, in bounded slices`() throws {
  let scratch = ScratchDirectory()
  let (_, log) = try open(scratch)
  let copy = try LogTables.open(
    DataDirectory.openBackup(path: scratch.path + "/backup", of: storeID))
  try append(log, 1...20_000)
  try log.putErasures([
    LogTables.LabelledRow(label: Array(repeating: 1, count: 16), sealed: [1, 2, 3])
  ])
  #expect(try log.copy(to: copy).records == 20_000)
  try append(log, 20_001...20_005)
  let report = try log.copy(to: copy)
  #expect(report.records == 5 && report.bytes == 1_500 && report.lastSequence == 20_005)
  let (last, state) = try ends(copy)
  #expect(last == 20_005 && state == [UInt8(20_005 & 255)])
  let label = [UInt8](repeating: 1, count: 16)
  let row = try copy.read { (view) throws(StorageError) in try view.erasure(label.span)?.array }
  #expect(row == [1, 2, 3])
}

@Test func `a copy of another lineage is refused`() throws {
  let scratch = ScratchDirectory()
  let (_, log) = try open(scratch)
  let copy = try LogTables.open(
    DataDirectory.openBackup(path: scratch.path + "/backup", of: storeID))
  try append(log, 1...10)
  _ = try log.copy(to: copy)
  try append(copy, 11...12)
  #expect(throws: StorageError.otherLineage) { try log.copy(to: copy) }
  try copy.truncate(from: 11)
  #expect(try ends(copy).last == 10)
  #expect(try log.copy(to: copy).records == 0)
  try copy.truncate(from: 10)
  try append(copy, 10...10, byte: 8)
  #expect(throws: StorageError.otherLineage) { try log.copy(to: copy) }
  try copy.truncate(from: 10)
  try log.beginLineage(Array(repeating: 5, count: 16), sealedState: [1].span)
  #expect(throws: StorageError.otherLineage) { try log.copy(to: copy) }
}

@Test func `a copy of a keyring takes the place of the one before, and its pages are sound`() throws
{
  let scratch = ScratchDirectory()
  let (store, _) = try open(scratch)
  let tables = try KeyringTables.open(store)
  let path = scratch.path + "/backup"
  _ = try DataDirectory.openBackup(path: path, of: storeID)
  for round: UInt8 in 1...2 {
    try tables.write { (transaction: inout KeyringTransaction) throws(StorageError) in
      for node: UInt8 in 0..<100 {
        let id = [UInt8](repeating: node, count: 8)
        try transaction.putNode(id.span, [UInt8](repeating: round, count: 1_000).span)
      }
    }
    try tables.copy(toDirectory: path + "/keyring")
    #expect(try PageWalk.run(path: path + "/keyring/data.mdb").entries == 100)
  }
  let copy = try KeyringTables.open(DataDirectory.open(path: path, isReadOnly: true))
  let node = try copy.read { (view: borrowing KeyringView) throws(StorageError) in
    try view.node([UInt8](repeating: 9, count: 8).span)?.array
  }
  #expect(node == [UInt8](repeating: 2, count: 1_000))
}

@Test func `a backup is no store, and a store no backup`() throws {
  let scratch = ScratchDirectory()
  let path = scratch.path + "/backup"
  do { _ = try DataDirectory.openBackup(path: path, of: storeID) }
  #expect(throws: StorageError.otherKind) { try DataDirectory.open(path: path) }
  let other = StoreID(bytes: Array(repeating: 1, count: 16))!
  #expect(throws: StorageError.otherStore) { try DataDirectory.openBackup(path: path, of: other) }
  _ = try DataDirectory.create(path: scratch.path + "/data", id: storeID)
  #expect(throws: StorageError.otherKind) {
    try DataDirectory.openBackup(path: scratch.path + "/data")
  }
}

@Test func `a restore that was not finished is no store, and the next one begins anew`() throws {
  let scratch = ScratchDirectory()
  let path = scratch.path + "/data"
  do {
    let half = try DataDirectory.beginRestoring(path: path, id: storeID)
    _ = try LogTables.open(half)
  }
  #expect(throws: StorageError.missing) { try DataDirectory.open(path: path) }
  do {
    let again = try DataDirectory.beginRestoring(path: path, id: storeID)
    #expect(throws: StorageError.busy(pid: nil)) {
      try DataDirectory.beginRestoring(path: path, id: storeID)
    }
    try again.finishRestoring()
  }
  #expect(try DataDirectory.open(path: path).id == storeID)
  #expect(throws: StorageError.exists) { try DataDirectory.beginRestoring(path: path, id: storeID) }
}
