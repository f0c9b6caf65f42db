import EventModel
import Keyring
import Sodium
import Storage

/// Turns requests into sealed records and their postings: the middle of a commit.
///
/// Used by the writer's thread only, under the engine's lock. Nothing here is visible to readers
/// before the committer has published it; ``EngineState/rollBack()`` undoes it when that failed.
struct Appender: ~Copyable {
  private var sealer: EventSealer
  var resolver = NameResolver()
  /// What is being filled.
  var commit = SealedCommit()
  /// What the committer has under way, or had last.
  var behind = SealedCommit()
  var duplicates: DuplicateCheck
  /// True when a group could not be sealed whole; then nothing of the commit may be stored.
  var isPoisoned = false
  let index: EventIndex
  let log: LogReader
  /// Where the tenant of the last event stands in the commit: neighbours mostly share it.
  private var lastTouched = -1
  /// Buckets of the commit's postings.
  private var buckets: [Bucket] = []
  /// Scratch for `source | id`.
  private var message: [UInt8] = []
  private var calendar = Calendar()
  /// The period of the last event and its keys; valid for one commit.
  private var lastPeriod: PeriodID?
  private var periodKeys: PeriodKeys?

  init(suite: SingleUseAEAD.Suite, index: EventIndex, log: LogReader, filter: IDFilter) {
    sealer = EventSealer(suite: suite)
    duplicates = DuplicateCheck(index: index, log: log, filter: filter)
    self.index = index
    self.log = log
  }

  /// Begins a commit in `commit`, which is empty, while `behind` may still be on its way.
  mutating func begin(_ commit: SealedCommit, behind: SealedCommit) {
    self.commit = commit
    self.behind = behind
    sealer.begin()
    resolver.begin()
    (lastPeriod, periodKeys) = (nil, nil)
    isPoisoned = false
    lastTouched = -1
    buckets.removeAll(keepingCapacity: true)
    calendar = Calendar()
  }

  /// Lets go of every key that it kept of the last commit, as each act demands that may destroy some.
  mutating func forget() {
    #if DEBUG
      if TestHooks.isVariant("scratch-kept") { return }
    #endif
    sealer.forget()
    duplicates.forget()
    resolver.begin()
    (lastPeriod, periodKeys) = (nil, nil)
    calendar = Calendar()
  }

  /// Seals the requests of one group, or none of them when one is refused.
  ///
  /// False when a name has no key yet: then nothing was done, and ``wantedKeys`` tells which.
  mutating func append(
    _ bytes: Span<UInt8>, _ requests: [AppendRequest], _ results: inout [AppendResult],
    group: Range<Int>, now: Int64, in state: EngineState
  ) -> Bool {
    if group.count == 1 {
      do throws(StoreError) {
        let request = requests[group.lowerBound]
        let result = try seal(bytes, request, isAdmitted: false, now: now, in: state)
        guard let result else { return false }
        results[group.lowerBound] = result
      } catch {
        results[group.lowerBound].error = error
      }
      return true
    }
    return appendGroup(bytes, requests, &results, group: group, now: now, in: state)
  }

  /// Nil when a name has no key yet; `isAdmitted` when the id was looked up before.
  mutating func seal(
    _ bytes: Span<UInt8>, _ request: AppendRequest, isAdmitted: Bool, now: Int64,
    in state: EngineState
  ) throws(StoreError) -> AppendResult? {
    guard
      let resolved = try resolver.resolve(
        bytes, request, now: now, in: state, index: index, log: log)
    else { return nil }
    let (tenant, secrets, stream) = (resolved.tenant, resolved.secrets, resolved.stream)
    let classNumber = resolved.retentionClass.number
    let term = request.id.isEmpty ? nil : idTerm(bytes, request, secrets)
    if let term, !isAdmitted,
      let first = try firstEvent(bytes, request, term, resolved, now: now, in: state)
    {
      return first
    }
    guard request.expectation.allows(stream.version) else {
      throw .wrongVersion(expected: request.expectation, actual: stream.version)
    }
    let stored = max(now, tenant.pendingStoredMilliseconds)
    let (period, bucket) = place(stored, resolved.retentionClass)
    let position = tenant.pendingPosition + 1
    let version = stream.version + 1
    guard position <= Limits.positionMax else { throw .tooBig }
    let slots = resolved.slots
    let id = BaseID(
      tenant: tenant.number, generation: secrets.generation,
      classNumber: classNumber, period: period, stream: stream.slot, subjects: slots)
    let routing = Routing(
      tenant: tenant.number, position: position, generation: secrets.generation,
      classNumber: classNumber, period: period)
    guard let base = try state.base(id, tenant: tenant),
      try secrets.canWrite(routing, state.keyring)
    else {
      let keys = try state.periodKeys(tenant, PeriodID(routing))
      throw keys == nil ? .clockBehind : .corrupt
    }
    let wanted = PeriodID(routing)
    if wanted != lastPeriod {
      guard let found = try state.periodKeys(tenant, wanted) else { throw .corrupt }
      (lastPeriod, periodKeys) = (wanted, found)
    }
    guard let periodKeys else { throw .corrupt }

    let sequence = commit.firstSequence + UInt64(commit.places.count)
    sealer.seal(
      body: bytes.extracting(request.body.range),
      routing: routing,
      header: RecordHeader(
        stream: stream.slot, version: version, storedMilliseconds: stored, subjects: slots),
      tenantID: tenant.id, routingKeys: state.routing, headerKey: periodKeys.header,
      bases: state.bases, base: base, positions: &secrets.writePositions, into: commit)
    resolved.forEachSubject { subject in
      note(subject.term.tag(in: bucket), bucket, sequence, 0)
    }
    note(stream.term.tag(in: bucket), bucket, sequence, version)
    note(secrets.feed.tag(in: bucket), bucket, sequence, position)
    noteType(bytes.extracting(request.body.range), secrets, bucket, sequence)
    if let term { noteID(term, bucket, sequence) }
    own(tenant, position, stored)
    tenant.pendingPosition = position
    tenant.pendingStoredMilliseconds = stored
    stream.version = version
    if slots.count == 0 { tenant.impersonalCount += 1 }
    return AppendResult(position: position, version: version, storedMilliseconds: stored)
  }

  private func note(_ tag: UInt64, _ bucket: Bucket, _ sequence: UInt64, _ ordinal: UInt64) {
    commit.postings.append(
      TaggedPosting(
        tag: tag, bucket: bucket, posting: Posting(sequence: sequence, ordinal: ordinal)))
  }

  private func noteType(
    _ body: Span<UInt8>, _ secrets: TenantSecrets, _ bucket: Bucket, _ sequence: UInt64
  ) {
    guard let type = EventTerms(body).type else { return }
    let tag = secrets.types.tag(
      of: body.extracting(type), in: bucket, mapKey: secrets.keys.mapKey,
      tableKey: secrets.idKey)
    note(tag, bucket, sequence, 0)
  }

  /// What the first event of a request's id got, or nil; throws `.eventErased` when it is erased.
  mutating func firstEvent(
    _ bytes: Span<UInt8>, _ request: AppendRequest, _ term: IDTerm, _ resolved: ResolvedNames,
    now: Int64, in state: EngineState
  ) throws(StoreError) -> AppendResult? {
    let first = try duplicates.find(
      term, body: bytes.extracting(request.body.range), tenant: resolved.tenant, now: now,
      commit: commit, behind: behind, in: state)
    if first == nil, resolved.secrets.keys.hasErasedEvents {
      try resolver.refuseErased(bytes, request, resolved, now: now, in: state)
    }
    return first
  }

  /// The term of a request's id.
  mutating func idTerm(
    _ bytes: Span<UInt8>, _ request: AppendRequest, _ secrets: TenantSecrets
  ) -> IDTerm {
    IDTerm(
      id: bytes.extracting(request.id.range), source: bytes.extracting(request.source.range),
      idKey: secrets.idKey, scratch: &message)
  }

  private mutating func noteID(_ term: IDTerm, _ bucket: Bucket, _ sequence: UInt64) {
    let fingerprint = term.fingerprint
    noteBucket(calendar.day)
    note(term.tag(in: bucket), bucket, sequence, 0)
    note(term.tag(in: calendar.day), calendar.day, sequence, fingerprint)
    commit.ids.insert(term, place: commit.places.count - 1)
    duplicates.filter.insert(fingerprint, calendar.day)
  }

  /// Notes whose record was sealed last.
  private mutating func own(_ tenant: TenantState, _ position: UInt64, _ stored: Int64) {
    if lastTouched < 0 || commit.touched[lastTouched].tenant !== tenant {
      lastTouched =
        commit.touched.firstIndex { $0.tenant === tenant } ?? commit.touched.count
      if lastTouched == commit.touched.count {
        commit.touched.append(
          SealedCommit.Touched(tenant: tenant, position: position, storedMilliseconds: stored))
      }
    }
    commit.touched[lastTouched].position = position
    commit.touched[lastTouched].storedMilliseconds = stored
    commit.owners.append((touched: Int32(lastTouched), position: position))
  }

  private mutating func noteBucket(_ bucket: Bucket) {
    if !buckets.contains(bucket) { buckets.append(bucket) }
  }

  /// Buckets of the commit's postings that have no key yet.
  func newBuckets(_ known: BucketKeys) -> [Bucket] {
    buckets.filter { !known.contains($0) }
  }

  /// Period and bucket of an event that is stored at `stored`.
  private mutating func place(
    _ stored: Int64, _ retentionClass: RetentionClass
  ) -> (Period, Bucket) {
    if calendar.move(to: stored, retentionClass) {
      noteBucket(calendar.bucket)
    }
    return (calendar.period, calendar.bucket)
  }
}

/// Period and buckets of the time asked for last: events of one commit nearly always share them.
private struct Calendar {
  private(set) var period = Period(unit: .day, index: 0)
  /// The month in which the event expires.
  private(set) var bucket = Bucket(month: 0)
  /// The day on which it is stored.
  private(set) var day = Bucket(dayContaining: 0)
  private var stored: Int64 = .min
  private var retentionClass: RetentionClass?

  /// False when the time and the class are those of the last call.
  mutating func move(to stored: Int64, _ retentionClass: RetentionClass) -> Bool {
    guard stored != self.stored || retentionClass !== self.retentionClass else { return false }
    (self.stored, self.retentionClass) = (stored, retentionClass)
    let policy = retentionClass.policy
    period = Period(unit: policy.unit, containing: stored)
    bucket = Bucket(
      containing: policy.retention(of: period.index).expiryMilliseconds(of: period))
    day = Bucket(dayContaining: stored)
    return true
  }
}

extension Appender {
  /// Makes the keys that the requests in `rest` need, in one commit of the keyring, and appends the
  /// group that was the first to miss one.
  mutating func appendWithNewKeys(
    _ bytes: Span<UInt8>, _ requests: [AppendRequest], _ results: inout [AppendResult],
    group: Range<Int>, rest: Range<Int>, now: Int64, in state: EngineState
  ) throws(StoreError) {
    var wanted: [NewKey] = []
    var known: Set<WantedName> = []
    var refusals: [Int: StoreError] = [:]
    for request in rest {
      do throws(StoreError) {
        try resolver.gather(
          bytes, requests[request], isAlone: isAlone(requests, request), now: now, in: state,
          index: index, log: log, &wanted, &known)
      } catch {
        refusals[request] = error
      }
    }
    if !wanted.isEmpty {
      try StoreError.translating { () throws(KeyringError) in
        _ = try state.keyring.addKeys(wanted)
      }
    }
    if append(bytes, requests, &results, group: group, now: now, in: state) { return }
    // A key is still missing because one of the group is refused before it gets one.
    guard group.contains(where: { refusals[$0] != nil }) else { throw .corrupt }
    for request in group { results[request].error = refusals[request] ?? .batchRefused }
  }

  private func isAlone(_ requests: [AppendRequest], _ index: Int) -> Bool {
    let group = requests[index].group
    return (index == 0 || requests[index - 1].group != group)
      && (index + 1 == requests.count || requests[index + 1].group != group)
  }
}
