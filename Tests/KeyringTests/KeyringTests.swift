import EventModel
import Sodium
import Storage
import Testing

@testable import Keyring

@Suite struct KeyringTests {
  @Test func `a new store opens at epoch 1 with one line in its ledger`() throws {
    let store = try TestStore()
    let keyring = try store.open()
    #expect(keyring.epoch == 1)
    #expect(keyring.version == 1)
    #expect(try keyring.ledgerEntries(from: 1, limit: 10).map(\.entry.act) == [.storeCreated])
  }

  @Test func `keys are found by name and by slot after opening again`() throws {
    let store = try TestStore(holders: 2)
    var first = SecretBytes(zeroes: 32)
    let tenant: TenantNumber
    do {
      let keyring = try store.open()
      tenant = try keyring.createTenant(
        name("acme"), retention: retention("395d"), now: TestStore.now, actor: .uid(7))
      let slots = try keyring.addKeys([
        NewKey(tenant: tenant, kind: .subject, tag: tag(1)),
        NewKey(tenant: tenant, kind: .stream, tag: tag(2)),
        NewKey(tenant: tenant, kind: .subject, tag: tag(1)),
      ])
      #expect(slots.map(\.rawValue) == [1, 2, 1])
      first = try keyring.copyKey(tenant, slots[0])
    }
    let keyring = try store.open()
    #expect(keyring.tenants.map(\.name.text) == ["acme"])
    #expect(try keyring.entry(tenant, tag: tag(1))?.slot == Slot(rawValue: 1))
    #expect(try keyring.entry(tenant, tag: tag(2))?.kind == .stream)
    #expect(try keyring.entry(tenant, tag: tag(3)) == nil)
    guard let again = try keyring.key(tenant, Slot(rawValue: 1)) else { throw KeyringError.corrupt }
    let isSame = again.key.isEqual(to: first.bytes)
    let kind = again.kind
    #expect(isSame)
    #expect(kind == .subject)
  }

  @Test func `a rotation removes keys and names, leaves a mark and the others`() throws {
    let store = try TestStore()
    let keyring = try store.open()
    let tenant = try keyring.createTenant(
      name("acme"), retention: retention("30d"), now: TestStore.now, actor: .daemon)
    let wanted = (1...200).map { NewKey(tenant: tenant, kind: .subject, tag: tag($0)) }
    let slots = try keyring.addKeys(wanted)
    var part = Removal.Part()
    part.slots = [slots[4], slots[120]]
    part.tags = [tag(5), tag(121)]
    part.marks = [Removal.Mark(tag: tag(1_000), untilDay: 20_700)]
    var removal = Removal()
    removal.parts[tenant] = part
    let receipt = try keyring.rotate(removal, entry: entry(.subjectShredded))
    #expect(receipt.epoch == 2)
    #expect(receipt.keysDestroyed == 2)
    #expect(try !keyring.hasKey(tenant, slots[4]))
    #expect(try keyring.entry(tenant, tag: tag(5)) == nil)
    #expect(try keyring.entry(tenant, tag: tag(1_000))?.untilDay == 20_700)
    #expect(try keyring.hasKey(tenant, slots[5]))
    #expect(try keyring.entry(tenant, tag: tag(6))?.slot == slots[5])
  }

  @Test func `a destroyed key's name leaves the map also when nobody gives it`() throws {
    let store = try TestStore()
    let keyring = try store.open()
    let tenant = try keyring.createTenant(
      name("acme"), retention: retention("30d"), now: TestStore.now, actor: .daemon)
    let slots = try keyring.addKeys(
      (1...100).map { NewKey(tenant: tenant, kind: .stream, tag: tag($0)) })
    var removal = Removal()
    removal.parts[tenant] = Removal.Part()
    removal.parts[tenant]?.slots = [slots[6], slots[59]]
    removal.parts[tenant]?.tags = [tag(7)]
    _ = try keyring.rotate(removal, entry: entry(.subjectShredded))
    for number in UInt64(1)...100 {
      let found = try keyring.entry(tenant, tag: tag(number))
      #expect((found == nil) == (number == 7 || number == 60))
    }
    #expect(
      try keyring.addKeys([NewKey(tenant: tenant, kind: .stream, tag: tag(60))])
        == [Slot(rawValue: 101)])
  }

  @Test func `slots are never given out twice`() throws {
    let store = try TestStore()
    let keyring = try store.open()
    let tenant = try keyring.createTenant(
      name("acme"), retention: retention("30d"), now: TestStore.now, actor: .daemon)
    let slot = try keyring.addKeys([NewKey(tenant: tenant, kind: .subject, tag: tag(1))])[0]
    var removal = Removal()
    removal.parts[tenant] = Removal.Part()
    removal.parts[tenant]?.slots = [slot]
    removal.parts[tenant]?.tags = [tag(1)]
    _ = try keyring.rotate(removal, entry: entry(.subjectShredded))
    let next = try keyring.addKeys([NewKey(tenant: tenant, kind: .subject, tag: tag(1))])[0]
    #expect(next.rawValue == slot.rawValue + 1)
    #expect(throws: KeyringError.slotBeyondEnd) {
      _ = try keyring.key(tenant, Slot(rawValue: next.rawValue + 1))
    }
  }
}
