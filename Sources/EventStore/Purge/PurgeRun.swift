import EventModel
import Keyring
import Sodium
import Storage
import Synchronization
import TransparencyLog

/// Drops the ciphertext of what was destroyed, a bounded step at a time.
///
/// ```
/// ledger behind the last run --> rows of the acts --> sequences --> each record: are its keys gone?
///                           `-> a sweep of the log, where rows do not tell
/// ```
/// Nothing is believed but the keyring: the ledger and the rows only say where to look. So what is
/// looked at twice, or in vain, does no harm, and a crash costs the work of a run.
struct PurgeRun {
  /// Sequences of one look at the log, and bytes of their records that are held in memory.
  private static let (pageMax, pageBytes): (Int, Int) = (256, 4 << 20)
  /// Records, and groups of traces, of one commit.
  private static let (stepRecords, stepGroups) = (1_024, 64)
  /// Records without anything to purge between two commits of how far a sweep has come.
  private static let sweepNoteRecords: UInt64 = 1 << 20

  /// What was done before the run asks whether it may go on.
  enum Turn {
    case looked, wrote
  }

  private enum Outcome {
    case done, interrupted
    /// Postings that would lead to the records are gone.
    case needsSweep
  }

  private let shared: SharedEngine
  /// False ends the run.
  private let mayGoOn: (Turn) -> Bool
  private var state: PurgeState
  private var judge = PurgeJudge()
  private var step = PurgeStep()
  private var groups: [UInt64: TraceGroup] = [:]
  private var purged: UInt64 = 0
  private var (bytes, places): ([UInt8], [ByteRange]) = ([], [])
  private var page = 64

  init(shared: SharedEngine, mayGoOn: @escaping (Turn) -> Bool) {
    self.shared = shared
    self.mayGoOn = mayGoOn
    state = shared.purgeState.withLock { $0 }
  }

  /// Purges what was destroyed up to now; answers how many records that were.
  ///
  /// Waits for nothing: what is not confirmed by every holder of the root, and what has no finished
  /// certificate, is left to a later run.
  mutating func run() throws(StoreError) -> UInt64 {
    guard let work = try PurgeWork(shared, after: state.acts), !work.isEmpty else { return 0 }
    var outcome = Outcome.needsSweep
    if !work.needsSweep, state.sweepNext == 0 { outcome = try purge(work) }
    if outcome == .needsSweep { outcome = try sweep(through: work.newestAct) }
    guard outcome == .done else { return purged }
    // The sweep that was under way stands for less than what has come since.
    state.acts = state.sweepActs > 0 ? state.sweepActs : work.newestAct
    (state.sweepNext, state.sweepEnd, state.sweepActs) = (0, 0, 0)
    try finish()
    return purged
  }

  // MARK: where to look

  /// Looks at every record.
  private mutating func sweep(through act: UInt64) throws(StoreError) -> Outcome {
    if state.sweepNext == 0 {
      state.sweepNext = 1
      state.sweepActs = act
      state.sweepEnd = shared.withState { $0.nextSequence }
    }
    let rest = state.sweepNext..<max(state.sweepNext, state.sweepEnd)
    return try sweep(rest, isNoted: true) ? .done : .interrupted
  }

  private mutating func purge(_ work: PurgeWork) throws(StoreError) -> Outcome {
    for range in work.sweeps {
      guard try sweep(range, isNoted: false) else { return .interrupted }
    }
    for (tenant, ranges) in work.positions {
      for range in ranges {
        let outcome = try purge(range, of: tenant)
        guard outcome == .done else { return outcome }
      }
    }
    return try commit() ? .done : .interrupted
  }

  /// The records of positions, by their postings.
  private mutating func purge(
    _ positions: ClosedRange<UInt64>, of tenant: TenantNumber
  ) throws(StoreError) -> Outcome {
    let feed = try shared.withState { (state) throws(StoreError) -> TermKey? in
      guard let tenant = state.tenants[tenant] else { return nil }
      return try tenant.open(state.keyring).feed.term
    }
    guard let feed else { return .done }
    var next = positions.lowerBound
    while next <= positions.upperBound {
      let found = try feed.postings(
        in: shared.index, ordinals: next...positions.upperBound, isDescending: false,
        limit: Self.pageMax)
      let end = found.count == Self.pageMax ? found.last?.ordinal : nil
      let reached = end ?? positions.upperBound
      guard Set(found.map(\.ordinal)).count >= reached - next + 1 else { return .needsSweep }
      guard try look(at: found.map(\.sequence)) else { return .interrupted }
      next = reached + 1
    }
    return .done
  }

  /// The records between sequences; `isNoted`: so that the next run goes on where this one ends.
  private mutating func sweep(
    _ range: Range<UInt64>, isNoted: Bool
  ) throws(StoreError) -> Bool {
    var (next, noted) = (range.lowerBound, range.lowerBound)
    while next < range.upperBound {
      let limit = page
      let sequences = try StoreError.translatingStorage { () throws(StorageError) in
        try shared.logTables.read { (view) throws(StorageError) in
          try view.sequences(in: next..<range.upperBound, limit: limit)
        }
      }
      // Everything before is committed, or comes with the next commit.
      if isNoted { state.sweepNext = next }
      guard try look(at: sequences) else { return false }
      next = sequences.count < limit ? range.upperBound : (sequences.last ?? next) + 1
      guard isNoted, next - noted >= Self.sweepNoteRecords else { continue }
      noted = next
      guard try commit(always: true) else { return false }
    }
    return try commit()
  }

  // MARK: what is done

  /// Purges those of the records that have lost their keys; false when it was interrupted.
  private mutating func look(at sequences: [UInt64]) throws(StoreError) -> Bool {
    try shared.log.copyRecords(sequences, into: &bytes, &places)
    page = bytes.count > Self.pageBytes ? max(1, page / 4) : min(Self.pageMax, page * 2)
    let (records, places) = (bytes, places)
    var judge = judge
    let found = try shared.withState { (state) throws(StoreError) in
      let newest = state.nextSequence - 1
      var found: [(PurgeVerdict, Routing)] = []
      for (place, sequence) in zip(places, sequences) {
        let record = records.span.extracting(place.range)
        let (verdict, routing) = try judge.judge(record, state, shared.log)
        guard verdict != .keep, let routing else {
          found.append((.keep, Routing.none))
          continue
        }
        // By the newest record everybody knows where the log ends: it stays, though bare.
        let isNewest = verdict == .makeTrace && sequence >= newest
        found.append((isNewest ? .makeBare(hasSecondBlock: false) : verdict, routing))
      }
      return found
    }
    self.judge = judge
    for ((place, sequence), (verdict, routing)) in zip(zip(places, sequences), found) {
      try add(records.span.extracting(place.range), sequence, verdict, routing)
      if step.removed.count + step.shrunk.count >= Self.stepRecords
        || groups.count >= Self.stepGroups
      {
        guard try commit() else { return false }
      }
    }
    return mayGoOn(.looked)
  }

  private mutating func add(
    _ record: Span<UInt8>, _ sequence: UInt64, _ verdict: PurgeVerdict, _ routing: Routing
  ) throws(StoreError) {
    switch verdict {
    case .keep: return
    case .makeBare(let hasSecondBlock):
      guard RecordForm(record) == .whole else { return }
      var bare = BareRecord.untagged(of: record, hasSecondBlock: hasSecondBlock)
      shared.withState { $0.routing.closeBare(&bare) }
      step.shrunk.append((sequence, bare))
    case .makeTrace:
      let number = TraceGroup.number(of: sequence)
      if groups[number] == nil { groups[number] = try group(number) }
      groups[number]?.insert(RecordTrace(routing, RecordHash(stored: record)), sequence)
      step.removed.append(sequence)
    }
    guard RecordForm(record) == .whole else { return }
    purged += 1
    state.records += 1
  }

  private func group(_ number: UInt64) throws(StoreError) -> TraceGroup {
    let key = shared.withState { $0.traces }
    return try StoreError.translatingStorage { () throws(StorageError) in
      try shared.logTables.read { (view) throws(StorageError) in
        guard try view.traces(number) != nil else { return TraceGroup(number: number) }
        // A group that does not open is damage; writing over it would hide what is missing.
        guard let group = try view.traceGroup(number, key) else { throw .corrupt }
        return group
      }
    }
  }

  /// Commits what was found, with how far a sweep has come; false when the run is to end.
  private mutating func commit(always: Bool = false) throws(StoreError) -> Bool {
    guard always || !step.removed.isEmpty || !step.shrunk.isEmpty else { return mayGoOn(.looked) }
    var step = exchange(&self.step, with: PurgeStep())
    let key = shared.withState { $0.traces }
    step.groups = groups.values.map { ($0.number, $0.sealed(key)) }
    groups = [:]
    try write(step)
    return mayGoOn(.wrote)
  }

  /// What was destroyed up to ``PurgeState/acts`` is purged, and the ledger says so.
  private mutating func finish() throws(StoreError) {
    state.doneMilliseconds = shared.clock()
    let entry = LedgerEntry(
      timeMilliseconds: state.doneMilliseconds, act: .purged, actor: .daemon, count: state.acts)
    TestHooks.crashPoint("purge.ledger.before")
    try shared.withState { (state) throws(StoreError) in
      if let failure = state.failure { throw failure }
      try StoreError.translating { () throws(KeyringError) in
        try state.keyring.appendLedger(entry)
      }
    }
    TestHooks.crashPoint("purge.ledger.after")
    try write(PurgeStep())
  }

  private mutating func write(_ step: PurgeStep) throws(StoreError) {
    var step = step
    let state = state
    step.state = shared.withState { state.sealed($0.logState) }
    let size = step.groups.reduce(0) { $0 + $1.sealed.count } + 4_096 * step.shrunk.count
    do throws(StorageError) {
      try shared.logTables.checkRoomToPurge(for: size)
      TestHooks.crashPoint("purge.step.before")
      try shared.logTables.purge(step)
      TestHooks.crashPoint("purge.step.after")
    } catch {
      if case .ioFailure = error { shared.withState { $0.failure = .readOnly } }
      throw StoreError(error)
    }
    shared.purgeState.withLock { $0 = state }
  }
}

extension Routing {
  /// Of no record.
  fileprivate static let none = Routing(
    tenant: .none, position: 0, generation: 0, classNumber: .default,
    period: Period(unit: .day, index: 0))
}
