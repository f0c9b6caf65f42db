import Dispatch
import EventModel
import Keyring
import Sodium
import Storage
import Synchronization

/// Whom to tell of something that concerns tenants; an object, since a closure that passes through a
/// mutex is wrapped anew at every turn.
final class TenantsHandler: Sendable {
  let call: @Sendable ([TenantNumber]) -> Void

  init(_ call: @escaping @Sendable ([TenantNumber]) -> Void) { self.call = call }
}

/// What the threads of the engine have in common.
final class SharedEngine: Sendable {
  private let state: Mutex<EngineState>
  /// The data directory.
  let dataPath: String
  let index: EventIndex
  let log: LogReader
  let logTables: LogTables
  let erasures: ErasureLog
  let accessLog: AccessLog
  let filter: IDFilter
  let plans: PlanBook
  let notes = LedgerNotes()
  let ledger = LedgerLog()
  let suite: SingleUseAEAD.Suite
  /// Milliseconds since 1970; a parameter, so that tests can set it.
  let clock: @Sendable () -> Int64
  let clocks: MachineClocks
  /// Whether the clock may be believed.
  let clockGuard: Mutex<ClockGuard>
  let erasureHandler = Mutex<TenantsHandler?>(nil)
  let barrierHandler = Mutex<TenantsHandler?>(nil)
  /// Held while postings are published and the heads that belong to them move; taken before the lock
  /// of the state.
  let movingHeads = Mutex(())
  /// Why the last flush of the index failed, or nil.
  let indexFailure = Mutex<StoreError?>(nil)
  /// Buckets whose keys were destroyed; the index thread drops their segments.
  let endedBuckets = Mutex<Set<Bucket>>([])
  /// How far purging has come.
  let purgeState: Mutex<PurgeState>
  /// Wakes the index thread.
  let indexWanted = DispatchSemaphore(value: 0)
  /// Reads that are under way, for the barrier of a shred.
  private let activeReads = Mutex(ActiveReads())

  private struct ActiveReads {
    var turn = 0
    var counts: InlineArray<2, Int> = [0, 0]
  }

  init(
    dataPath: String, state: sending EngineState, index: EventIndex, logTables: LogTables,
    filter: IDFilter, plans: PlanBook, suite: SingleUseAEAD.Suite, clocks: MachineClocks,
    timeMark: Int64?
  ) {
    self.dataPath = dataPath
    log = LogReader(logTables, traces: state.traces)
    purgeState = Mutex(PurgeState(stored: logTables, state))
    self.state = Mutex(state)
    self.index = index
    self.logTables = logTables
    erasures = ErasureLog(logTables)
    accessLog = AccessLog(logTables)
    self.filter = filter
    self.plans = plans
    self.suite = suite
    clock = clocks.wall
    self.clocks = clocks
    clockGuard = Mutex(ClockGuard(mark: timeMark, clocks.reading))
  }

  /// Runs `body` alone on the shared state.
  func withState<Result, Failure: Error>(
    _ body: (EngineState) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    try state.withLock { (state) throws(Failure) in try body(state) }
  }

  /// Runs a read, counted, so that a shred can wait for those that began before it.
  func reading<Result>(
    _ body: () throws(StoreError) -> Result
  ) throws(StoreError) -> Result {
    try readingPages { (_) throws(StoreError) in try body() }
  }

  /// The same for a read of many pages, which asks after each whether a shred waits for it, and then
  /// leaves.
  func readingPages<Result>(
    _ body: (_ isAwaited: () -> Bool) throws(StoreError) -> Result
  ) throws(StoreError) -> Result {
    let turn = activeReads.withLock { reads in
      reads.counts[reads.turn] += 1
      return reads.turn
    }
    defer { activeReads.withLock { $0.counts[turn] -= 1 } }
    return try body { activeReads.withLock { $0.turn != turn } }
  }

  /// Waits until the reads that began before the call have ended; only the writer calls it.
  ///
  /// Reads are bounded by ``Limits/countMax`` and ``Limits/replyBytesMax``, so this ends; reads that
  /// begin meanwhile count for the other turn and are not waited for.
  func waitForReads() {
    let before = activeReads.withLock { reads in
      let before = reads.turn
      reads.turn = 1 - before
      return before
    }
    while activeReads.withLock({ $0.counts[before] }) > 0 { Committer.pauseMilliseconds(1) }
  }

  /// The tenant may have new erasures: they are counted anew, and who waits for them is told.
  func erasuresMoved(_ tenant: TenantNumber) { erasuresMoved([tenant]) }

  /// The same for several tenants.
  func erasuresMoved(_ tenants: [TenantNumber]) {
    guard !tenants.isEmpty else { return }
    erasures.remove(Set(tenants))
    erasureHandler.withLock { $0 }?.call(tenants)
  }

  /// Keys of buckets may have been destroyed: memory lets go of them, and the index of their segments.
  func bucketsEnded(_ state: EngineState) {
    // A keyring that cannot be read is asked again at the next run and at start.
    guard let gone = try? state.bucketKeys.forget(state.keyring), !gone.isEmpty else { return }
    endedBuckets.withLock { $0.formUnion(gone) }
    indexWanted.signal()
  }

  /// Reads that a shred waits for.
  var awaitedReads: Int { activeReads.withLock { $0.counts[1 - $0.turn] } }

  /// Holds appends while the index is too far behind.
  ///
  /// Throws why it cannot catch up, when flushing fails: memory stays bounded.
  func waitForTail() throws(StoreError) {
    while index.tailCount > Limits.tailPostingsMax {
      if let failure = indexFailure.withLock({ $0 }) { throw failure }
      indexWanted.signal()
      Committer.pauseMilliseconds(2)
    }
  }
}
