import Dispatch
import EventModel
import Foundation
import Keyring
import Storage
import Synchronization
import Testing

@testable import EventStore

@Suite struct ClockGuardTests {
  private let day: Int64 = 86_400_000
  private let hour: Int64 = 3_600_000
  private let mark: Int64 = 1_795_500_000_000

  private func reading(_ wall: Int64, boot: Int64 = 0, isSynchronized: Bool = true) -> ClockReading
  {
    ClockReading(wall: mark + wall, boot: boot, isSynchronized: isSynchronized)
  }

  private func start(_ wall: Int64, isSynchronized: Bool = true) -> ClockGuard {
    ClockGuard(mark: mark, reading(wall, isSynchronized: isSynchronized))
  }

  @Test func `a start within a day of the last mark is believed, also one before it`() {
    for gap in [0, day, -hour, -365 * day] { #expect(start(gap).state == .trusted) }
    #expect(ClockGuard(mark: nil, reading(0)).state == .trusted)
  }

  @Test func `after a weekend an hour is waited under a synchronized clock`() {
    var clock = start(3 * day)
    #expect(clock.state == .waiting(since: 0))
    clock.observe(reading(3 * day + hour - 1, boot: hour - 1))
    #expect(clock.state == .waiting(since: 0))
    clock.observe(reading(3 * day + hour, boot: hour))
    #expect(clock.state == .trusted)
  }

  @Test func `a clock that leaps while it is waited begins anew`() {
    var clock = start(3 * day)
    clock.observe(reading(5 * day, boot: hour - 1))
    #expect(clock.state == .waiting(since: hour - 1))
    clock.observe(reading(5 * day + 1, boot: hour))
    #expect(clock.state != .trusted)
  }

  @Test func `nothing is waited for without a source, or for more than a month`() {
    #expect(start(2 * day, isSynchronized: false).state == .paused)
    var clock = start(365 * day)
    #expect(clock.state == .paused)
    clock.observe(reading(365 * day + 9 * hour, boot: 9 * hour))
    #expect(clock.state == .paused)
    clock.confirm(reading(365 * day + 9 * hour, boot: 9 * hour))
    #expect(clock.state == .trusted)
  }

  @Test func `a clock that leaps while running is not believed until it returns`() {
    var clock = start(0)
    clock.observe(reading(hour, boot: hour))
    #expect(clock.state == .trusted)
    clock.observe(reading(365 * day, boot: hour + 1_000))
    #expect(clock.state == .paused)
    clock.observe(reading(hour + 2_000, boot: hour + 2_000))
    #expect(clock.state == .trusted)
    clock.observe(reading(3 * hour, boot: hour + 3_000))
    #expect(clock.state == .waiting(since: hour + 3_000))
  }

  @Test func `small leaps do not add up to a large one`() {
    var clock = start(0)
    var ahead: Int64 = 0
    for second in 1...3_000 {
      ahead += 1_000
      clock.observe(reading(ahead + Int64(second) * 1_000, boot: Int64(second) * 1_000))
      if clock.state != .trusted { break }
    }
    #expect(clock.state != .trusted && ahead < 200_000)
  }

  @Test func `a clock that goes back is harmless and may return`() {
    var clock = start(0)
    clock.observe(reading(-365 * day, boot: hour))
    #expect(clock.state == .trusted)
    clock.observe(reading(2 * hour, boot: 2 * hour))
    #expect(clock.state == .trusted)
  }

  @Test func `2038 is a year like others`() {
    let before: Int64 = 2_147_483_647_000
    var clock = ClockGuard(
      mark: before - 1_000, ClockReading(wall: before, boot: 0, isSynchronized: false))
    for step in 1...10 {
      clock.observe(
        ClockReading(
          wall: before + Int64(step) * 1_000, boot: Int64(step) * 1_000, isSynchronized: false))
      #expect(clock.state == .trusted)
    }
  }
}

@Suite struct ClockTests {
  private let day: Int64 = 86_400_000

  /// A store whose machine's clocks the test sets one by one.
  private final class Machine: Sendable {
    let wall = Mutex<Int64>(1_795_500_000_000)
    let boot = Mutex<Int64>(0)
    let isSynchronized = Mutex(false)

    func pass(_ milliseconds: Int64) {
      wall.withLock { $0 += milliseconds }
      boot.withLock { $0 += milliseconds }
    }

    var clocks: MachineClocks {
      MachineClocks(
        wall: { self.wall.withLock { $0 } }, boot: { self.boot.withLock { $0 } },
        isSynchronized: { self.isSynchronized.withLock { $0 } })
    }
  }

  private func open(
    _ store: TestStore, _ machine: Machine, isUnattended: Bool = false
  ) throws {
    try store.reopen { path, holders in
      try EventStore.open(
        path: path, holders: holders, clocks: machine.clocks, isUnattended: isUnattended)
    }
  }

  /// "clock-blind": the clock is believed whatever it shows.
  @Test(arguments: [nil, "clock-blind"])
  func `a clock that is a year ahead erases nothing`(variant: String?) throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme", retention: "30d")
    let machine = Machine()
    try open(store, machine)
    #expect(store.append(tenant, TestEvent()).error == nil)
    try store.control(.confirmClock)
    machine.wall.withLock { $0 += 365 * day }
    if variant != nil {
      #expect(try store.expireHere(variant: variant).eventCount == 1)
      return
    }
    #expect(throws: StoreError.clockUncertain) { try store.expire() }
    #expect(try store.status().isPaused)
    // What would go can be asked for.
    #expect(try store.expire(isDryRun: true).eventCount == 1)
    try open(store, machine)
    #expect(throws: StoreError.clockUncertain) { try store.expire() }
    #expect(try store.feed(tenant).count == 1)
    machine.wall.withLock { $0 -= 365 * day }
    #expect(try store.expire().eventCount == 0)
    machine.wall.withLock { $0 += 365 * day }
    try store.control(.confirmClock)
    #expect(try store.expire().eventCount == 1)
    // Going back brings nothing back.
    machine.wall.withLock { $0 -= 700 * day }
    #expect(try store.feed(tenant).isEmpty)
    #expect(try store.expire().rotation == nil)
  }

  @Test func `an hour later all happens by itself, and each hour leaves a mark`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme", retention: "1h")
    let machine = Machine()
    try open(store, machine, isUnattended: true)
    #expect(store.append(tenant, TestEvent()).error == nil)
    machine.pass(2 * 3_600_000)
    try store.wait { try store.feed(tenant).isEmpty }
    let now = machine.wall.withLock { $0 }
    guard case .clock(let status) = try store.control(.clockStatus) else {
      throw StoreError.corrupt
    }
    #expect(status.markMilliseconds == now && status.state == .trusted)
    // The machine was off for a weekend and nothing keeps its clock right.
    #expect(store.append(tenant, TestEvent()).error == nil)
    machine.pass(60 * 3_600_000)
    machine.boot.withLock { $0 = 0 }
    try open(store, machine, isUnattended: true)
    Thread.sleep(forTimeInterval: 2.2)
    #expect(try store.feed(tenant).count == 1)
    machine.isSynchronized.withLock { $0 = true }
    try store.wait { try store.clockState() == .waiting(since: 0) }
    machine.pass(3_600_000)
    try store.wait { try store.feed(tenant).isEmpty }
    let acts = try store.store.shared.withState { state in
      try state.keyring.ledgerEntries(from: 1, limit: 100).map(\.entry)
    }
    #expect(acts.filter { $0.act == .periodsExpired && $0.actor == .daemon }.count == 2)
  }
}

extension TestStore {
  fileprivate func clockState() throws -> ClockGuard.State {
    guard case .clock(let status) = try control(.clockStatus) else { throw StoreError.corrupt }
    return status.state
  }

  /// Waits at most ten seconds.
  fileprivate func wait(_ isTrue: () throws -> Bool) throws {
    for _ in 0..<100 {
      if try isTrue() { return }
      Thread.sleep(forTimeInterval: 0.1)
    }
    Issue.record("nothing happened")
  }
}
