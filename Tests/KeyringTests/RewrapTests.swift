import EventModel
import Foundation
import Sodium
import Storage
import Testing

@testable import Keyring

/// An attacker read all node keys of a tenant once, and gets every later copy of the keyring.
@Suite struct RewrapTests {
  @Test func `node keys that were read before a rewrap open nothing that was added after it`()
    throws
  {
    let found = try attack { keyring, tenant in
      var removal = Removal()
      removal.rewraps = [tenant]
      _ = try keyring.rotate(removal, entry: entry(.tenantRewrapped))
    }
    #expect(found.new == 0)
    #expect(found.old == 40)
  }

  @Test func `control: with a new root alone they go on opening what is added`() throws {
    let found = try attack { keyring, _ in
      _ = try keyring.rotate(Removal(), entry: entry(.rootRotated))
    }
    #expect(found.new > 0)
  }

  @Test func `a rewrap loses no key, no name and no position`() throws {
    let store = try TestStore()
    let keyring = try store.open()
    let tenant = try keyring.createTenant(
      name("acme"), retention: retention("30d"), now: TestStore.now, actor: .daemon)
    let other = try keyring.createTenant(
      name("other"), retention: retention("30d"), now: TestStore.now, actor: .daemon)
    let tags = (1...3_000).map { tag($0) }
    let slots = try keyring.addKeys(tags.map { NewKey(tenant: tenant, kind: .subject, tag: $0) })
    let otherSlots = try keyring.addKeys([NewKey(tenant: other, kind: .subject, tag: tags[0])])
    let numbers: [UInt32] = [0, 3, 700]
    let documents = numbers.map { (DocumentID(.settings, $0), Document(copying: [7, 8].span)) }
    try keyring.setDocuments(tenant: tenant, Dictionary(uniqueKeysWithValues: documents))
    var removal = Removal()
    removal.parts[tenant] = Removal.Part()
    removal.parts[tenant]?.positions = [1: [7]]
    removal.parts[tenant]?.slots = [slots[5]]
    removal.parts[tenant]?.tags = [tags[5]]
    removal.rewraps = [tenant]
    let receipt = try keyring.rotate(removal, entry: entry(.tenantRewrapped))
    #expect(receipt.nodesWritten > 3_000 / 32 + 3_000 / 48)
    #expect(receipt.keysDestroyed == 2)
    for (index, slot) in slots.enumerated() where index % 97 == 0 || index == 5 {
      let isThere = try keyring.hasKey(tenant, slot)
      #expect(isThere == (index != 5))
      #expect(try keyring.entry(tenant, tag: tags[index])?.slot == (index == 5 ? nil : slot))
    }
    let otherThere = try keyring.hasKey(other, otherSlots[0])
    #expect(otherThere)
    for (id, _) in documents {
      let bytes = try keyring.document(tenant: tenant, id)?.withBytes { $0.array }
      #expect(bytes == [7, 8])
    }
    let gone = try keyring.positionSeed(tenant, 7, generation: 1) == nil
    let kept = try keyring.positionSeed(tenant, 8, generation: 1) != nil
    #expect(gone && kept)
    // Nothing of the old tree is left behind in the table.
    let nodes = try keyring.status().nodeCount
    _ = try keyring.rotate(removal.withoutParts, entry: entry(.tenantRewrapped))
    #expect(try keyring.status().nodeCount == nodes)
  }

  /// How many keys the attacker finds that were made before and after `act`.
  private func attack(
    _ act: (Keyring, TenantNumber) throws -> Void
  ) throws -> (old: Int, new: Int) {
    let store = try TestStore()
    let keyring = try store.open()
    let tenant = try keyring.createTenant(
      name("acme"), retention: retention("30d"), now: TestStore.now, actor: .daemon)
    let before = try add(1...40, to: tenant, keyring)
    let first = try snapshot(store, 0)
    try copyFile(store.holders.paths[0], store.path + "/oldroot")
    try act(keyring, tenant)
    // Enough for leaves that were there before to take some of them in.
    let after = try add(41...50, to: tenant, keyring)
    let second = try snapshot(store, 1)
    let closure = try KeyringClosure(
      store: store.data.id, snapshots: [first, second], holderPaths: [store.path + "/oldroot"])
    let found = closure.keys.count
    var new = 0
    for slot in after {
      let key = try keyring.copyKey(tenant, slot)
      if closure.keys.contains(key) { new += 1 }
    }
    #expect(before.count == 40 && found >= 40)
    return (found - new, new)
  }

  private func add(
    _ numbers: ClosedRange<UInt64>, to tenant: TenantNumber, _ keyring: Keyring
  ) throws -> [Slot] {
    try keyring.addKeys(numbers.map { NewKey(tenant: tenant, kind: .subject, tag: tag($0)) })
  }

  private func snapshot(_ store: TestStore, _ number: Int) throws -> KeyringTables {
    let path = "\(store.path)/copy\(number)"
    for directory in [path, path + "/keyring"] {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: false,
        attributes: [.posixPermissions: 0o700])
    }
    try copyFile(store.path + "/data/FORMAT", path + "/FORMAT")
    try copyFile(store.path + "/data/keyring/data.mdb", path + "/keyring/data.mdb")
    return try KeyringTables.open(try DataDirectory.open(path: path, isReadOnly: true))
  }
}

extension Removal {
  fileprivate var withoutParts: Removal {
    var removal = self
    removal.parts = [:]
    return removal
  }
}
