import EventModel
import Foundation
import Keyring
import Sodium
import Testing

@testable import EventStore

@Suite struct EventTermTests {
  @Test func `types and ids are found, live and after the index was rebuilt`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...60 {
      let event = TestEvent(
        stream: "s\(index % 7)", type: "t\(index % 3)", data: "\(index)", id: "id-\(index)",
        source: index % 2 == 0 ? "urn:x" : "")
      #expect(store.append(tenant, event).error == nil)
    }
    func check() throws {
      #expect(try store.count(tenant, type: "t1") == 20)
      #expect(try store.count(tenant, type: "t9") == 0)
      #expect(try store.count(tenant, id: "id-4", source: "urn:x") == 1)
      #expect(try store.count(tenant, id: "id-4", source: "") == 0)
      #expect(try store.count(tenant, id: "id-5", source: "") == 1)
    }
    try check()
    try store.reopen()
    try check()
    store.close()
    try FileManager.default.removeItem(atPath: store.dataPath + "/index")
    try store.reopen()
    try check()
  }

  @Test func `a rebuilt index has no types and ids of the erased`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...10 {
      _ = store.append(tenant, TestEvent(subjects: ["u-\(index % 2)"], id: "id-\(index)"))
    }
    _ = try store.shred("acme", "u-1")
    #expect(try store.count(tenant, type: "order.placed") == 10)
    store.close()
    try FileManager.default.removeItem(atPath: store.dataPath + "/index")
    try store.reopen()
    #expect(try store.count(tenant, type: "order.placed") == 5)
    #expect(try store.count(tenant, id: "id-1", source: "") == 0)
    #expect(try store.count(tenant, id: "id-2", source: "") == 1)
  }

  @Test func `buckets of months and of days do not meet`() {
    let time: Int64 = 1_795_500_000_000
    #expect(Bucket(containing: time).number == 682)
    #expect(!Bucket(containing: time).isDay)
    #expect(Bucket(dayContaining: time).number == 16_384 + 20_781)
    #expect(Bucket(dayContaining: time).day(before: 1) == Bucket(number: 16_384 + 20_780))
    #expect(Bucket(dayContaining: 0).day(before: 1) == nil)
  }
}

extension TestStore {
  /// Postings under a type's term.
  func count(_ tenant: TenantNumber, type: String) throws -> Int {
    let term = try store.shared.withState { (state) throws(StoreError) in
      let secrets = try state.activeTenant(tenant).open(state.keyring)
      return TermKey(type: Array(type.utf8).span, mapKey: secrets.keys.mapKey)
    }
    return try term.all(in: store.shared.index).count
  }

  /// Postings under an id's term, without those for duplicates.
  func count(_ tenant: TenantNumber, id: String, source: String) throws -> Int {
    let term = try store.shared.withState { (state) throws(StoreError) in
      let secrets = try state.activeTenant(tenant).open(state.keyring)
      var message: [UInt8] = []
      return TermKey(
        IDTerm(
          id: Array(id.utf8).span, source: Array(source.utf8).span, idKey: secrets.idKey,
          scratch: &message))
    }
    return try term.all(in: store.shared.index).count
  }
}

extension TermKey {
  fileprivate func all(in index: EventIndex) throws(StoreError) -> [Posting] {
    try postings(in: index, ordinals: 0...Limits.positionMax, isDescending: false, limit: .max)
  }
}
