import EventModel
import Sodium
import Testing

@testable import Keyring

@Suite struct PositionTests {
  private func leaf(_ seed: borrowing PositionSeed, _ position: UInt64) -> [UInt8]? {
    var tree = PositionTree(seed: SecretBytes(zeroes: 32))
    tree.use(seed)
    guard tree.covers(position) else { return nil }
    let leaf = tree.leaf(position)
    return leaf.indices.map { leaf[$0] }
  }

  private func leaf(
    _ keyring: Keyring, _ tenant: TenantNumber, _ position: UInt64
  ) throws -> [UInt8]? {
    guard let seed = try keyring.positionSeed(tenant, position, generation: 1) else { return nil }
    return leaf(seed, position)
  }

  @Test func `a puncture takes one leaf away and leaves every other as it was`() throws {
    let store = try TestStore()
    var keyring: Keyring? = try store.open()
    let tenant = try keyring!.createTenant(
      name("acme"), retention: retention("30d"), now: TestStore.now, actor: .daemon)
    let asked = Set(
      (0...300).map(UInt64.init) + [1 << 20, 1 << 47, Limits.positionMax - 1, Limits.positionMax])
    var before: [UInt64: [UInt8]] = [:]
    for position in asked { before[position] = try leaf(keyring!, tenant, position) }
    #expect(Set(before.values).count == asked.count)
    var dead: Set<UInt64> = []
    for round in [[17], [18, 18, 16], [255, 256, Limits.positionMax], Array(32...47)] as [[UInt64]]
    {
      var removal = Removal()
      removal.parts[tenant] = Removal.Part()
      removal.parts[tenant]?.positions = [1: round]
      let receipt = try keyring!.rotate(removal, entry: entry(.eventsShredded))
      #expect(receipt.keysDestroyed == Set(round).subtracting(dead).count)
      // The path of one position: twelve nodes, the tenant's, the tenants' array's and the top.
      if round == [17] { #expect(receipt.bytesSealed <= 32 << 10) }
      dead.formUnion(round)
      keyring = nil
      keyring = try store.open()
      for position in asked {
        let found = try leaf(keyring!, tenant, position)
        #expect(found == (dead.contains(position) ? nil : before[position]), "\(position)")
      }
    }
    // The same again destroys nothing and harms nothing.
    var again = Removal()
    again.parts[tenant] = Removal.Part()
    again.parts[tenant]?.positions = [1: [17]]
    #expect(try keyring!.rotate(again, entry: entry(.eventsShredded)).keysDestroyed == 0)
    #expect(try leaf(keyring!, tenant, 19) == before[19])
  }

  @Test func `a tenant with punctured positions is shredded whole`() throws {
    let store = try TestStore()
    let keyring = try store.open()
    let tenant = try keyring.createTenant(
      name("acme"), retention: retention("30d"), now: TestStore.now, actor: .daemon)
    let nodes = try keyring.status().nodeCount
    var removal = Removal()
    removal.parts[tenant] = Removal.Part()
    removal.parts[tenant]?.positions = [1: [5, 70_000]]
    _ = try keyring.rotate(removal, entry: entry(.eventsShredded))
    #expect(try keyring.status().nodeCount > nodes + 12)
    var end = Removal()
    end.tenants = [tenant]
    _ = try keyring.rotate(end, entry: entry(.tenantShredded))
    #expect(try keyring.status().nodeCount < nodes)
  }
}
