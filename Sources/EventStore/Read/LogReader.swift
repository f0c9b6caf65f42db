import EventModel
import Keyring
import Sodium
import Storage

/// Reads records of the log by sequence and understands as much of them as the keys allow.
///
/// What the index says is never trusted: a record counts only if its own routing fields and header
/// say the same.
final class LogReader: Sendable {
  private let tables: LogTables
  private let traces: SealingKey

  init(_ tables: LogTables, traces: SealingKey) {
    self.tables = tables
    self.traces = traces
  }

  /// Copies the records of `sequences` into `bytes`, so that no view outlives the call.
  ///
  /// In the place of a record that was purged is its trace; one that is not there at all has an empty
  /// place.
  func copyRecords(
    _ sequences: some Sequence<UInt64>, into bytes: inout [UInt8], _ places: inout [ByteRange]
  ) throws(StoreError) {
    bytes.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
    var copied = CopiedRecords(
      bytes: exchange(&bytes, with: []), places: exchange(&places, with: []))
    defer { (bytes, places) = (copied.bytes, copied.places) }
    let wanted = Array(sequences)
    try StoreError.translatingStorage { () throws(StorageError) in
      try tables.read { (view) throws(StorageError) in
        var index = 0
        while index < wanted.count {
          var end = index + 1
          while end < wanted.count, wanted[end] == wanted[end - 1] + 1 { end += 1 }
          if end - index < Self.runMin {
            for sequence in wanted[index..<end] { copied.append(try view.record(sequence)) }
          } else {
            try copied.append(wanted[index]...wanted[end - 1], view)
          }
          index = end
        }
        try copied.fillGaps(wanted, view, traces)
      }
    }
  }

  /// Neighbours for which walking from one to the next costs less than looking each up.
  private static let runMin = 3

  /// Records side by side.
  private struct CopiedRecords {
    var bytes: [UInt8]
    var places: [ByteRange]

    mutating func append(_ record: Span<UInt8>?) {
      guard let record else { return places.append(.none) }
      places.append(ByteRange(offset: bytes.count, count: record.count))
      bytes.appendSpan(record)
    }

    mutating func append(
      _ sequences: ClosedRange<UInt64>, _ view: borrowing LogView
    ) throws(StorageError) {
      let end = places.count + sequences.count
      var next = sequences.lowerBound
      try view.scan(from: next) { sequence, record in
        while next < sequence, places.count < end {
          places.append(.none)
          next += 1
        }
        guard places.count < end else { return false }
        append(record)
        next += 1
        return places.count < end
      }
      while places.count < end { places.append(.none) }
    }

    /// Puts traces where records are missing; what was purged has one since the same commit.
    mutating func fillGaps(
      _ sequences: [UInt64], _ view: borrowing LogView, _ key: SealingKey
    ) throws(StorageError) {
      var group: TraceGroup?
      for index in places.indices where places[index].isEmpty {
        let number = TraceGroup.number(of: sequences[index])
        if group?.number != number {
          group = try view.traceGroup(number, key) ?? TraceGroup(number: number)
        }
        guard let trace = group?[sequences[index]] else { continue }
        places[index] = ByteRange(offset: bytes.count, count: trace.count)
        bytes += trace
      }
    }
  }

  /// The newest version of a stream according to index, log and keyring; 0 when it has no event.
  func newestVersion(
    of slot: Slot, _ term: TermKey, tenant: TenantState, state: EngineState,
    index: EventIndex
  ) throws(StoreError) -> UInt64 {
    let atLeast = try state.versionMin(tenant, slot)
    // A colliding tag of another term may stand in front: look a little further back.
    let newest = try term.postings(
      in: index, ordinals: 1...Limits.positionMax, isDescending: true, limit: 16)
    var bytes: [UInt8] = []
    var places: [ByteRange] = []
    try copyRecords(newest.map(\.sequence), into: &bytes, &places)
    for (place, posting) in zip(places, newest) {
      let record = bytes.span.extracting(place.range)
      guard let (routing, header) = try open(record, state: state),
        routing.tenant == tenant.number, header.stream == slot, header.version == posting.ordinal
      else { continue }
      return max(header.version, atLeast)
    }
    return atLeast
  }

  /// Routing fields and header of a record; nil when its tenant or period is gone, and of a trace.
  ///
  /// Throws when it is
  /// not what was written.
  func open(
    _ record: Span<UInt8>, state: EngineState
  ) throws(StoreError) -> (Routing, RecordHeader)? {
    guard RecordForm(record) != .trace else { return nil }
    guard let routing = state.routing.open(record) else { throw .corrupt }
    guard let tenant = state.tenants[routing.tenant],
      let period = try state.periodKeys(tenant, PeriodID(routing))
    else { return nil }
    guard let header = HeaderMask.open(record, key: period.header) else { throw .corrupt }
    return (routing, header)
  }
}
