import EventModel
import Keyring
import Sodium
import Storage
import TransparencyLog

/// Brings memory up to the log at start: heads from the index, then every record behind them.
///
/// The log is the truth. An index that does not belong to it (its flush state names a record with
/// another hash, or one that is not there) is emptied and rebuilt from the first record.
struct Recovery {
  private let state: EngineState
  private let index: EventIndex
  private let log: LogReader
  private let logTables: LogTables
  private let filter: IDFilter
  private var terms: [TermID: TermKey?] = [:]
  /// The body opened last.
  private var plain: [UInt8] = []

  private struct TermID: Hashable {
    let tenant: TenantNumber
    let slot: Slot
    let isStream: Bool
  }

  private static let termsMax = 1 << 16
  private static let chunkBytes = 4 << 20

  init(
    state: EngineState, index: EventIndex, log: LogReader, logTables: LogTables, filter: IDFilter
  ) {
    self.state = state
    self.index = index
    self.log = log
    self.logTables = logTables
    self.filter = filter
  }

  /// Checks the log against the keyring: `.rolledBack` when the records need newer keys than there
  /// are, `.corrupt` when the log ends elsewhere than it says.
  ///
  /// In a copy the newest record may be there as a trace only.
  static func checkLog(
    _ state: EngineState, _ tables: LogTables
  ) throws(StoreError) {
    let (last, sealed) = try StoreError.translatingStorage { () throws(StorageError) in
      try tables.read { (view) throws(StorageError) in
        (try view.lastSequence(), try view.sealedState()?.array)
      }
    }
    guard let sealed else {
      guard last == 0 else { throw .corrupt }
      return
    }
    guard let logState = LogState(sealed.span, key: state.logState) else { throw .corrupt }
    guard logState.keyringVersion <= state.keyring.version else { throw .rolledBack }
    let newest = logState.nextSequence - 1
    let trace = try StoreError.translatingStorage { () throws(StorageError) in
      try tables.read { (view) throws(StorageError) in
        try view.traceGroup(TraceGroup.number(of: newest), state.traces)?[newest]
      }
    }
    guard last == newest || last < newest && trace != nil else { throw .corrupt }
    state.nextSequence = logState.nextSequence
  }

  /// True when the index's flush state names a record that the log has.
  static func isIndexOfLog(
    _ index: EventIndex, _ state: EngineState, _ tables: LogTables
  ) throws(StoreError) -> Bool {
    let flushed = try StoreError.translatingStorage { () throws(StorageError) in
      try index.flushState()
    }
    guard let flushed else { return true }
    var (bytes, places): ([UInt8], [ByteRange]) = ([], [])
    try LogReader(tables, traces: state.traces).copyRecords(
      [flushed.sequence], into: &bytes, &places)
    guard let place = places.first, !place.isEmpty else { return false }
    return RecordHash(stored: bytes.span.extracting(place.range)) == flushed.recordHash
  }

  /// Replays what the index has not seen.
  mutating func run() throws(StoreError) {
    var next: UInt64 = 1
    let flushed = try StoreError.translatingStorage { () throws(StorageError) in
      try index.flushState()
    }
    if let flushed {
      next = flushed.sequence + 1
      state.lastRecordHash = flushed.recordHash
      for tenant in state.tenants.values {
        let bytes = try StoreError.translatingStorage { () throws(StorageError) in
          try index.tenantState(tenant.number)
        }
        guard let bytes else { continue }
        guard let head = LogHead(bytes) else { throw .corrupt }
        tenant.committed = head
        tenant.leaves = LogTail(start: head.frontier.count)
        tenant.pendingPosition = head.position
        tenant.pendingStoredMilliseconds = head.storedMilliseconds
      }
    }
    var bytes: [UInt8] = []
    var places: [ByteRange] = []
    var eventKey = SecretBytes(zeroes: 64)
    var count: UInt64 = 64
    while next < state.nextSequence {
      let end = min(state.nextSequence, next + count)
      try log.copyRecords(next..<end, into: &bytes, &places)
      var postings: [TaggedPosting] = []
      for place in places {
        guard !place.isEmpty else { throw .corrupt }
        try replay(bytes.span.extracting(place.range), sequence: next, &eventKey, &postings)
        next += 1
      }
      index.publish(postings)
      // As many records as a few MiB hold: the largest are a thousand times as large as the usual.
      count = bytes.count > Self.chunkBytes ? max(1, count / 4) : min(1_024, count * 2)
      if index.tailCount >= IndexThread.flushPostings { try flush(reached: next - 1) }
    }
  }

  private mutating func replay(
    _ record: Span<UInt8>, sequence: UInt64, _ eventKey: inout SecretBytes,
    _ postings: inout [TaggedPosting]
  ) throws(StoreError) {
    let hash = RecordHash(stored: record)
    state.lastRecordHash = hash
    if let trace = RecordTrace(record) {
      // Its postings went with it.
      guard let tenant = try note(trace.tenant, trace.position, hash) else { return }
      return noteExpired(trace.period, tenant)
    }
    guard let routing = state.routing.open(record) else { throw .corrupt }
    guard let tenant = try note(routing.tenant, routing.position, hash) else { return }
    let secrets = try tenant.open(state.keyring)
    guard
      let retentionClass = secrets.keys.classes.first(where: { $0.number == routing.classNumber })
    else { return }
    let bucket = Bucket(
      containing: retentionClass.policy.retention(of: routing.period.index)
        .expiryMilliseconds(of: routing.period))
    func add(_ term: TermKey, _ ordinal: UInt64) {
      postings.append(
        TaggedPosting(
          tag: term.tag(in: bucket), bucket: bucket,
          posting: Posting(sequence: sequence, ordinal: ordinal)))
    }
    // Also of what has expired: positions are dense.
    add(secrets.feed.term, routing.position)
    guard let (_, header) = try log.open(record, state: state) else {
      noteExpired(routing.period, tenant)
      return
    }
    tenant.committed.storedMilliseconds = header.storedMilliseconds
    tenant.pendingStoredMilliseconds = header.storedMilliseconds
    if header.subjects.count == 0 { tenant.impersonalCount += 1 }
    for subject in 0..<header.subjects.count {
      if let term = try term(tenant, header.subjects[subject], isStream: false) { add(term, 0) }
    }
    if let term = try term(tenant, header.stream, isStream: true) { add(term, header.version) }
    if let count = try open(record, routing, header, &eventKey) {
      addBody(count, secrets, bucket, header, sequence, &postings)
    }
  }

  /// The tenant, whose log has one record more; nil when it was shredded.
  private func note(
    _ number: TenantNumber, _ position: UInt64, _ hash: RecordHash
  ) throws(StoreError) -> TenantState? {
    guard let tenant = state.tenants[number] else { return nil }
    guard position == tenant.committed.position + 1 else { throw .corrupt }
    tenant.committed.frontier.append(
      LeafHash(position: position, recordHash: hash), to: &tenant.leaves)
    tenant.committed.position = position
    tenant.pendingPosition = position
    tenant.isTouched = true
    return tenant
  }

  /// When an event of a destroyed period was stored nobody knows; what comes is stored after it.
  private func noteExpired(_ period: Period, _ tenant: TenantState) {
    let end = period.startMilliseconds + period.unit.milliseconds
    tenant.committed.storedMilliseconds = max(tenant.committed.storedMilliseconds, end)
    tenant.pendingStoredMilliseconds = tenant.committed.storedMilliseconds
  }

  /// Opens a body into ``plain``; nil when one of its keys was destroyed or it is damaged, which a
  /// reader will say.
  private mutating func open(
    _ record: Span<UInt8>, _ routing: Routing, _ header: RecordHeader,
    _ eventKey: inout SecretBytes
  ) throws(StoreError) -> Int? {
    guard let tenant = state.tenants[routing.tenant] else { return nil }
    let id = BaseID(
      tenant: routing.tenant, generation: routing.generation, classNumber: routing.classNumber,
      period: routing.period, stream: header.stream, subjects: header.subjects)
    let secrets = try tenant.open(state.keyring)
    guard let base = try state.base(id, tenant: tenant),
      try secrets.canRead(routing, state.keyring)
    else { return nil }
    return RecordOpener.open(
      record, subjectCount: header.subjects.count, bases: state.bases, base: base,
      positions: &secrets.readPositions, tenantID: tenant.id, routing: routing,
      eventKey: &eventKey, into: &plain)
  }

  /// The postings that only a live event has: its type's and its id's.
  private mutating func addBody(
    _ count: Int, _ secrets: TenantSecrets, _ bucket: Bucket, _ header: RecordHeader,
    _ sequence: UInt64, _ postings: inout [TaggedPosting]
  ) {
    let body = plain.span.extracting(0..<count)
    let terms = EventTerms(body)
    func add(_ tag: UInt64, _ bucket: Bucket, _ ordinal: UInt64) {
      postings.append(
        TaggedPosting(
          tag: tag, bucket: bucket, posting: Posting(sequence: sequence, ordinal: ordinal)))
    }
    if let type = terms.type {
      let tag = secrets.types.tag(
        of: body.extracting(type), in: bucket, mapKey: secrets.keys.mapKey,
        tableKey: secrets.idKey)
      add(tag, bucket, 0)
    }
    guard let id = terms.id else { return }
    var message: [UInt8] = []
    let term = IDTerm(
      id: body.extracting(id), source: body.extracting(terms.source ?? 0..<0),
      idKey: secrets.idKey, scratch: &message)
    let day = Bucket(dayContaining: header.storedMilliseconds)
    add(term.tag(in: bucket), bucket, 0)
    add(term.tag(in: day), day, term.fingerprint)
    filter.insert(term.fingerprint, day)
  }

  /// The term of a slot, or nil when its key was destroyed: then nothing is indexed under it.
  private mutating func term(
    _ tenant: TenantState, _ slot: Slot, isStream: Bool
  ) throws(StoreError) -> TermKey? {
    let id = TermID(tenant: tenant.number, slot: slot, isStream: isStream)
    if let known = terms[id] { return known }
    if terms.count >= Self.termsMax { terms.removeAll(keepingCapacity: true) }
    let context = isStream ? TermKey.stream : TermKey.subject
    guard let key = try state.key(tenant, slot) else {
      terms[id] = .some(nil)
      return nil
    }
    let term = TermKey(context, from: key)
    terms[id] = term
    return term
  }

  private func flush(reached: UInt64) throws(StoreError) {
    guard index.freeze(), let hash = state.lastRecordHash else { return }
    let tenants = state.tenants.values.filter(\.isTouched).map { $0.freeze() }
    try StoreError.translatingStorage { () throws(StorageError) in
      try index.flush(
        state: FlushState(sequence: reached, recordHash: hash),
        tenants: tenants)
    }
    for tenant in tenants { state.tenants[tenant.number]?.frozenLeaves = nil }
  }
}
