import EventModel
import Foundation
import Storage
import Testing
import TransparencyLog

@testable import EventStore

private func hash(_ bytes: [UInt8]) -> Hash256 { Hash256(bytes.span) }

extension TestStore {
  /// Checks the proof of every position in logs of some sizes, and returns it for later.
  func checkedProofs(
    _ tenant: TenantNumber, _ sizes: [UInt64]
  ) throws -> [(position: UInt64, size: UInt64, leaf: [UInt8], root: [UInt8], hashes: [[UInt8]])] {
    try sizes.flatMap { size in
      try [1, size / 3 + 1, size - 1, size].filter { $0 > 0 }.map { position in
        let found = try store.inclusionProof(tenant, position: position, size: size)
        let leaf = try #require(found.leaf)
        let proof = InclusionProof(
          index: position - 1, size: size, hashes: found.hashes.map(hash))
        #expect(proof.proves(LeafHash(hash(leaf)), under: hash(found.root)))
        return (position, size, leaf, found.root, found.hashes)
      }
    }
  }
}

@Suite struct ProofTests {
  @Test func `proofs are the same before and after a flush, a restart and a rebuild`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    _ = try store.createTenant("other")
    for round in 0..<7 {
      _ = store.append(
        tenant, (0..<100).map { TestEvent(stream: "s\($0 % 5)", data: "\(round) \($0)") })
    }
    let sizes: [UInt64] = [1, 2, 255, 256, 257, 600, 699, 700]
    let before = try store.checkedProofs(tenant, sizes)
    try store.reopen()
    #expect(try store.checkedProofs(tenant, sizes).map(\.hashes) == before.map(\.hashes))
    #expect(try store.store.inclusionProof(tenant, position: 1, size: nil).tilesRead == 3)
    store.close()
    try FileManager.default.removeItem(atPath: store.dataPath + "/index")
    try store.reopen()
    #expect(try store.store.inclusionProof(tenant, position: 1, size: nil).tilesRead == 0)
    #expect(try store.checkedProofs(tenant, sizes).map(\.hashes) == before.map(\.hashes))
  }

  @Test func `an older log is the beginning of a newer one, across flushes`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    var roots: [(size: UInt64, root: [UInt8])] = []
    for _ in 0..<5 {
      _ = store.append(tenant, (0..<130).map { TestEvent(data: "\($0)") })
      let newest = try store.store.inclusionProof(tenant, position: 1, size: nil)
      roots.append((newest.size, newest.root))
      try store.reopen()
    }
    for old in roots {
      for new in roots where new.size >= old.size {
        let found = try store.store.consistencyProof(tenant, from: old.size, to: new.size)
        #expect(found.oldRoot == old.root && found.root == new.root)
        let proof = ConsistencyProof(
          oldSize: old.size, newSize: new.size, hashes: found.hashes.map(hash))
        #expect(proof.proves(hash(old.root), hash(new.root)))
      }
    }
  }

  @Test func `a proof that was given before a shred is given after it`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...300 {
      _ = store.append(tenant, TestEvent(subjects: ["u-\(index % 7)"], data: "\(index)"))
    }
    let before = try store.checkedProofs(tenant, [8, 300])
    _ = try store.shred("acme", "u-1")
    let after = try store.checkedProofs(tenant, [8, 300])
    #expect(before.map(\.leaf) == after.map(\.leaf) && before.map(\.root) == after.map(\.root))
    try store.reopen()
    #expect(try store.checkedProofs(tenant, [8, 300]).map(\.hashes) == before.map(\.hashes))
  }

  @Test func `a damaged tile keeps nothing from the disk, and nothing is proven by it`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    _ = store.append(tenant, (0..<100).map { TestEvent(data: "\($0)") })
    try store.reopen()
    let tables = store.store.shared.index.tables
    var labels: [[UInt8]] = []
    try tables.read { (view: borrowing IndexView) throws(StorageError) in
      try view.scan(.tiles) { label, _ in
        labels.append(label.array)
        return true
      }
    }
    #expect(!labels.isEmpty)
    try tables.write { (transaction: inout IndexTransaction) throws(StorageError) in
      for label in labels { try transaction.put([1, 2, 3].span, for: label.span, in: .tiles) }
    }
    _ = store.append(tenant, (0..<100).map { TestEvent(data: "\($0)") })
    try store.reopen()
    #expect(try store.store.shared.index.flushState()?.sequence == 200)
    #expect(throws: StoreError.corrupt) {
      try store.store.inclusionProof(tenant, position: 1, size: 150)
    }
    #expect(throws: StoreError.corrupt) {
      try store.store.consistencyProof(tenant, from: 50, to: 150)
    }
    _ = store.append(tenant, TestEvent())
    store.close()
    try FileManager.default.removeItem(atPath: store.dataPath + "/index")
    try store.reopen()
    _ = try store.checkedProofs(tenant, [1, 100, 150, 201])
  }

  @Test func `there are no proofs of what is not in the log`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    #expect(throws: StoreError.noEvent) {
      try store.store.inclusionProof(tenant, position: 1, size: nil)
    }
    for _ in 0..<3 { _ = store.append(tenant, TestEvent()) }
    for position: UInt64 in [0, 4, .max] {
      #expect(throws: StoreError.noEvent) {
        try store.store.inclusionProof(tenant, position: position, size: nil)
      }
    }
    for size: UInt64 in [0, 1, 4, .max] {
      #expect(throws: StoreError.notInLog(size: 3)) {
        try store.store.inclusionProof(tenant, position: 2, size: size)
      }
    }
    for (old, new): (UInt64, UInt64) in [(0, 1), (2, 1), (1, 4), (0, 0), (.max, .max)] {
      #expect(throws: StoreError.notInLog(size: 3)) {
        try store.store.consistencyProof(tenant, from: old, to: new)
      }
    }
  }
}
