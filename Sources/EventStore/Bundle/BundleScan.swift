import EventModel
import Keyring
import Storage
import TransparencyLog

/// Some of the log's records for a bundle: which tenant's they are, their hashes, and what is left of
/// the events.
struct BundleScan {
  private(set) var logs: [BundleLog]
  /// Where each tenant's log stands in ``logs``.
  private let places: [TenantNumber: Int]
  private var leaves: [Int: [UInt8]] = [:]
  private var records: [Int: [UInt8]] = [:]
  private var byteCount = 0

  /// Records that may be missing in a row: of more there is nothing to be told.
  private static let missingMax: UInt64 = 100_000
  /// Records for which the engine's lock is held at once.
  private static let recordsAtOnce: UInt64 = 256

  init(_ session: BundleSession) {
    logs = session.logs
    places = Dictionary(
      uniqueKeysWithValues: session.logs.enumerated().map { ($0.element.tenant, $0.offset) })
  }

  /// What was found, as pieces of the logs' files.
  var pieces: [BundlePiece] {
    leaves.map { BundlePiece(file: BundleNames.leaves($0.key + 1), bytes: $0.value) }
      + records.map { BundlePiece(file: BundleNames.records($0.key + 1), bytes: $0.value) }
  }

  /// Scans until an answer is full; the sequence that was reached.
  mutating func run(
    from first: UInt64, through last: UInt64, _ shared: SharedEngine
  ) throws(StoreError) -> UInt64 {
    var bytes: [UInt8] = []
    var ranges: [ByteRange] = []
    var next = first
    while next <= last, byteCount < BundleSession.answerBytes {
      let end = min(last, next + Self.recordsAtOnce - 1)
      try shared.log.copyRecords(next...end, into: &bytes, &ranges)
      for (range, found) in zip(ranges, try look(bytes, ranges, shared)) {
        guard let found else { continue }
        try add(bytes.span.extracting(range.range), found)
      }
      next = end + 1
    }
    return next - 1
  }

  /// What a record says of itself and its event.
  private struct Found {
    let routing: Routing
    let state: LeafRow.State
  }

  private func look(
    _ bytes: [UInt8], _ ranges: [ByteRange], _ shared: SharedEngine
  ) throws(StoreError) -> [Found?] {
    try shared.withState { (state) throws(StoreError) in
      var found: [Found?] = []
      for range in ranges {
        let record = bytes.span.extracting(range.range)
        // Whose a record is of which even this cannot be read, nobody knows: its row stays out.
        guard !range.isEmpty,
          let routing = RecordTrace(record)?.routing ?? state.routing.open(record),
          places[routing.tenant] != nil
        else {
          found.append(nil)
          continue
        }
        guard let tenant = state.tenants[routing.tenant] else { throw .bundleOutdated }
        found.append(
          Found(
            routing: routing,
            state: try Self.state(of: record, routing, tenant, state, shared.log)))
      }
      return found
    }
  }

  private static func state(
    of record: Span<UInt8>, _ routing: Routing, _ tenant: TenantState, _ state: EngineState,
    _ log: LogReader
  ) throws(StoreError) -> LeafRow.State {
    let opened: (Routing, RecordHeader)?
    do throws(StoreError) { opened = try log.open(record, state: state) } catch {
      guard error == .corrupt else { throw error }
      return .damaged
    }
    guard let (_, header) = opened else { return .expired }
    let id = BaseID(
      tenant: routing.tenant, generation: routing.generation, classNumber: routing.classNumber,
      period: routing.period, stream: header.stream, subjects: header.subjects)
    guard let base = try state.base(id, tenant: tenant),
      try tenant.open(state.keyring).canRead(routing, state.keyring)
    else { return .erased }
    let isHidden = state.bases.isHidden(at: base) || tenant.hidden.contains(routing)
    return isHidden ? .restricted : .live
  }

  private mutating func add(_ record: Span<UInt8>, _ found: Found) throws(StoreError) {
    guard let place = places[found.routing.tenant] else { return }
    let position = found.routing.position
    guard position >= logs[place].next, logs[place].covers(position) else { return }
    guard position - logs[place].next <= Self.missingMax else { throw .corrupt }
    var rows: [UInt8] = []
    while logs[place].next < position {
      LeafRow.missing.encode(to: &rows)
      logs[place].next += 1
    }
    LeafRow(
      recordHash: RecordHash(stored: record), state: found.state,
      isPurged: RecordForm(record) != .whole,
      classNumber: found.routing.classNumber.rawValue, period: found.routing.period
    ).encode(to: &rows)
    logs[place].next += 1
    leaves[place, default: []] += rows
    byteCount += rows.count
    guard RecordForm(record) == .whole, logs[place].wants(position) else { return }
    var row: [UInt8] = []
    row.appendBigEndian(position, bytes: 8)
    row.appendBigEndian(UInt64(record.count), bytes: 4)
    row.appendSpan(record)
    byteCount += row.count
    records[place, default: []] += row
  }
}
