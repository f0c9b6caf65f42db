import EventModel
import Keyring
import Sodium
import Storage
import Synchronization

/// Tells each tenant which positions were erased, so that projections can follow.
///
/// Order of an act: its rows are durable in `log/` -> its keys are destroyed and the ledger has it
/// (`keyring/`). A row counts only when the ledger has the act that it names; so what a crash or a
/// refusal leaves between the two tells nothing, and the next act writes over it.
final class ErasureLog: Sendable {
  private let tables: LogTables
  /// Each tenant's newest row that counts.
  private let newest = Mutex<[TenantNumber: UInt64]>([:])
  /// Some of what the act that is about to be done erases.
  private let stagedSamples = Mutex<[TenantNumber: [UInt64]]>([:])

  /// Lines that the ledger may get between an act's rows and the act.
  private static let linesBetweenMax = 8

  /// Ranges of one answer, which bounds its memory.
  static let answerRangesMax = 100_000

  init(_ tables: LogTables) { self.tables = tables }

  /// Makes `positions` durable as rows behind the newest, for an act that the ledger is about to
  /// have under `planHash`; on the writer's thread, before the act.
  func stage(
    _ positions: [UInt64], tenant number: TenantNumber, now: Int64, planHash: [UInt8],
    shared: SharedEngine
  ) throws(StoreError) {
    try stage([number: positions.asRanges], now: now, planHash: planHash, shared: shared)
  }

  /// The same for ascending ranges of several tenants, in one transaction; `sequences` is where their
  /// records lie, as far as that is known.
  func stage(
    _ positions: [TenantNumber: [ClosedRange<UInt64>]],
    in sequences: [TenantNumber: Range<UInt64>] = [:], now: Int64, planHash: [UInt8],
    shared: SharedEngine
  ) throws(StoreError) {
    var rows: [LogTables.LabelledRow] = []
    for (number, ranges) in positions.sorted(by: { $0.key < $1.key }) where !ranges.isEmpty {
      rows += try self.rows(
        ranges, in: sequences[number], tenant: number, now: now, planHash: planHash, shared: shared)
    }
    guard !rows.isEmpty else { return }
    stagedSamples.withLock { samples in
      for (number, ranges) in positions { samples[number] = Self.sample(ranges) }
    }
    try StoreError.translatingStorage { () throws(StorageError) in try tables.putErasures(rows) }
  }

  /// Some positions of these ranges, at random.
  private static func sample(_ ranges: [ClosedRange<UInt64>]) -> [UInt64] {
    let count = ranges.reduce(0) { $0 + $1.count }
    guard count > CertificateSamples.countMax else { return ranges.flatMap { Array($0) } }
    return (0..<CertificateSamples.countMax).compactMap { _ in
      var place = UInt64.random(in: 0..<UInt64(count))
      for range in ranges {
        guard place >= UInt64(range.count) else { return range.lowerBound + place }
        place -= UInt64(range.count)
      }
      return nil
    }
  }

  private func rows(
    _ ranges: [ClosedRange<UInt64>], in sequences: Range<UInt64>?, tenant number: TenantNumber,
    now: Int64, planHash: [UInt8], shared: SharedEngine
  ) throws(StoreError) -> [LogTables.LabelledRow] {
    let newest = try newest(number, shared)
    return try shared.withState { (state) throws(StoreError) -> [LogTables.LabelledRow] in
      let (_, secrets) = try keys(number, state)
      let first = max(newest, ErasureRow.base(ofLineage: secrets.keys.lineage)) + 1
      return try Self.rows(
        ranges, in: sequences, of: number, from: first, now: now,
        ledgerIndex: state.keyring.nextLedgerIndex, planHash: planHash, state)
    }
  }

  /// Rows that tell `ranges`, sealed; the first is numbered `first`.
  static func rows(
    _ ranges: [ClosedRange<UInt64>], in sequences: Range<UInt64>? = nil, of number: TenantNumber,
    from first: UInt64, now: Int64, ledgerIndex: UInt64, planHash: [UInt8], _ state: EngineState
  ) throws(StoreError) -> [LogTables.LabelledRow] {
    guard let tenant = state.tenants[number] else { throw .noTenant }
    let secrets = try tenant.open(state.keyring)
    let outer = ErasureRow.outerKey(mapKey: secrets.keys.mapKey)
    let period = Period(unit: secrets.defaultClass.retention.unit, containing: now)
    let id = PeriodID(
      tenant: number, generation: secrets.generation, classNumber: .default, period: period)
    guard let periodKeys = try state.periodKeys(tenant, id) else { throw .corrupt }
    let inner = ErasureRow.innerKey(period: periodKeys.key)
    return stride(from: 0, to: ranges.count, by: ErasureRow.rangesMax).enumerated().map {
      let end = min($0.element + ErasureRow.rangesMax, ranges.count)
      let row = ErasureRow(
        number: first + UInt64($0.offset), timeMilliseconds: now, ledgerIndex: ledgerIndex,
        planHash: planHash, generation: secrets.generation, period: period,
        positions: ranges[$0.element..<end], sequences: sequences,
        inner: inner)
      return LogTables.LabelledRow(
        label: ErasureRow.label(row.number, outer), sealed: row.sealed(outer))
    }
  }

  /// Some positions of what was staged since the last call, of each tenant.
  func takeStagedSamples() -> [TenantNumber: [UInt64]] {
    stagedSamples.withLock { samples in
      defer { samples = [:] }
      return samples
    }
  }

  /// Forgets what is known of tenants that are gone or have new rows.
  func remove(_ tenants: Set<TenantNumber>) {
    newest.withLock { newest in for tenant in tenants { newest[tenant] = nil } }
  }

  /// The number of the tenant's newest row that counts; 0 when there is none.
  func newest(_ number: TenantNumber, _ shared: SharedEngine) throws(StoreError) -> UInt64 {
    if let known = newest.withLock({ $0[number] }) { return known }
    let found = try shared.withState { (state) throws(StoreError) -> UInt64 in
      let (outer, secrets) = try keys(number, state)
      for lineage in (1...max(1, secrets.keys.lineage)).reversed() {
        let base = ErasureRow.base(ofLineage: lineage)
        let last = try last(behind: base, outer, state)
        if last > base { return last }
      }
      return 0
    }
    newest.withLock { $0[number] = max($0[number] ?? 0, found) }
    return found
  }

  /// The newest row of a lineage that counts, or `base` when it has none.
  ///
  /// Rows of a lineage are dense, so the last is found by doubling and halving.
  private func last(
    behind base: UInt64, _ outer: SealingKey, _ state: EngineState
  ) throws(StoreError) -> UInt64 {
    var high: UInt64 = 1
    while try row(base + high, outer) != nil { high *= 2 }
    var low = high / 2
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if try row(base + middle, outer) != nil { low = middle } else { high = middle }
    }
    while low > 0, let row = try row(base + low, outer), try !counts(row, state) { low -= 1 }
    return base + low
  }

  /// The row of this number, or the first of a later lineage when its own has no more.
  private func next(
    _ number: UInt64, through newest: UInt64, _ outer: SealingKey, _ state: EngineState
  ) throws(StoreError) -> ErasureRow {
    var number = number
    while number <= newest {
      if let row = try row(number, outer), try counts(row, state) { return row }
      let base = ErasureRow.base(after: number)
      // Within the newest lineage a row that is missing is a silent omission.
      guard base < newest else { throw .corrupt }
      number = base + 1
    }
    throw .corrupt
  }

  /// The rows behind `after`, at most `limit`; the positions are empty when they have expired.
  func read(
    _ number: TenantNumber, after: UInt64, limit: Int, shared: SharedEngine
  ) throws(StoreError) -> [Erasure] {
    let newest = try newest(number, shared)
    guard after < newest else { return [] }
    return try shared.withState { (state) throws(StoreError) in
      let (outer, _) = try keys(number, state)
      guard let tenant = state.tenants[number] else { throw .noTenant }
      var found: [Erasure] = []
      var ranges = 0
      var last = after
      while last < newest, found.count < limit, ranges < Self.answerRangesMax {
        let row = try next(last + 1, through: newest, outer, state)
        last = row.number
        var positions: [ClosedRange<UInt64>] = []
        if let period = try state.periodKeys(tenant, row.periodID(number)) {
          guard let opened = row.positions(ErasureRow.innerKey(period: period.key)) else {
            throw .corrupt
          }
          positions = opened
        }
        ranges += positions.count
        found.append(
          Erasure(
            number: row.number, timeMilliseconds: row.timeMilliseconds,
            ledgerIndex: try act(of: row, state) ?? row.ledgerIndex, positions: positions))
      }
      return found
    }
  }

  /// Some positions that the act with this index in the ledger has erased; nil when nothing tells.
  func samples(
    ofAct index: UInt64, tenant number: TenantNumber, shared: SharedEngine
  ) throws(StoreError) -> [UInt64]? {
    guard shared.withState({ $0.tenants[number]?.isSuspended == false }) else { return nil }
    var positions: [UInt64] = []
    var last = try newest(number, shared)
    while last > 0, positions.count < CertificateSamples.countMax {
      let found = try shared.withState { (state) throws(StoreError) -> [ClosedRange<UInt64>]? in
        let (outer, _) = try keys(number, state)
        let act = try StoreError.translating { () throws(KeyringError) in
          try state.keyring.ledgerEntries(from: index, limit: 1).first?.entry
        }
        guard let tenant = state.tenants[number], let row = try row(last, outer),
          row.planHash == act?.planHash,
          let period = try state.periodKeys(tenant, row.periodID(number))
        else { return nil }
        return row.positions(ErasureRow.innerKey(period: period.key))
      }
      guard let found else { break }
      positions += found.joined().prefix(CertificateSamples.countMax)
      last -= 1
    }
    return positions.isEmpty ? nil : positions
  }

  /// What a tenant's rows tell of acts from line `index` of the ledger on, newest first, until `body`
  /// returns false; nil for a row whose positions nobody can open any more.
  ///
  /// A row may name a line before its act's, see ``linesBetweenMax``.
  func forEachRow(
    _ number: TenantNumber, sinceAct index: UInt64, shared: SharedEngine,
    _ body: (_ positions: [ClosedRange<UInt64>], _ sequences: Range<UInt64>?) -> Void,
    unknown: () -> Void
  ) throws(StoreError) {
    var last = try newest(number, shared)
    while last > 0 {
      let row = try shared.withState { (state) throws(StoreError) -> ErasureRow? in
        try self.row(last, try keys(number, state).outer)
      }
      // Those of an earlier generation were told again by its restore.
      guard let row, row.ledgerIndex + UInt64(Self.linesBetweenMax) >= index else { return }
      let content = try shared.withState { (state) throws(StoreError) in
        try state.tenants[number].flatMap { tenant throws(StoreError) in
          try state.periodKeys(tenant, row.periodID(number))
        }.flatMap { row.content(ErasureRow.innerKey(period: $0.key)) }
      }
      if let content { body(content.positions, content.sequences) } else { unknown() }
      last -= 1
    }
  }

  private func keys(
    _ number: TenantNumber, _ state: EngineState
  ) throws(StoreError) -> (outer: SealingKey, secrets: TenantSecrets) {
    // Also of a suspended tenant: its events expire all the same.
    guard let tenant = state.tenants[number] else { throw .noTenant }
    let secrets = try tenant.open(state.keyring)
    return (ErasureRow.outerKey(mapKey: secrets.keys.mapKey), secrets)
  }

  private func row(_ number: UInt64, _ outer: SealingKey) throws(StoreError) -> ErasureRow? {
    let label = ErasureRow.label(number, outer)
    let sealed = try StoreError.translatingStorage { () throws(StorageError) in
      try tables.read { (view) throws(StorageError) in try view.erasure(label.span)?.array }
    }
    guard let sealed else { return nil }
    guard let row = ErasureRow(sealed.span, number: number, outer) else { throw .corrupt }
    return row
  }

  private func counts(_ row: ErasureRow, _ state: EngineState) throws(StoreError) -> Bool {
    #if DEBUG
      if TestHooks.isVariant("erasure-unchecked") { return true }
    #endif
    return try act(of: row, state) != nil
  }

  /// Where the ledger has the act of a row, or nil.
  private func act(of row: ErasureRow, _ state: EngineState) throws(StoreError) -> UInt64? {
    guard row.ledgerIndex < state.keyring.nextLedgerIndex else { return nil }
    // A holder that came back meanwhile may have put a line in front of the act's.
    let entries = try StoreError.translating { () throws(KeyringError) in
      try state.keyring.ledgerEntries(from: row.ledgerIndex, limit: Self.linesBetweenMax)
    }
    return entries.first { $0.entry.planHash == row.planHash }?.index
  }
}
