import EventModel
import Sodium
import Storage
import Testing

@testable import Keyring

/// A replica that follows has what the keyring has, however far it was behind.
@Suite struct ReplicaTests {
  private func contents(_ tables: KeyringTables) throws -> [[UInt8]] {
    var chunks: [[UInt8]] = []
    try tables.forEachChunk { chunks.append($0) }
    return chunks
  }

  private func follow(_ follower: KeyringTables, _ gap: KeyringGap, from mark: [UInt8]) throws {
    var chunks = gap.chunks[...]
    try follower.follow(from: mark) { chunks.popFirst() }
  }

  @Test func `a replica follows commit by commit`() throws {
    let (store, other) = (try TestStore(), try TestStore(creates: false))
    let keyring = try store.open()
    try store.tables.beginJournal()
    let everything = try contents(store.tables)
    var left = everything[...]
    try other.tables.follow(from: nil) { left.popFirst() }
    #expect(try contents(other.tables) == everything)
    var generator = SeededGenerator.forTest()
    var number: UInt64?
    var made: UInt64 = 0
    let tenant = try keyring.createTenant(
      name("acme"), retention: retention("30d"), now: TestStore.now, actor: .daemon)
    for _ in 0..<40 {
      if Bool.random(using: &generator) {
        made += 1
        try keyring.addKeys([NewKey(tenant: tenant, kind: .subject, tag: tag(made))])
      } else {
        _ = try keyring.rotate(Removal(), entry: entry(.rootRotated))
      }
      guard UInt64.random(in: 0..<3, using: &generator) == 0 else { continue }
      let mark = try other.tables.mark
      // Sometimes as after a restart, when only the mark is known.
      let known = Bool.random(using: &generator) ? number : nil
      let gap = try #require(store.tables.gap(after: mark, from: known))
      try follow(other.tables, gap, from: mark)
      number = gap.end
      #expect(try other.tables.mark == gap.mark)
      #expect(try contents(other.tables) == contents(store.tables))
    }
  }

  @Test func `changes are refused by a replica that is elsewhere`() throws {
    let (store, other) = (try TestStore(), try TestStore())
    _ = try store.open()
    try store.tables.beginJournal()
    #expect(throws: StorageError.otherLineage) {
      try other.tables.follow(from: try store.tables.mark) { nil }
    }
    #expect(store.tables.gap(after: try other.tables.mark, from: nil) == nil)
  }

  @Test func `changes that end in an error leave nothing`() throws {
    let (store, other) = (try TestStore(), try TestStore(creates: false))
    var left = try contents(store.tables)[...]
    #expect(throws: StorageError.corrupt) {
      try other.tables.follow(from: nil) { () throws(StorageError) -> [UInt8]? in
        guard let chunk = left.popFirst() else { throw .corrupt }
        return chunk
      }
    }
    #expect(try contents(other.tables).isEmpty)
    for broken in [[0, 1, 0, 8], [0, 3, 0, 0, 0, 0, 0, 0], [9, 1, 0, 1, 0, 0, 0, 0, 1]] as [[UInt8]]
    {
      var chunks = [broken][...]
      #expect(throws: StorageError.corrupt) {
        try other.tables.follow(from: nil) { chunks.popFirst() }
      }
    }
  }
}
