import Dispatch
import EventModel
import Foundation
import Keyring
import Storage
import Synchronization
import Testing

@testable import EventStore

@Suite struct AccessLogTests {
  private let day: Int64 = 86_400_000

  private func record(
    _ tenant: TenantNumber, _ ranges: [ClosedRange<UInt64>], verb: AccessVerb = .range,
    connection: UInt64 = 7, purpose: String = "product"
  ) -> AccessRecord {
    var positions = ServedPositions()
    for range in ranges { for position in range { positions.add(position) } }
    return AccessRecord(
      tenant: tenant,
      peer: AccessPeer(connection: connection, uid: 1_201, socketName: Array("web-7".utf8)),
      verb: verb, purpose: Array(purpose.utf8), positions: positions, byteCount: 100)
  }

  private func rows(_ store: TestStore, _ tenant: TenantNumber) throws -> [AccessRow] {
    var found: [AccessRow] = []
    try store.store.accessRows(tenant, from: 0, through: .max / 2) { found.append($0) }
    return found
  }

  @Test func `replies of one connection and minute share a line`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for number: UInt64 in 0..<100 {
      let range = (number * 100 + 1)...(number * 100 + 100)
      #expect(store.store.noteAccess([record(tenant, [range])]) { _ in } || number > 30)
    }
    #expect(store.store.noteAccess([record(tenant, [5...5], verb: .get)]) { _ in } || true)
    try store.store.flushAccess()
    let found = try rows(store, tenant)
    #expect(found.count == 2)
    let scan = try #require(found.first { $0.verb == .range })
    #expect(scan.positions == [1...10_000] && scan.eventCount == 10_000)
    #expect(scan.replyCount == 100 && scan.byteCount == 10_000)
    #expect(
      scan.peer.uid == 1_201 && String(decoding: scan.peer.socketName, as: UTF8.self) == "web-7")
    #expect(String(decoding: scan.purpose, as: UTF8.self) == "product")
    store.clock.advance(61_000)
    _ = store.store.noteAccess([record(tenant, [1...2])]) { _ in }
    #expect(try rows(store, tenant).count == 3)
  }

  @Test func `what is scattered is told in lines of a thousand intervals`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    let wanted = (0..<2_500).map { (number: UInt64) in (3 * number + 1)...(3 * number + 1) }
    try store.note([record(tenant, wanted)])
    let found = try rows(store, tenant)
    #expect(found.count == 3 && found.allSatisfy { $0.positions.count <= 1_000 })
    #expect(found.flatMap(\.positions).united == wanted)
    #expect(found.reduce(0) { $0 + $1.eventCount } == 2_500)
    #expect(found.reduce(0) { $0 + $1.replyCount } == 1)
  }

  @Test func `a bulk read, an export and a strict tenant wait for the disk`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    let waits: (AccessRecord, Bool) -> Bool = { record, mustWait in
      !store.store.noteAccess([record], mustWait: mustWait) { _ in }
    }
    #expect(!waits(record(tenant, [1...256]), false))
    #expect(waits(record(tenant, [1...257]), false))
    #expect(waits(record(tenant, [1...1], verb: .subjectExport), false))
    #expect(waits(record(tenant, [1...1]), true))
    #expect(try !store.store.isStrict(tenant))
    try store.control(.setTenant(TenantName("acme")!, .isStrict(true)))
    #expect(try store.store.isStrict(tenant))
    try store.reopen()
    #expect(try store.store.isStrict(tenant))
    #expect(try rows(store, tenant).reduce(0) { $0 + $1.eventCount } == 515)
  }

  @Test func `no more than a few thousand events are ever unlogged`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    // The first line makes a key: so long the writer is busy with that.
    let waited = (0..<40).count { number in
      let first = UInt64(number) * 256 + 1
      return !store.store.noteAccess([record(tenant, [first...(first + 255)])]) { _ in }
    }
    try store.store.flushAccess()
    #expect(waited < 40)
    #expect(try rows(store, tenant).flatMap(\.positions).united == [1...10_240])
  }

  @Test func `lines follow their replies within a second, and stay`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    #expect(store.store.noteAccess([record(tenant, [1...9])]) { _ in })
    Thread.sleep(forTimeInterval: 1)
    let count = try store.store.shared.logTables.read { (view) throws(StorageError) in
      try view.accessCount()
    }
    #expect(count == 1)
    for _ in 0..<2 {
      try store.reopen()
      #expect(try rows(store, tenant).map(\.positions) == [[1...9]])
    }
    _ = store.store.noteAccess([record(tenant, [20...29], connection: 1)]) { _ in }
    #expect(try rows(store, tenant).map(\.positions) == [[1...9], [20...29]])
  }

  @Test func `when the log cannot be written, what must wait is refused and the rest goes on`()
    throws
  {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    store.store.shared.logTables.refuseWrites()
    #expect(throws: StoreError.readOnly) { try store.note([record(tenant, [1...300])]) }
    #expect(store.store.noteAccess([record(tenant, [1...9])]) { _ in })
    #expect(throws: StoreError.readOnly) {
      try store.note([record(tenant, [1...9])], mustWait: true)
    }
    // And not without end.
    let left = (0..<40).count { _ in
      store.store.noteAccess([record(tenant, [1...200])]) { _ in }
    }
    #expect(left == (4_096 - 9) / 200)
  }

  @Test func `days are forgotten with their keys and their blocks`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    try store.control(.setTenant(TenantName("acme")!, .accessDays(30)))
    for number: UInt64 in 1...40 {
      try store.note([record(tenant, [number...number])], mustWait: true)
      if number == 20 { try store.reopen() }
      store.clock.advance(day)
    }
    #expect(try rows(store, tenant).count == 40)
    let before = try store.copyOfAccessKeys(tenant)
    _ = try store.expire()
    // Of the day that is the thirtieth before today on.
    #expect(try rows(store, tenant).flatMap(\.positions).united == [12...40])
    let count = try store.store.shared.logTables.read { (view) throws(StorageError) in
      try view.accessCount()
    }
    #expect(count == 29)
    let after = try store.copyOfAccessKeys(tenant)
    let first = Period(unit: .day, containing: store.clock.now).index - 40
    #expect(before.inner(day: first) != nil && after.inner(day: first) == nil)
    #expect(after.firstNumber == 12)
    try store.note([record(tenant, [99...99])], mustWait: true)
    try store.reopen()
    #expect(try rows(store, tenant).flatMap(\.positions).united == [12...40, 99...99])
    #expect(try store.expire().rotation == nil)
  }

  @Test func `a tenant's lines die with it`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    try store.note([record(tenant, [1...9])], mustWait: true)
    try store.control(.setTenant(TenantName("acme")!, .grace(.tenant, milliseconds: 0)))
    _ = try store.shred("acme", .tenant)
    #expect(throws: StoreError.noTenant) { try rows(store, tenant) }
    // A reply that was under way has nowhere to be noted, and nothing to be noted for.
    try store.note([record(tenant, [1...9])], mustWait: true)
  }

  @Test func `ends of the daemon are known`() throws {
    let store = try TestStore()
    #expect(store.store.shared.accessLog.runs.brokenRuns(from: 0, through: .max) == 0)
    store.clock.advance(1_000)
    try store.reopen()
    #expect(store.store.shared.accessLog.runs.runs.count == 2)
    #expect(store.store.shared.accessLog.runs.brokenRuns(from: 0, through: .max) == 0)
    var runs = store.store.shared.accessLog.runs
    runs.begin(at: 5_000_000_000_000)
    #expect(runs.brokenRuns(from: 0, through: .max) == 1)
    #expect(runs.brokenRuns(from: 5_000_000_000_001, through: .max) == 0)
    #expect(runs.brokenRuns(from: 0, through: 1) == 0)
  }
}

extension TestStore {
  /// Notes replies and waits until they may leave.
  func note(_ records: [AccessRecord], mustWait: Bool = false) throws {
    let answer = Mutex<StoreError?>(nil)
    let done = DispatchSemaphore(value: 0)
    let mayLeave = store.noteAccess(records, mustWait: mustWait) { error in
      answer.withLock { $0 = error }
      done.signal()
    }
    guard !mayLeave else { return }
    done.wait()
    if let error = answer.withLock({ $0 }) { throw error }
  }

  func copyOfAccessKeys(_ tenant: TenantNumber) throws -> AccessKeys {
    try store.shared.withState { (state) throws(StoreError) in
      guard let keys = try state.accessKeys(tenant) else { throw .corrupt }
      return keys
    }
  }
}
