import Dispatch
import EventModel
import Keyring
import Storage
import Synchronization
import Testing

@testable import EventStore

@Suite struct RefusalBudgetTests {
  @Test func `a burst is written one by one, what is more is counted into later lines`() {
    var budget = RefusalBudget()
    for _ in 0..<RefusalBudget.burst { #expect(budget.spend(.uid(7), now: 0) == 1) }
    for _ in 0..<100 { #expect(budget.spend(.uid(7), now: 1) == nil) }
    // Others are not concerned.
    #expect(budget.spend(.uid(8), now: 1) == 1)
    #expect(budget.spend(.uid(7), now: RefusalBudget.intervalMilliseconds) == 101)
    #expect(budget.spend(.uid(7), now: RefusalBudget.intervalMilliseconds) == nil)
  }

  @Test func `nothing that was refused is lost, and a day has a bounded number of lines`() {
    var budget = RefusalBudget()
    var (lines, total): (UInt64, UInt64) = (0, 0)
    for second in 0..<Int64(86_400) {
      for _ in 0..<5 {
        guard let count = budget.spend(.uid(7), now: second * 1_000) else { continue }
        lines += 1
        total += count
      }
    }
    for (_, count) in budget.takeUnwritten(now: 86_400_000, all: true) { total += count }
    #expect(total == 5 * 86_400)
    #expect(lines <= 16 + 288)
  }

  @Test func `actors beyond all bounds share one account`() {
    var budget = RefusalBudget()
    var lines = 0
    for uid in 0..<UInt32(10_000) where budget.spend(.uid(uid), now: 0) != nil { lines += 1 }
    #expect(lines == RefusalBudget.actorsMax + RefusalBudget.burst)
    let left = budget.takeUnwritten(now: 0, all: true)
    #expect(left.map(\.count).reduce(0, +) == UInt64(10_000 - lines))
  }
}

@Suite struct LedgerNoteTests {
  private func lines(_ store: TestStore) throws -> [LedgerLine] {
    try store.store.ledger(after: 0, limit: 1_000) { _ in true }
  }

  @Test func `start and end of a daemon stand in the ledger, and not of a tool`() throws {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    _ = store.append(tenant, [TestEvent(), TestEvent()])
    try store.reopen()
    #expect(try lines(store).allSatisfy { $0.entry.act != .daemonStarted })
    let clock = store.clock
    try store.reopen { path, holders in
      try EventStore.open(
        path: path, holders: holders,
        clocks: MachineClocks(
          wall: { clock.now }, boot: { clock.now }, isSynchronized: { true }),
        isUnattended: true)
    }
    try store.reopen()
    let acts = try lines(store).map(\.entry)
    #expect(acts.filter { $0.act == .daemonStarted }.map(\.count) == [2])
    #expect(acts.last?.act == .daemonStopped)
  }

  @Test func `a clock that is not believed stands in the ledger once, and again when it is`() throws
  {
    let store = try TestStore()
    let machine = Mutex<(wall: Int64, boot: Int64)>((1_795_500_000_000, 0))
    try store.reopen { path, holders in
      try EventStore.open(
        path: path, holders: holders,
        clocks: MachineClocks(
          wall: { machine.withLock { $0.wall } }, boot: { machine.withLock { $0.boot } },
          isSynchronized: { false }),
        isUnattended: false)
    }
    let shared = store.store.shared
    func look() { shared.noteClock(isBelieved: (try? shared.trustedNow()) != nil) }
    look()
    machine.withLock { $0.wall += 86_400_000 * 365 }
    for _ in 0..<5 { look() }
    machine.withLock { $0.wall -= 86_400_000 * 365 }
    // A clock that flaps gets a line a minute at most.
    look()
    #expect(try lines(store).map(\.entry.act) == [.storeCreated, .clockPaused])
    machine.withLock { $0 = ($0.wall + 60_000, $0.boot + 60_000) }
    look()
    let found = try lines(store).map(\.entry)
    #expect(found.map(\.act) == [.storeCreated, .clockPaused, .clockResumed])
    #expect(found[1].count == 1_795_500_000_000 + 86_400_000 * 365)
  }

  /// "refusals-unnoted": nobody writes down what was refused.
  @Test(arguments: [nil, "refusals-unnoted"])
  func `an act that is refused is in the ledger before its answer`(variant: String?) throws {
    let store = try TestStore()
    _ = try store.createTenant("acme")
    let shared = store.store.shared
    let actor = Actor(uid: 7, socketName: nil, isApprover: false)
    try TestHooks.$taskVariant.withValue(variant) {
      let work = ControlWork(
        act: .shred(
          TenantName("acme")!, .subjects([Array("u-1".utf8)]), reason: .art17,
          token: Array("x".utf8)),
        actor: actor, verb: "shred|datasubject"
      ) { _ in }
      let refusal = try #require(work.refusal(.confirmationUnknown))
      shared.note(refusal, actor, tenant: TenantNumber(rawValue: 1))
      #expect(work.refusal(.approvalAwaited(plan: 1)) == nil)
      #expect(work.refusal(.ioFailure) == nil)
    }
    let line = try #require(try lines(store).last)
    guard variant == nil else {
      #expect(line.entry.act == .tenantCreated)
      return
    }
    #expect(line.entry.act == .refused && line.result == "unconfirmed")
    #expect(line.entry.verb == Array("shred|datasubject".utf8) && line.tenant?.text == "acme")
    #expect(line.entry.actor == .uid(7) && line.entry.count == 1)
  }

  @Test func `through the engine too, but not for dry runs`() throws {
    let store = try TestStore()
    let name = TenantName("acme")!
    _ = try store.createTenant("acme")
    func refuse(_ act: ControlAct, _ verb: String) throws {
      let done = DispatchSemaphore(value: 0)
      store.store.control(
        act, actor: Actor(uid: 7, socketName: "web-7", isApprover: false), verb: verb
      ) { _ in done.signal() }
      done.wait()
    }
    try refuse(.planShred(name, .subjects([Array("u-9".utf8)])), "shred|datasubject")
    try refuse(.createTenant(name, Retention(Array("30d".utf8))!), "tenant|create")
    try refuse(.enrolSubject(name, subject: Array("u-9".utf8)), "subject|enrol")
    let found = try lines(store).filter { $0.entry.act == .refused }
    #expect(found.map(\.result) == ["unsuitable", "not-found"])
    #expect(found.map { $0.tenant?.text } == [nil, "acme"])
    #expect(found[0].entry.actor == .socket(name: Array("web-7".utf8), uid: 7))
  }

  @Test func `lines of others are passed over, and pages go on behind the last`() throws {
    let store = try TestStore()
    for name in ["acme", "zeta"] { _ = try store.createTenant(name) }
    for _ in 0..<300 {
      for name in ["acme", "zeta"] {
        try store.control(.setTenant(TenantName(name)!, .demandsIDs(true)))
      }
    }
    var after: UInt64 = 0
    var count = 0
    while true {
      let page = try store.store.ledger(after: after, limit: 40) { $0?.text == "zeta" }
      guard let last = page.last else { break }
      #expect(page.allSatisfy { $0.tenant?.text == "zeta" })
      count += page.count
      after = last.index
    }
    #expect(count == 301)
  }
}
