import EventModel
import Foundation
import Keyring
import Testing

@testable import EventStore

@Suite struct RecoveryTests {
  @Test func `a deleted index is rebuilt from the log`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...300 {
      _ = store.append(
        tenant, TestEvent(stream: "s\(index % 5)", subjects: ["u-\(index % 11)"], data: "\(index)"))
    }
    _ = try store.shred("acme", "u-3")
    let feed = try store.feed(tenant)
    let stream = try store.stream(tenant, "s2")
    store.close()
    try FileManager.default.removeItem(atPath: store.dataPath + "/index")
    try store.reopen()
    #expect(try store.feed(tenant) == feed)
    #expect(try store.stream(tenant, "s2") == stream)
    #expect(store.append(tenant, TestEvent(stream: "s2")).version == 61)
    #expect(try store.shred("acme", "u-4").plan.eventCount == 27)
  }

  @Test func `an index of another log is not believed`() throws {
    let store = try TestStore()
    let other = try TestStore()
    for each in [store, other] {
      let tenant = try each.createTenant("acme")
      for index in 1...20 { _ = each.append(tenant, TestEvent(data: "\(index)")) }
      each.close()
    }
    try FileManager.default.removeItem(atPath: store.dataPath + "/index")
    try FileManager.default.copyItem(
      atPath: other.dataPath + "/index", toPath: store.dataPath + "/index")
    try store.reopen()
    let tenant = try #require(store.store.tenant(named: TenantName("acme")!))
    #expect(try store.feed(tenant).map(\.data) == (1...20).map { "\($0)" })
  }

  @Test func `an older keyring under a newer log is refused`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    _ = store.append(tenant, TestEvent())
    store.close()
    let keyring = store.dataPath + "/keyring"
    let copy = store.directory.path + "/keyring-before"
    try FileManager.default.copyItem(atPath: keyring, toPath: copy)
    try store.reopen()
    _ = store.append(tenant, TestEvent(subjects: ["somebody-new"]))
    store.close()
    try FileManager.default.removeItem(atPath: keyring)
    try FileManager.default.copyItem(atPath: copy, toPath: keyring)
    do {
      try store.reopen()
      Issue.record("opened")
    } catch OpeningError.log(let error) {
      #expect(error == .rolledBack)
    }
  }

  @Test func `a changed record is detected, and its neighbours are served`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...3 {
      _ = store.append(tenant, TestEvent(stream: "s\(index)", data: "canary-\(index)"))
    }
    store.close()
    // The records are not findable by content, so flip a byte of each in turn by its length's place:
    // every 16th byte of the file must be detected or harmless, never wrong plaintext.
    let path = store.dataPath + "/log/data.mdb"
    let original = try Data(contentsOf: URL(fileURLWithPath: path))
    var detected = 0
    for offset in stride(from: 8_192, to: min(original.count, 40_960), by: 97) {
      var changed = original
      changed[offset] ^= 0x10
      try changed.write(to: URL(fileURLWithPath: path))
      do {
        try store.reopen()
        let feed = try store.feed(tenant)
        for event in feed { #expect(event.data == "canary-\(event.event.position)") }
        store.close()
      } catch {
        detected += 1
        store.close()
      }
      // It is not there when the store did not come so far as to make it again.
      try? FileManager.default.removeItem(atPath: store.dataPath + "/index")
    }
    #expect(detected > 0)
    try original.write(to: URL(fileURLWithPath: path))
    try store.reopen()
    #expect(try store.feed(tenant).count == 3)
  }

  @Test func `a check finds a sound store sound and counts what is erased`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...40 { _ = store.append(tenant, TestEvent(subjects: ["u-\(index % 4)"])) }
    _ = try store.shred("acme", "u-0")
    store.close()
    let clock = store.clock
    let report = try EventStore.check(
      path: store.dataPath,
      holders: RootHolders(paths: [store.directory.path + "/root"], acceptsWeakErasure: true)
    ) { clock.now }
    #expect(report.isSound)
    #expect(report.log.records == 40 && report.log.opened == 30 && report.log.erased == 10)
  }

  @Test func `an old copy gives today's root everything but the shredded`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...40 { _ = store.append(tenant, TestEvent(subjects: ["u-\(index % 4)"])) }
    store.close()
    let copy = store.directory.path + "/copy"
    try FileManager.default.copyItem(atPath: store.dataPath, toPath: copy)
    try store.reopen()
    _ = try store.shred("acme", "u-0")
    store.close()
    let report = try Drill.run(
      old: copy, data: store.dataPath,
      holders: RootHolders(paths: [store.directory.path + "/root"], acceptsWeakErasure: true))
    #expect(report.log.opened == 30 && report.log.erased == 10)
    #expect(!report.copyOpens)
    #expect(report.oldNodes > 0 && report.oldNodesOpened == 0)
  }
}
