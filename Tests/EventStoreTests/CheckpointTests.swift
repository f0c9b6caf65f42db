import EventModel
import Foundation
import Keyring
import Testing
import TransparencyLog

@testable import EventStore

private func checkpoint(_ note: [UInt8], _ key: NoteKey) throws -> Checkpoint {
  let signed = try #require(SignedNote(note))
  #expect(signed.verdict(of: key) == .signed)
  return try #require(Checkpoint(signed.text))
}

extension TestStore {
  func note(_ act: EvidenceAct) throws -> [UInt8] {
    guard case .evidence(.text(let text)) = try control(.evidence(act)) else {
      throw StoreError.corrupt
    }
    return text
  }

  func notes(_ name: String?) throws -> [[UInt8]] {
    let act = EvidenceAct.checkpoints(name.flatMap { TenantName($0) })
    guard case .evidence(.notes(let notes)) = try control(.evidence(act)) else {
      throw StoreError.corrupt
    }
    return notes
  }

  func noteKey() throws -> NoteKey {
    let text = String(decoding: try note(.noteKey), as: UTF8.self)
    return try #require(NoteKey(String(text.dropLast())))
  }

  /// The entries of the ledger.
  func ledger() throws -> [LedgerEntry] {
    try store.shared.withState { state in
      try state.keyring.ledgerEntries(from: 1, limit: .max).map(\.entry)
    }
  }
}

@Suite struct CheckpointTests {
  @Test func `a tenant's checkpoint has the root that proofs lead to`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    let key = try store.noteKey()
    let empty = try checkpoint(try store.store.checkpoint(tenant), key)
    #expect(empty.size == 0 && empty.root == Frontier().root())
    for _ in 0..<5 { _ = store.append(tenant, TestEvent()) }
    let found = try checkpoint(try store.store.checkpoint(tenant), key)
    #expect(found.size == 5 && found.timeMilliseconds == store.clock.now)
    let proof = try store.store.inclusionProof(tenant, position: 3, size: 5)
    #expect(found.root.bytes == proof.root)
    guard case .tenant(_, _, lineage: 1) = found.origin else {
      Issue.record("\(found.origin)")
      return
    }
  }

  @Test func `the ledger's checkpoint is over every entry, in order`() throws {
    let store = try TestStore()
    _ = try store.createTenant("acme")
    // Beyond one tile.
    for _ in 0..<150 {
      try store.control(.suspendTenant(TenantName("acme")!))
      try store.control(.resumeTenant(TenantName("acme")!))
    }
    var frontier = Frontier()
    let entries = try store.ledger()
    for entry in entries { frontier.append(LeafHash(entry: entry.plain.span)) }
    let found = try checkpoint(try store.note(.checkpoint(nil)), try store.noteKey())
    #expect(found.size == UInt64(entries.count) && found.size > 300)
    #expect(found.root == frontier.root())
    let shared = store.store.shared
    let log = try shared.ledger.log(shared)
    for index in [0, 7, 255, 256, 299, found.size - 1] {
      let inclusion = try #require(
        try log.inclusionProof(of: index, size: found.size, tile: shared.ledger.tiles(shared)))
      let leaf = LeafHash(entry: entries[Int(index)].plain.span)
      #expect(inclusion.proof.proves(leaf, under: found.root))
    }
    let consistency = try #require(
      try log.consistencyProof(from: 100, to: found.size, tile: shared.ledger.tiles(shared)))
    #expect(consistency.proof.proves(consistency.oldRoot, found.root))
  }

  @Test func `what was kept comes back byte for byte after a restart`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    var given: [[UInt8]] = []
    for _ in 0..<4 {
      _ = store.append(tenant, TestEvent())
      given.append(try store.note(.checkpoint(TenantName("acme")!)))
      store.clock.advance(3_600_000)
    }
    // Nothing new, nothing to keep.
    _ = try store.note(.checkpoint(TenantName("acme")!))
    #expect(try store.notes("acme") == given)
    try store.reopen()
    #expect(try store.notes("acme") == given)
    #expect(try store.notes(nil) == [])
  }

  @Test func `each hour a checkpoint of every log that grew is kept`() throws {
    let store = try TestStore()
    let (first, second) = (try store.createTenant("first"), try store.createTenant("second"))
    func hour() throws {
      store.clock.advance(3_600_000)
      try store.control(.hourly)
    }
    _ = store.append(first, TestEvent())
    try hour()
    _ = store.append(second, TestEvent())
    try hour()
    _ = store.append(first, TestEvent())
    try hour()
    let key = try store.noteKey()
    #expect(try store.notes("first").map { try checkpoint($0, key).size } == [1, 2])
    #expect(try store.notes("second").map { try checkpoint($0, key).size } == [1])
    #expect(try store.notes(nil).count == 1)
  }

  @Test func `of many checkpoints the newest stay, and older ones by day and month`() throws {
    var history = CheckpointHistory()
    for hour in 0..<(24 * 400) {
      let entry = CheckpointHistory.Entry(
        size: UInt64(hour + 1), timeMilliseconds: Int64(hour) * 3_600_000,
        root: Frontier().root())
      let isAdded = history.add(entry)
      #expect(isAdded)
    }
    let hours = history.entries.map { Int($0.timeMilliseconds / 3_600_000) }
    #expect(hours.count <= CheckpointHistory.entriesMax)
    #expect(Array(hours.suffix(24)) == Array((24 * 400 - 24)..<(24 * 400)))
    #expect(hours.first == 0)
    // None of the last 31 days is without one.
    for day in 369..<400 { #expect(hours.contains { $0 / 24 == day }) }
    #expect(CheckpointHistory(history.bytes) == history)
    let last = try #require(history.entries.last)
    let isAdded = history.add(last)
    #expect(!isAdded)
  }
}
