import EventModel
import Sodium
import Storage
import Testing

@testable import Keyring

@Suite struct LedgerTests {
  @Test func `entries come back as they were written, with the epoch of their commit`() throws {
    let store = try TestStore()
    let keyring = try store.open()
    var entry = LedgerEntry(
      timeMilliseconds: TestStore.now, act: .subjectShredded,
      actor: .socket(name: Array("web-7".utf8), uid: 1_201), tenant: TenantNumber(rawValue: 9),
      result: 3, planHash: [UInt8](repeating: 0xAB, count: 32), count: 77)
    _ = try keyring.rotate(Removal(), entry: entry)
    try keyring.appendLedger(
      LedgerEntry(timeMilliseconds: 5, act: .periodsExpired, actor: .uid(8)))
    entry.epoch = 2
    let found = try keyring.ledgerEntries(from: 2, limit: 10)
    #expect(found.map(\.index) == [2, 3])
    #expect(found[0].entry == entry)
    #expect(found[1].entry.actor == .uid(8))
    #expect(try keyring.ledgerEntries(from: 1, limit: 1).count == 1)
    #expect(try keyring.ledgerEntries(from: 4, limit: 10).isEmpty)
  }

  @Test func `an entry moved to another index does not open`() throws {
    let key = SecretBytes.random(count: 32)
    let store = StoreID(bytes: Random.bytes(16))
    guard let store else { throw KeyringError.corrupt }
    let sealed = entry(.rootRotated).seal(key: key.bytes, store: store, index: 4)
    #expect(sealed.count == 256 + 66)
    #expect(LedgerEntry(sealed.span, key: key, store: store, index: 4) != nil)
    #expect(LedgerEntry(sealed.span, key: key, store: store, index: 5) == nil)
  }

  @Test func `a failed rotation leaves nothing in the ledger and no second root`() throws {
    let store = try TestStore()
    let keyring = try store.open()
    var removal = Removal()
    removal.tenants = [TenantNumber(rawValue: 99)]
    #expect(throws: KeyringError.unknownTenant) {
      _ = try keyring.rotate(removal, entry: entry(.tenantShredded))
    }
    #expect(keyring.epoch == 1)
    #expect(try keyring.ledgerEntries(from: 1, limit: 10).count == 1)
    #expect(try keyring.holders.present.map { try $0.epochs() } == [[1]])
    // And the next one goes through.
    #expect(try keyring.rotate(Removal(), entry: entry(.rootRotated)).epoch == 2)
  }
}

@Test func `a lineage gives every tenant new keys and a line in the ledger`() throws {
  let store = try TestStore()
  let keyring = try store.open()
  let name = { TenantName(Array($0.utf8))! } as (String) -> TenantName
  let first = try keyring.createTenant(
    name("acme"), retention: Retention(Array("30d".utf8))!, now: TestStore.now, actor: .daemon)
  let second = try keyring.createTenant(
    name("zeta"), retention: Retention(Array("30d".utf8))!, now: TestStore.now, actor: .daemon)
  let index = keyring.nextLedgerIndex
  try keyring.beginLineages(
    behind: [first: 41], storedThrough: [:], now: TestStore.now, actor: .daemon)
  #expect(try keyring.tenantKeys(first).generation == 2)
  #expect(try keyring.tenantKeys(second).generation == 2)
  #expect(try keyring.tenantKeys(first).lineage == 2)
  let lines = try keyring.ledgerEntries(from: index, limit: 10).map(\.entry)
  #expect(lines.map(\.act) == [.lineageBegun, .lineageBegun])
  #expect(lines.map(\.tenant) == [first, second] && lines.map(\.count) == [41, 0])
  #expect(try !keyring.isRotationUnfinished())
  for _ in 3...Limits.generationsMax {
    try keyring.beginLineages(behind: [:], storedThrough: [:], now: TestStore.now, actor: .daemon)
  }
  #expect(throws: KeyringError.tenantFull) {
    try keyring.beginLineages(behind: [:], storedThrough: [:], now: TestStore.now, actor: .daemon)
  }
  #expect(try keyring.tenantKeys(first).generation == UInt16(Limits.generationsMax))
}
