import EventModel
import Keyring
import Sodium
import Storage

/// Finds the event that was stored before under the id of one that comes now.
///
/// Looked for in this order: in the commit being sealed, in the one that the committer has under way,
/// then, unless the filter says no, in the buckets of the last eight days. An event that is found is
/// opened and compared: the index's word alone is never believed, except that the event is erased.
struct DuplicateCheck: ~Copyable {
  private let index: EventIndex
  private let log: LogReader
  let filter: IDFilter
  private var eventKey = SecretBytes(zeroes: 64)
  private var plain: [UInt8] = []
  private var bytes: [UInt8] = []
  private var places: [ByteRange] = []
  #if DEBUG
    /// A test's broken variant: what is being committed is not looked at.
    private let forgetsInFlight = TestHooks.isVariant("forget-in-flight")
  #endif

  /// Colliding tags beside colliding fingerprints do not happen; a bound all the same.
  private static let candidatesMax = 16

  init(index: EventIndex, log: LogReader, filter: IDFilter) {
    self.index = index
    self.log = log
    self.filter = filter
  }

  /// Wipes the key of the last event that was opened.
  mutating func forget() { eventKey = SecretBytes(zeroes: 64) }

  /// What the first event of this id got, or nil when there was none within the last seven days.
  ///
  /// Throws `.idConflict` when the first says something else, `.eventErased` when it is erased.
  mutating func find(
    _ term: IDTerm, body: Span<UInt8>, tenant: TenantState, now: Int64, commit: SealedCommit,
    behind: SealedCommit, in state: EngineState
  ) throws(StoreError) -> AppendResult? {
    if let found = try inFlight(term, body, tenant, commit, state) { return found }
    if let found = try inFlight(term, body, tenant, behind, state) { return found }
    guard filter.mayContain(term.fingerprint) else { return nil }
    let today = Bucket(dayContaining: max(now, tenant.pendingStoredMilliseconds))
    let days = (0...IDFilter.daysBefore).compactMap { today.day(before: $0) }
    let postings = try StoreError.translatingStorage { () throws(StorageError) in
      try index.duplicates(of: term, days: days)
    }
    guard !postings.isEmpty else { return nil }
    try log.copyRecords(postings.prefix(Self.candidatesMax).map(\.sequence), into: &bytes, &places)
    let records = bytes
    for place in places where !place.isEmpty {
      let record = records.span.extracting(place.range)
      if let found = try compare(record, body, tenant, state) { return found }
    }
    return nil
  }

  private mutating func inFlight(
    _ term: IDTerm, _ body: Span<UInt8>, _ tenant: TenantState, _ commit: SealedCommit,
    _ state: EngineState
  ) throws(StoreError) -> AppendResult? {
    #if DEBUG
      if forgetsInFlight { return nil }
    #endif
    guard let place = commit.ids[term] else { return nil }
    // Its batch may have gone back to its owner, but its sealed record is still here.
    let records = commit.records
    return try compare(
      records.span.extracting(commit.places[place].range), body, tenant, state)
  }

  /// Nil when the record is not this tenant's or has another id.
  private mutating func compare(
    _ record: Span<UInt8>, _ body: Span<UInt8>, _ tenant: TenantState, _ state: EngineState
  ) throws(StoreError) -> AppendResult? {
    if let trace = RecordTrace(record) {
      guard trace.tenant == tenant.number else { return nil }
      throw .eventErased(position: trace.position)
    }
    guard let routing = state.routing.open(record) else { throw .corrupt }
    guard routing.tenant == tenant.number else { return nil }
    guard let (_, header) = try log.open(record, state: state) else {
      throw .eventErased(position: routing.position)
    }
    let base = try state.base(
      BaseID(
        tenant: routing.tenant, generation: routing.generation, classNumber: routing.classNumber,
        period: routing.period, stream: header.stream, subjects: header.subjects),
      tenant: tenant)
    let secrets = try tenant.open(state.keyring)
    guard let base, try secrets.canRead(routing, state.keyring) else {
      throw .eventErased(position: routing.position)
    }
    let count = RecordOpener.open(
      record, subjectCount: header.subjects.count, bases: state.bases, base: base,
      positions: &secrets.readPositions, tenantID: tenant.id, routing: routing,
      eventKey: &eventKey, into: &plain)
    guard let count else { throw .corrupt }
    let stored = plain.span.extracting(0..<count)
    guard BodyComparison.haveSameID(stored, body) else { return nil }
    guard BodyComparison.areEqual(stored, body) else {
      throw .idConflict(position: routing.position)
    }
    var result = AppendResult(
      position: routing.position, version: header.version,
      storedMilliseconds: header.storedMilliseconds)
    result.isDuplicate = true
    return result
  }
}
