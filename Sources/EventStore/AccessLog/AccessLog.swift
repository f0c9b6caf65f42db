import Dispatch
import EventModel
import Keyring
import Storage
import Synchronization

/// Who read what: every reply with events is noted here before it leaves.
///
/// ```
/// reply --note--> pending lines --take (writer)--> blocks, sealed --> log/ --finish--> replies that waited
/// ```
/// A reply waits for the disk when it has more than ``Limits/bulkEvents`` events or is an export, when its
/// tenant is strict, and when too much else is not on the disk yet; so what a dying daemon leaves
/// unlogged is bounded by ``Limits/unloggedEventsMax``. The others leave at once, and their lines follow
/// within a second. What waits and cannot be written is refused.
final class AccessLog: Sendable {
  typealias Completion = @Sendable (StoreError?) -> Void

  /// Lines follow their replies after so long, a commit comes on top.
  private static let delayMilliseconds = 400

  fileprivate struct Key: Hashable {
    let tenant: TenantNumber
    let peer: AccessPeer
    let verb: AccessVerb
    let purpose: [UInt8]
    let minute: Int64
  }

  private struct State {
    var pending: [Key: AccessRow] = [:]
    var waiting: [(rows: [(Key, AccessRow)], completion: Completion)] = []
    /// Of ``pending`` and of what is being written without anybody waiting.
    var unloggedEvents: UInt64 = 0
    var unloggedRanges = 0
    /// Taken by the writer and neither stored nor given back.
    var isTaken = false
    /// The writer was told.
    var isWanted = false
    var isTimed = false
    /// The writer has ended.
    var isClosed = false
    /// Each tenant's newest block.
    var open: [TenantNumber: AccessBlock] = [:]
    var strict: [TenantNumber: Bool] = [:]
    var runs = AccessRuns()
    var wake: @Sendable () -> Void = {}
  }

  private let state = Mutex(State())
  let logTables: LogTables

  init(_ tables: LogTables) { logTables = tables }

  /// `wake` tells the writer that there is something to take.
  func setWake(_ wake: @escaping @Sendable () -> Void) { state.withLock { $0.wake = wake } }

  /// The daemon's runs, this one last.
  var runs: AccessRuns { state.withLock { $0.runs } }

  /// Notes replies that are about to leave; true when they may at once.
  ///
  /// Else `completion` is called when their lines are on the disk, or with why that cannot be.
  func note(
    _ records: [AccessRecord], mustWait: Bool, now: Int64, completion: @escaping Completion
  ) -> Bool {
    let rows = records.map { record -> (Key, AccessRow) in
      let row = AccessRow(record, at: now)
      return (
        Key(
          tenant: record.tenant, peer: row.peer, verb: row.verb, purpose: row.purpose,
          minute: now / AccessRow.minuteMilliseconds), row
      )
    }
    let events = rows.reduce(0) { $0 + $1.1.eventCount }
    let ranges = rows.reduce(0) { $0 + $1.1.positions.count }
    var waits = mustWait || records.contains(where: \.isBulk)
    let wake = state.withLock { state -> (@Sendable () -> Void)? in
      guard !state.isClosed else {
        waits = true
        return { completion(.shuttingDown) }
      }
      if state.unloggedEvents + events > Limits.unloggedEventsMax
        || state.unloggedRanges + ranges > Limits.unloggedRangesMax
      {
        waits = true
      }
      #if DEBUG
        if TestHooks.isVariant("access-late"), !records.isEmpty { waits = false }
      #endif
      guard !waits else {
        state.waiting.append((rows, completion))
        return Self.want(&state)
      }
      for (key, row) in rows { Self.add(row, key, to: &state.pending) }
      state.unloggedEvents += events
      state.unloggedRanges += ranges
      if state.unloggedEvents >= Limits.unloggedEventsMax / 4 { return Self.want(&state) }
      startTimer(&state)
      return nil
    }
    wake?()
    return !waits
  }

  /// What is to be called so that the writer comes, unless it was already.
  private static func want(_ state: inout State) -> (@Sendable () -> Void)? {
    guard !state.isWanted else { return nil }
    state.isWanted = true
    return state.wake
  }

  private static func add(_ row: AccessRow, _ key: Key, to pending: inout [Key: AccessRow]) {
    if pending[key] == nil { pending[key] = row } else { pending[key]?.add(row) }
  }

  private func startTimer(_ state: inout State) {
    guard !state.isTimed else { return }
    state.isTimed = true
    DispatchQueue.global(qos: .utility).asyncAfter(
      deadline: .now() + .milliseconds(Self.delayMilliseconds)
    ) { [weak self] in
      let wake = self?.state.withLock { state -> (@Sendable () -> Void)? in
        state.isTimed = false
        return state.pending.isEmpty ? nil : Self.want(&state)
      }
      wake?()
    }
  }
}

// What the writer does with it.

extension AccessLog {
  /// Lines on their way to the disk.
  final class Batch: @unchecked Sendable {
    /// Sealed blocks.
    fileprivate(set) var entries: [LogTables.LabelledRow] = []
    fileprivate var open: [TenantNumber: AccessBlock] = [:]
    fileprivate var pending: [Key: AccessRow] = [:]
    fileprivate var waiting: [(rows: [(Key, AccessRow)], completion: Completion)] = []

    /// Bytes that it adds to the log, at most.
    var byteCount: Int { entries.reduce(0) { $0 + $1.sealed.count } }
  }

  /// True when somebody waits, or waited long enough.
  var isDue: Bool { state.withLock { $0.isWanted } }

  /// Seals everything that was noted; nil when there is nothing, or when it cannot be sealed, which those
  /// who wait are told.
  ///
  /// On the writer's thread. What is taken must be given to ``finish(_:)``, ``fail(_:_:)`` or
  /// ``giveBack(_:)`` before more can be.
  func take(_ engine: SharedEngine) -> Batch? {
    let batch = Batch()
    let isTaken = state.withLock { state -> Bool in
      guard !state.isTaken else { return false }
      state.isWanted = false
      guard !state.pending.isEmpty || !state.waiting.isEmpty else { return false }
      batch.pending = exchange(&state.pending, with: [:])
      batch.waiting = exchange(&state.waiting, with: [])
      batch.open = state.open
      state.isTaken = true
      return true
    }
    guard isTaken else { return nil }
    do throws(StoreError) {
      try seal(batch, engine)
      return batch
    } catch {
      fail(batch, error)
      return nil
    }
  }

  private func seal(_ batch: Batch, _ engine: SharedEngine) throws(StoreError) {
    var rows = batch.pending
    for (key, row) in batch.waiting.flatMap(\.rows) { Self.add(row, key, to: &rows) }
    let byTenant = Dictionary(grouping: rows, by: \.key.tenant)
    let run = runs.runs.last?.startMilliseconds ?? 0
    for (tenant, rows) in byTenant.sorted(by: { $0.key < $1.key }) {
      let lines = rows.map(\.value).flatMap(\.parts).sorted {
        ($0.firstMilliseconds, $0.peer.connection) < ($1.firstMilliseconds, $1.peer.connection)
      }
      let blocks = try engine.withState { (state) throws(StoreError) -> AccessBlocks? in
        // Of a tenant that is gone nothing is kept.
        guard state.tenants[tenant] != nil else { return nil }
        return try AccessBlocks(tenant, state, logTables, batch.open[tenant], run, engine.clock())
      }
      guard var blocks else { continue }
      for line in lines { try blocks.add(line) }
      batch.entries += blocks.entries
      batch.open[tenant] = blocks.last
    }
  }

  /// It is on the disk.
  func finish(_ batch: Batch) {
    let wake = state.withLock { state -> (@Sendable () -> Void)? in
      state.open = batch.open
      state.unloggedEvents -= batch.pending.values.reduce(0) { $0 + $1.eventCount }
      state.unloggedRanges = state.pending.values.reduce(0) { $0 + $1.positions.count }
      return Self.end(&state)
    }
    wake?()
    for waiting in batch.waiting { waiting.completion(nil) }
  }

  /// It could not be written: what left already is tried again, what waits is refused.
  func fail(_ batch: Batch, _ error: StoreError) {
    let wake = state.withLock { state -> (@Sendable () -> Void)? in
      for (key, row) in batch.pending { Self.add(row, key, to: &state.pending) }
      if !state.pending.isEmpty { startTimer(&state) }
      return Self.end(&state)
    }
    wake?()
    for waiting in batch.waiting { waiting.completion(error) }
  }

  /// The commit that it should have gone along with failed: it is written by itself.
  func giveBack(_ batch: Batch) {
    let wake = state.withLock { state -> (@Sendable () -> Void)? in
      for (key, row) in batch.pending { Self.add(row, key, to: &state.pending) }
      state.waiting = batch.waiting + state.waiting
      state.isTaken = false
      return Self.want(&state)
    }
    wake?()
  }

  private static func end(_ state: inout State) -> (@Sendable () -> Void)? {
    state.isTaken = false
    return state.waiting.isEmpty ? nil : want(&state)
  }

  /// The writer has ended: nothing leaves any more.
  func close() {
    let waiting = state.withLock { state in
      state.isClosed = true
      return exchange(&state.waiting, with: [])
    }
    for waiting in waiting { waiting.completion(.shuttingDown) }
  }

  /// Forgets what is known of tenants that are gone.
  func remove(_ tenants: Set<TenantNumber>) {
    state.withLock { state in
      for tenant in tenants {
        state.open[tenant] = nil
        state.strict[tenant] = nil
      }
    }
  }

  /// True when every reply of the tenant's waits for its line.
  func isStrict(_ tenant: TenantNumber, _ engine: SharedEngine) throws(StoreError) -> Bool {
    if let known = state.withLock({ $0.strict[tenant] }) { return known }
    let found = try engine.withState { (engine) throws(StoreError) in
      guard engine.tenants[tenant] != nil else { return false }
      return try engine.evidenceSettings(tenant).isStrict
    }
    state.withLock { $0.strict[tenant] = found }
    return found
  }

  /// The tenant's wish has changed.
  func setStrict(_ tenant: TenantNumber, _ isStrict: Bool) {
    state.withLock { $0.strict[tenant] = isStrict }
  }
}

// Runs of the daemon.

extension AccessLog {
  /// Notes that the daemon begins; what cannot be written now is written with the next line.
  func beginRun(_ engine: SharedEngine) throws(StoreError) {
    let sealed = try StoreError.translatingStorage { () throws(StorageError) in
      try logTables.read { (view) throws(StorageError) in try view.sealedRuns() }
    }
    var runs = AccessRuns()
    if let sealed {
      let found = engine.withState { AccessRuns(sealed.span, key: $0.logState) }
      guard let found else { throw .corrupt }
      runs = found
    }
    runs.begin(at: engine.clock())
    let begun = runs
    state.withLock { $0.runs = begun }
    // A full or failing device serves reads all the same, as it always did.
    try? putRuns(begun, engine)
  }

  /// Notes that every reply until a moment has its line, so that a later crash says nothing about it.
  func note(logged milliseconds: Int64, _ engine: SharedEngine) {
    let noted = state.withLock { state in
      state.runs.note(logged: milliseconds)
      return state.runs
    }
    try? putRuns(noted, engine)
  }

  /// Notes that the daemon ends in order, when everything is written.
  func endRun(_ engine: SharedEngine) {
    let ended = state.withLock { state -> AccessRuns? in
      guard state.pending.isEmpty, state.waiting.isEmpty, !state.isTaken else { return nil }
      state.runs.end(at: engine.clock())
      return state.runs
    }
    if let ended { try? putRuns(ended, engine) }
  }

  private func putRuns(_ runs: AccessRuns, _ engine: SharedEngine) throws(StoreError) {
    let sealed = engine.withState { runs.sealed($0.logState) }
    try StoreError.translatingStorage { () throws(StorageError) in
      try logTables.checkRoom(forAccess: sealed.count)
      try logTables.putRuns(sealed.span)
    }
  }
}
