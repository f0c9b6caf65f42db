import EventModel
import Foundation
import Sodium
import Storage
import Testing

@testable import Keyring

/// Any one holder opens the store; all must confirm an erasure; nobody is called erased before.
@Suite struct HolderTests {
  private func move(_ source: String, _ target: String) throws {
    try FileManager.default.moveItem(atPath: source, toPath: target)
  }

  /// The epochs of the roots in a holder's file.
  private func epochs(_ path: String) throws -> [UInt64] {
    let file = try readFile(path)
    return [4_096, 8_192].compactMap {
      RootSlot.decode(file.span.extracting($0..<($0 + 512)))?.epoch
    }
  }

  private func rotate(_ keyring: Keyring) throws {
    _ = try keyring.rotate(Removal(), entry: entry(.rootRotated))
  }

  private func administrate(_ store: TestStore, _ paths: [String]) throws -> Keyring {
    var holders = RootHolders(paths: paths)
    holders.mayBePartial = true
    return try waitingForLocks {
      try Keyring.open(data: store.data, tables: store.tables, holders: holders)
    }
  }

  @Test(arguments: [0, 1])
  func `either of two holders opens the store`(missing: Int) throws {
    let store = try TestStore(holders: 2)
    try move(store.holders.paths[missing], store.path + "/aside")
    let keyring = try store.open()
    #expect(keyring.epoch == 1)
    #expect(
      keyring.holderReport.map(\.isPresent) == (missing == 0 ? [false, true] : [true, false]))
    #expect(keyring.missingHolders == [UInt8(missing)])
    #expect(!FileManager.default.fileExists(atPath: store.holders.paths[missing]))
  }

  @Test func `a rotation is unconfirmed while a holder is missing`()
    throws
  {
    let store = try TestStore(holders: 2)
    let aside = store.path + "/aside"
    try move(store.holders.paths[1], aside)
    let keyring = try store.open()
    let tenant = try keyring.createTenant(
      name("acme"), retention: retention("30d"), now: TestStore.now, actor: .daemon)
    try keyring.addKeys([NewKey(tenant: tenant, kind: .subject, tag: tag(1))])
    var removal = Removal()
    removal.parts[tenant] = Removal.Part()
    removal.parts[tenant]?.slots = [Slot(rawValue: 0)]
    removal.parts[tenant]?.tags = [tag(1)]
    #expect(throws: KeyringError.erasureUnconfirmed) {
      _ = try keyring.rotate(removal, entry: entry(.subjectShredded))
    }
    // The next one is not held up.
    #expect(throws: KeyringError.erasureUnconfirmed) { try rotate(keyring) }
    #expect(try keyring.entry(tenant, tag: tag(1)) == nil)
    #expect(keyring.epoch == 3 && keyring.isErasureUnconfirmed)
    #expect(try epochs(store.holders.paths[0]) == [3] && epochs(aside) == [1])
    #expect(throws: KeyringError.erasureUnconfirmed) {
      try keyring.confirmErasure(now: TestStore.now)
    }
    try move(aside, store.holders.paths[1])
    try keyring.tendHolders(now: TestStore.now)
    #expect(!keyring.isErasureUnconfirmed && keyring.missingHolders.isEmpty)
    #expect(try epochs(store.holders.paths[1]) == [3])
    let last = try keyring.ledgerEntries(from: 1, limit: 100).last?.entry.act
    #expect(last == .erasureConfirmed)
    #expect(try keyring.rotate(Removal(), entry: entry(.rootRotated)).holderCount == 2)
  }

  @Test func `an erasure stays unconfirmed across a restart`() throws {
    let store = try TestStore(holders: 2)
    try move(store.holders.paths[1], store.path + "/aside")
    #expect(throws: KeyringError.erasureUnconfirmed) { try rotate(try store.open()) }
    #expect(try store.open().isErasureUnconfirmed)
    try move(store.path + "/aside", store.holders.paths[1])
    #expect(try !store.open().isErasureUnconfirmed)
    #expect(try epochs(store.holders.paths[1]) == [2])
  }

  @Test func `a holder that goes while the store is open is noticed`() throws {
    let store = try TestStore(holders: 2)
    let keyring = try store.open()
    try move(store.holders.paths[0], store.path + "/aside")
    try keyring.tendHolders(now: TestStore.now)
    #expect(keyring.missingHolders == [0])
    #expect(throws: KeyringError.erasureUnconfirmed) { try rotate(keyring) }
  }

  @Test func `without any holder nothing is destroyed`() throws {
    let store = try TestStore()
    let keyring = try store.open()
    try move(store.holders.paths[0], store.path + "/aside")
    try keyring.tendHolders(now: TestStore.now)
    #expect(throws: KeyringError.holdersUnavailable) { try rotate(keyring) }
    #expect(keyring.epoch == 1)
    // Keys are made all the same.
    _ = try keyring.createTenant(
      name("acme"), retention: retention("30d"), now: TestStore.now, actor: .daemon)
    try move(store.path + "/aside", store.holders.paths[0])
    #expect(try keyring.rotate(Removal(), entry: entry(.rootRotated)).epoch == 2)
  }

  @Test func `an old storage is refused when one of the holders is newer`() throws {
    let store = try TestStore(holders: 2)
    let old = store.path + "/old"
    try FileManager.default.copyItem(atPath: store.path + "/data", toPath: old)
    try move(store.holders.paths[1], store.path + "/aside")
    #expect(throws: KeyringError.erasureUnconfirmed) { try rotate(try store.open()) }
    try move(store.path + "/aside", store.holders.paths[1])
    let data = try waitingForLocks { try DataDirectory.open(path: old) }
    let tables = try KeyringTables.open(data)
    #expect(throws: KeyringError.storageRolledBack(storage: 1, root: 2)) {
      _ = try waitingForLocks {
        try Keyring.open(data: data, tables: tables, holders: store.holders)
      }
    }
    // And what is newer was not touched.
    #expect(try epochs(store.holders.paths[0]) == [2])
    #expect(try store.open().epoch == 2)
  }

  @Test func `a holder that is added gets the root and confirms from then on`() throws {
    let store = try TestStore()
    let added = store.path + "/added"
    do {
      let keyring = try store.open()
      try keyring.addHolder(added, now: TestStore.now, actor: .uid(7))
      #expect(try epochs(added) == [1])
      #expect(keyring.holderCount == 2 && !keyring.isErasureUnconfirmed)
      #expect(try keyring.rotate(Removal(), entry: entry(.rootRotated)).holderCount == 2)
    }
    #expect(throws: KeyringError.rootHolderSetWrong) { _ = try store.open() }
    #expect(try administrate(store, [added]).epoch == 2)
    #expect(try administrate(store, [added] + store.holders.paths).missingHolders.isEmpty)
  }

  @Test func `a holder that is removed has no root any more`() throws {
    let store = try TestStore(holders: 2)
    let (first, second) = (store.holders.paths[0], store.holders.paths[1])
    do {
      let keyring = try administrate(store, [first, second])
      try keyring.removeHolder(second, now: TestStore.now, actor: .daemon)
      #expect(try epochs(second).isEmpty && epochs(first) == [1])
      #expect(throws: KeyringError.lastHolder) {
        try keyring.removeHolder(first, now: TestStore.now, actor: .daemon)
      }
    }
    // It is no holder of this store any more.
    #expect(throws: KeyringError.rootHolderSetWrong) { _ = try store.open() }
    #expect(try administrate(store, [first]).holderCount == 1)
  }

  @Test func `a holder that is lost leaves with a new root and a line in the ledger`() throws {
    let store = try TestStore(holders: 2)
    let lost = store.path + "/lost"
    try move(store.holders.paths[1], lost)
    do {
      let keyring = try administrate(store, [store.holders.paths[0]])
      #expect(throws: KeyringError.lastHolder) {
        try keyring.removeLostHolder(number: 0, now: TestStore.now, actor: .daemon)
      }
      try keyring.removeLostHolder(number: 1, now: TestStore.now, actor: .daemon)
      #expect(keyring.epoch == 2 && !keyring.isErasureUnconfirmed)
      let entry = try #require(keyring.ledgerEntries(from: 1, limit: 9).last?.entry)
      #expect(entry.act == .rootHolderRemoved && entry.result == 1 && entry.count == 1)
      try keyring.addHolder(store.path + "/third", now: TestStore.now, actor: .daemon)
      #expect(keyring.holderReport.map(\.number) == [0, 2])
    }
    // What was lost and comes back is refused, not taken for one.
    #expect(throws: KeyringError.rootHolderSetWrong) {
      _ = try administrate(store, [store.holders.paths[0], lost])
    }
  }

  #if DEBUG
    @Test func `a missing holder that counted as confirmed would be caught`() throws {
      let store = try TestStore(holders: 2)
      try move(store.holders.paths[1], store.path + "/aside")
      let keyring = try store.open()
      try TestHooks.$taskVariant.withValue("missing-confirmed") { try rotate(keyring) }
      #expect(!keyring.isErasureUnconfirmed)
      #expect(try epochs(store.path + "/aside") == [1])
    }
  #endif
}
