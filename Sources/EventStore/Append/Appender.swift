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
  /// True when a group could not be sealed whole; then nothing of the commit may be stored.
  private(set) var isPoisoned = false
  let index: EventIndex
  let log: LogReader
  /// Where the tenant of the last event stands in the commit: neighbours mostly share it.
  private var lastTouched = -1
  private var calendar = Calendar()
  /// The period of the last event and its keys; valid for one commit.
  private var lastPeriod: PeriodID?
  private var periodKeys: PeriodKeys?

  init(suite: SingleUseAEAD.Suite, index: EventIndex, log: LogReader) {
    sealer = EventSealer(suite: suite)
    self.index = index
    self.log = log
  }

  /// Begins a commit in `commit`, which is empty.
  mutating func begin(_ commit: SealedCommit) {
    self.commit = commit
    sealer.begin()
    resolver.begin()
    (lastPeriod, periodKeys) = (nil, nil)
    isPoisoned = false
    lastTouched = -1
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
        guard let result = try seal(bytes, request, now: now, in: state) else { return false }
        results[group.lowerBound] = result
      } catch {
        results[group.lowerBound].error = error
      }
      return true
    }
    do throws(StoreError) {
      var refusedAt = group.lowerBound
      do throws(StoreError) {
        guard try allows(bytes, requests, group, now: now, &refusedAt, in: state) else {
          return false
        }
      } catch {
        results[refusedAt].error = error
        throw .batchRefused
      }
      for index in group {
        // Nothing can be refused any more: a failure here is the store's and fails the whole
        // commit, since half of the group may be sealed already.
        guard let result = try seal(bytes, requests[index], now: now, in: state) else {
          throw .corrupt
        }
        results[index] = result
      }
    } catch {
      if error != .batchRefused { isPoisoned = true }
      for index in group where results[index].error == nil {
        results[index].error = .batchRefused
      }
    }
    return true
  }

  /// Checks everything that can refuse an event of a group, with versions that count the group's own
  /// events; false when a name has no key yet.
  private mutating func allows(
    _ bytes: Span<UInt8>, _ requests: [AppendRequest], _ group: Range<Int>, now: Int64,
    _ refusedAt: inout Int, in state: EngineState
  ) throws(StoreError) -> Bool {
    var versions: [Slot: UInt64] = [:]
    for index in group {
      refusedAt = index
      let request = requests[index]
      guard
        let resolved = try resolver.resolve(
          bytes, request, now: now, in: state, index: self.index, log: log)
      else { return false }
      let version = versions[resolved.stream.slot] ?? resolved.stream.version
      guard request.expectation.allows(version) else {
        throw .wrongVersion(expected: request.expectation, actual: version)
      }
      versions[resolved.stream.slot] = version + 1
    }
    return true
  }

  /// Nil when a name has no key yet.
  private mutating func seal(
    _ bytes: Span<UInt8>, _ request: AppendRequest, now: Int64, in state: EngineState
  ) throws(StoreError) -> AppendResult? {
    guard
      let resolved = try resolver.resolve(
        bytes, request, now: now, in: state, index: index, log: log)
    else { return nil }
    let (tenant, secrets, stream) = (resolved.tenant, resolved.secrets, resolved.stream)
    let classNumber = resolved.retentionClass.number
    guard request.expectation.allows(stream.version) else {
      throw .wrongVersion(expected: request.expectation, actual: stream.version)
    }
    let stored = max(now, tenant.pendingStoredMilliseconds)
    let (period, bucket) = calendar.place(stored, resolved.retentionClass.retention)
    let position = tenant.pendingPosition + 1
    let version = stream.version + 1
    guard position <= Limits.positionMax else { throw .tooBig }
    let slots = resolved.slots
    let id = BaseID(
      tenant: tenant.number, generation: secrets.generation,
      classNumber: classNumber, period: period, stream: stream.slot, subjects: slots)
    guard let base = try state.base(id, tenant: tenant) else { throw .corrupt }
    let wanted = PeriodID(
      tenant: tenant.number, generation: secrets.generation, classNumber: classNumber,
      period: period)
    if wanted != lastPeriod {
      guard let found = try state.periodKeys(tenant, classNumber, period) else { throw .corrupt }
      (lastPeriod, periodKeys) = (wanted, found)
    }
    guard let periodKeys else { throw .corrupt }

    let sequence = commit.firstSequence + UInt64(commit.places.count)
    sealer.seal(
      body: bytes.extracting(request.body.range),
      routing: Routing(
        tenant: tenant.number, position: position, generation: secrets.generation,
        classNumber: classNumber, period: period),
      header: RecordHeader(
        stream: stream.slot, version: version, storedMilliseconds: stored, subjects: slots),
      tenantID: tenant.id, routingKeys: state.routing, headerKey: periodKeys.header,
      bases: state.bases, base: base, positions: &secrets.writePositions, into: commit)
    resolved.forEachSubject { subject in
      note(subject.term.tag(in: bucket), bucket, sequence, 0)
    }
    note(stream.term.tag(in: bucket), bucket, sequence, version)
    note(secrets.feed.tag(in: bucket), bucket, sequence, position)
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

  /// Buckets of the commit's postings that have no key yet.
  func newBuckets(_ known: BucketKeys) -> [Bucket] {
    var found: [Bucket] = []
    var last: Bucket?
    for posting in commit.postings where posting.bucket != last {
      last = posting.bucket
      if !known.contains(posting.bucket), !found.contains(posting.bucket) {
        found.append(posting.bucket)
      }
    }
    return found
  }
}

/// Period and bucket of the time asked for last: events of one commit nearly always share them.
private struct Calendar {
  private var stored: Int64 = .min
  private var retention = Retention(unit: .day, periods: 0)
  private var answer = (Period(unit: .day, index: 0), Bucket(month: 0))

  mutating func place(_ stored: Int64, _ retention: Retention) -> (Period, Bucket) {
    if stored != self.stored || retention != self.retention {
      let period = Period(unit: retention.unit, containing: stored)
      let bucket = Bucket(containing: retention.expiryMilliseconds(of: period))
      (self.stored, self.retention, answer) = (stored, retention, (period, bucket))
    }
    return answer
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
