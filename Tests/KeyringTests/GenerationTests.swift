import EventModel
import Sodium
import Storage
import Testing

@testable import Keyring

@Suite struct GenerationTests {
  private let day: Int64 = 86_400_000

  private func made(in store: TestStore) throws -> (Keyring, TenantNumber) {
    let keyring = try store.open()
    let tenant = try keyring.createTenant(
      name("acme"), retention: retention("30d"), now: TestStore.now, actor: .daemon)
    return (keyring, tenant)
  }

  private func begin(
    _ keyring: Keyring, _ tenant: TenantNumber, _ cause: GenerationCause = .rotated,
    at milliseconds: Int64 = TestStore.now
  ) throws {
    var removal = Removal()
    removal.generations[tenant] = GenerationStart(
      cause: cause, milliseconds: milliseconds, storedThrough: milliseconds)
    _ = try keyring.rotate(removal, entry: entry(.generationBegun))
  }

  private func expire(
    _ keyring: Keyring, _ tenant: TenantNumber, before end: UInt32
  ) throws -> Int {
    var removal = Removal()
    removal.parts[tenant] = Removal.Part()
    removal.parts[tenant]?.periods = [Removal.Periods(classNumber: .default, range: 0..<end)]
    return try keyring.rotate(removal, entry: entry(.periodsExpired)).keysDestroyed
  }

  private func bytes(_ secret: borrowing SecretBytes) -> [UInt8] { secret.bytes.array }

  @Test func `new keys have nothing in common with those before, which can be had as before`()
    throws
  {
    let store = try TestStore()
    let (keyring, tenant) = try made(in: store)
    _ = try expire(keyring, tenant, before: 20_000)
    let before = try keyring.tenantKeys(tenant)
    let period = Period(unit: .day, index: 20_500)
    let key = bytes(before.classes[0].cover.key(for: period.index)!)
    try begin(keyring, tenant)
    let after = try keyring.tenantKeys(tenant)
    #expect(after.generation == 2 && after.lineage == 1)
    #expect(bytes(after.dataSecret) != bytes(before.dataSecret))
    #expect(bytes(after.positionSeed) != bytes(before.positionSeed))
    #expect(bytes(after.classes[0].cover.key(for: period.index)!) != key)
    #expect(after.classes[0].cover.firstPeriod == before.classes[0].cover.firstPeriod)
    #expect(after.classes[0].cover.count == before.classes[0].cover.count)
    // Names keep their tags.
    #expect(bytes(after.mapKey) == bytes(before.mapKey))
    let retired = try #require(try keyring.retiredGeneration(tenant, 1))
    #expect(bytes(retired.dataSecret) == bytes(before.dataSecret))
    #expect(bytes(retired.positionSeed) == bytes(before.positionSeed))
    #expect(bytes(retired.key(.default, period)!) == key)
    let expired = retired.key(.default, Period(unit: .day, index: 19_999)) == nil
    #expect(expired)
    #expect(try keyring.retiredGeneration(tenant, 2) == nil)
    #expect(try keyring.retiredGeneration(tenant, 0) == nil)
  }

  @Test func `a generation ends with the last period in which it stored something`() throws {
    let store = try TestStore()
    var keyring: Keyring? = try store.open()
    let tenant = try keyring!.createTenant(
      name("acme"), retention: retention("30d"), now: TestStore.now, actor: .daemon)
    let nodes = try keyring!.status().nodeCount
    let last = UInt32(TestStore.now / day)
    try begin(keyring!, tenant, at: TestStore.now)
    try begin(keyring!, tenant, .compromised, at: TestStore.now + 3 * day)
    #expect(try expire(keyring!, tenant, before: last) == 3 * Int(last))
    #expect(try keyring!.retiredGeneration(tenant, 1) != nil)
    _ = try expire(keyring!, tenant, before: last + 1)
    #expect(try keyring!.retiredGeneration(tenant, 1) == nil)
    #expect(try keyring!.retiredGeneration(tenant, 2) != nil)
    _ = try expire(keyring!, tenant, before: last + 4)
    #expect(try keyring!.retiredGeneration(tenant, 2) == nil)
    keyring = nil
    keyring = try store.open()
    let found = try keyring!.generations(tenant)
    #expect(found.map(\.number) == [1, 2, 3])
    #expect(found.map(\.cause) == [.tenantCreated, .rotated, .compromised])
    #expect(found.map(\.ended) == [TestStore.now, TestStore.now + 3 * day, 0])
    #expect(found.map { $0.destroyed > 0 } == [true, true, false])
    // The history and the way to it are what is left.
    #expect(try keyring!.status().nodeCount == nodes + 3)
  }

  @Test func `single events are shredded in their own generation`() throws {
    let store = try TestStore()
    let (keyring, tenant) = try made(in: store)
    func covers(_ generation: UInt16, _ position: UInt64) throws -> Bool {
      let seed = try keyring.positionSeed(tenant, position, generation: generation)
      return seed != nil
    }
    func shred(_ positions: [UInt16: [UInt64]]) throws -> Int {
      var removal = Removal()
      removal.parts[tenant] = Removal.Part()
      removal.parts[tenant]?.positions = positions
      return try keyring.rotate(removal, entry: entry(.eventsShredded)).keysDestroyed
    }
    #expect(try shred([1: [5]]) == 1)
    try begin(keyring, tenant)
    #expect(try shred([1: [6, 5], 2: [8]]) == 2)
    for position: UInt64 in 4...9 {
      #expect(try covers(1, position) == ![5, 6].contains(position))
      #expect(try covers(2, position) == (position != 8))
    }
    #expect(try keyring.tenantKeys(tenant).hasErasedEvents)
    // Wrapped anew and taken out, nothing is left behind in the table.
    var removal = Removal()
    removal.rewraps = [tenant]
    _ = try keyring.rotate(removal, entry: entry(.tenantRewrapped))
    let (isLeft, isGone) = (try covers(1, 7), try covers(1, 6))
    #expect(isLeft && !isGone)
    removal = Removal()
    removal.tenants = [tenant]
    _ = try keyring.rotate(removal, entry: entry(.tenantShredded))
    #expect(try keyring.status().nodeCount == 1)
  }

  @Test func `states follow from what was begun, ended and destroyed`() throws {
    let store = try TestStore()
    let (keyring, tenant) = try made(in: store)
    func states() throws -> [KeyState] {
      try keyring.keyStatus(tenant, now: TestStore.now).generations.map(\.state)
    }
    #expect(try states() == [.active])
    try begin(keyring, tenant, at: TestStore.now + day)
    #expect(try states() == [.deactivated, .active])
    try begin(keyring, tenant, .compromised, at: TestStore.now + 2 * day)
    try begin(keyring, tenant, at: TestStore.now + 3 * day)
    #expect(try states() == [.compromised, .compromised, .deactivated, .active])
    try keyring.setSuspended(tenant, true, now: TestStore.now, actor: .daemon)
    _ = try expire(keyring, tenant, before: UInt32(TestStore.now / day) + 2)
    #expect(try states() == [.destroyed, .compromised, .deactivated, .suspended])
    let status = try keyring.keyStatus(tenant, now: TestStore.now)
    #expect(
      status.generations.map(\.compromised) == [
        TestStore.now + 2 * day, TestStore.now + 2 * day, nil, nil,
      ])
    #expect(status.classes.map(\.first?.index) == [UInt32(TestStore.now / day) + 2])
  }

  @Test func `the root is as old as the rotation that made it`() throws {
    let store = try TestStore()
    let (keyring, tenant) = try made(in: store)
    #expect(try keyring.status().rootBegunMilliseconds == keyring.status().createdMilliseconds)
    for index in 1...9 {
      let time = TestStore.now + Int64(index) * day
      if index % 3 == 0 {
        _ = try keyring.rotate(
          Removal(), entry: LedgerEntry(timeMilliseconds: time, act: .rootRotated, actor: .daemon))
      } else {
        try keyring.setSuspended(tenant, index % 2 == 0, now: time, actor: .daemon)
      }
      #expect(
        try index < 3
          || keyring.status().rootBegunMilliseconds == TestStore.now + Int64(index / 3 * 3) * day)
    }
  }
}
