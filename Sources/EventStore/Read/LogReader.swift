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

  init(_ tables: LogTables) { self.tables = tables }

  /// Copies the records of `sequences` into `bytes`, so that no view outlives the call.
  ///
  /// A record that is not there has an empty place.
  func copyRecords(
    _ sequences: some Sequence<UInt64>, into bytes: inout [UInt8], _ places: inout [ByteRange]
  ) throws(StoreError) {
    bytes.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
    var copied = bytes
    var ranges = places
    bytes = []
    try StoreError.translatingStorage { () throws(StorageError) in
      try tables.read { (view) throws(StorageError) in
        for sequence in sequences {
          guard let record = try view.record(sequence) else {
            ranges.append(.none)
            continue
          }
          ranges.append(ByteRange(offset: copied.count, count: record.count))
          copied.appendSpan(record)
        }
      }
    }
    bytes = copied
    places = ranges
  }

  /// The newest version of a stream according to index and log; 0 when it has no event.
  func newestVersion(
    of slot: Slot, _ term: TermKey, tenant: TenantState, state: EngineState,
    index: EventIndex
  ) throws(StoreError) -> UInt64 {
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
      return header.version
    }
    return 0
  }

  /// Routing fields and header of a record; nil when its tenant or period is gone.
  ///
  /// Throws when it is
  /// not what was written.
  func open(
    _ record: Span<UInt8>, state: EngineState
  ) throws(StoreError) -> (Routing, RecordHeader)? {
    guard let routing = state.routing.open(record) else { throw .corrupt }
    guard let tenant = state.tenants[routing.tenant],
      let period = try state.periodKeys(tenant, routing.classNumber, routing.period)
    else { return nil }
    guard let header = HeaderMask.open(record, key: period.header) else { throw .corrupt }
    return (routing, header)
  }
}
