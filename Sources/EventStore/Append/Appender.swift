import CLinux
import EventModel
import Keyring
import Sodium
import Storage
import TransparencyLog

/// Turns requests into sealed records and their postings: the pure middle of a commit.
///
/// Used by the writer's thread only, under the engine's lock. Nothing here is visible to readers
/// until the commit succeeded; ``EngineState/rollBack(_:)`` undoes it when it did not.
struct Appender: ~Copyable {
  var sealer: EventSealer
  private var resolver = NameResolver()
  /// What the index learns when the commit succeeded.
  private(set) var postings: [TaggedPosting] = []
  /// Tenants that have new events in this commit.
  private(set) var touched: [TenantState] = []
  /// The hash of the newest record sealed.
  private(set) var lastRecordHash: RecordHash?
  /// True when a group could not be sealed whole; then nothing of the commit may be stored.
  private(set) var isPoisoned = false
  private let index: EventIndex
  private let log: LogReader

  init(suite: SingleUseAEAD.Suite, index: EventIndex, log: LogReader) {
    sealer = EventSealer(suite: suite)
    self.index = index
    self.log = log
  }

  mutating func begin() {
    sealer.begin()
    postings.removeAll(keepingCapacity: true)
    touched.removeAll(keepingCapacity: true)
    lastRecordHash = nil
    isPoisoned = false
  }

  /// Makes the keys that the requests in `range` need and that do not exist, in one commit.
  mutating func prepareKeys(
    _ batch: AppendBatch, _ range: Range<Int>, now: Int64, in state: EngineState
  ) throws(StoreError) {
    var wanted: [NewKey] = []
    var known: Set<WantedName> = []
    for index in range where batch.results[index].error == nil {
      do throws(StoreError) {
        try gatherKeys(batch, index, now: now, in: state, &wanted, &known)
      } catch {
        batch.results[index].error = error
      }
    }
    guard !wanted.isEmpty else { return }
    try StoreError.translating { () throws(KeyringError) in
      _ = try state.keyring.addKeys(wanted)
    }
  }

  /// A name that has no key yet, so that a batch asks for each once.
  private struct WantedName: Hashable {
    let tenant: TenantNumber
    let tag: Tag128
  }

  private mutating func gatherKeys(
    _ batch: AppendBatch, _ index: Int, now: Int64, in state: EngineState, _ wanted: inout [NewKey],
    _ known: inout Set<WantedName>
  ) throws(StoreError) {
    let request = batch.requests[index]
    guard let tenant = state.tenants[request.tenant] else { throw .noTenant }
    guard !tenant.isSuspended else { throw .suspended }
    let secrets = try tenant.open(state.keyring)
    guard let retentionClass = secrets.retentionClass(named: batch.bytes.span.extracting(request.className.range))
    else { throw .unknownClass }
    let today = UInt16(clamping: now / 86_400_000)
    for subject in 0..<Int(request.subjectCount) {
      let id = batch.bytes[request.subjects[subject].range]
      let tag = resolver.tag(.subject, retentionClass.number, id, secrets.keys)
      guard try resolver.subject(tag, id: id, tenant: tenant, today: today, in: state) == nil else {
        continue
      }
      if known.insert(WantedName(tenant: tenant.number, tag: tag)).inserted {
        wanted.append(NewKey(tenant: tenant.number, kind: .subject, tag: tag))
      }
    }
    let name = batch.bytes[request.stream.range]
    let tag = resolver.tag(.stream, .default, name, secrets.keys)
    let stream = try resolver.stream(tag, tenant: tenant, in: state, index: self.index, log: log)
    if stream == nil {
      // Alone in its group, a request that expects events is refused before a key is made for it.
      if !request.expectation.allows(0), isAlone(batch, index) {
        throw .wrongVersion(expected: request.expectation, actual: 0)
      }
      if known.insert(WantedName(tenant: tenant.number, tag: tag)).inserted {
        wanted.append(NewKey(tenant: tenant.number, kind: .stream, tag: tag))
      }
    }
  }

  private func isAlone(_ batch: AppendBatch, _ index: Int) -> Bool {
    let group = batch.requests[index].group
    return (index == 0 || batch.requests[index - 1].group != group)
      && (index + 1 == batch.requests.count || batch.requests[index + 1].group != group)
  }

  /// Seals the requests of one group, or none of them when one is refused.
  mutating func append(
    _ batch: AppendBatch, group: Range<Int>, now: Int64, in state: EngineState
  ) {
    var failed: Int?
    if let first = group.first(where: { batch.results[$0].error != nil }) {
      failed = first
    } else if group.count == 1 {
      failed = appendOne(batch, group.lowerBound, now: now, in: state) ? nil : group.lowerBound
    } else {
      failed = refused(batch, group, in: state)
      if failed == nil {
        // Nothing can be refused any more: a failure here is the store's and fails the whole commit,
        // since half of the group is sealed already.
        for index in group where !appendOne(batch, index, now: now, in: state) {
          failed = index
          isPoisoned = true
        }
      }
    }
    guard failed != nil else { return }
    for index in group where batch.results[index].error == nil {
      batch.results[index].error = .batchRefused
    }
  }

  /// Checks the expectations of a group against versions that count the group's own events; the
  /// index of the first that is refused, or nil.
  private mutating func refused(
    _ batch: AppendBatch, _ group: Range<Int>, in state: EngineState
  ) -> Int? {
    var versions: [WantedName: UInt64] = [:]
    for index in group {
      let request = batch.requests[index]
      do throws(StoreError) {
        guard let tenant = state.tenants[request.tenant] else { throw .noTenant }
        let secrets = try tenant.open(state.keyring)
        let tag = resolver.tag(
          .stream, .default, batch.bytes[request.stream.range], secrets.keys)
        let stream = try resolver.stream(
          tag, tenant: tenant, in: state, index: self.index, log: log)
        let name = WantedName(tenant: tenant.number, tag: tag)
        let version = versions[name] ?? stream?.version ?? 0
        guard request.expectation.allows(version) else {
          throw .wrongVersion(expected: request.expectation, actual: version)
        }
        versions[name] = version + 1
      } catch {
        batch.results[index].error = error
        return index
      }
    }
    return nil
  }

  private mutating func appendOne(
    _ batch: AppendBatch, _ index: Int, now: Int64, in state: EngineState
  ) -> Bool {
    do throws(StoreError) {
      batch.results[index] = try seal(batch, batch.requests[index], now: now, in: state)
      return true
    } catch {
      batch.results[index].error = error
      return false
    }
  }

  private mutating func seal(
    _ batch: AppendBatch, _ request: AppendRequest, now: Int64, in state: EngineState
  ) throws(StoreError) -> AppendResult {
    guard let tenant = state.tenants[request.tenant] else { throw .noTenant }
    guard !tenant.isSuspended else { throw .suspended }
    let secrets = try tenant.open(state.keyring)
    guard let retentionClass = secrets.retentionClass(named: batch.bytes.span.extracting(request.className.range))
    else { throw .unknownClass }
    let streamTag = resolver.tag(
      .stream, .default, batch.bytes[request.stream.range], secrets.keys)
    guard
      let stream = try resolver.stream(
        streamTag, tenant: tenant, in: state, index: index, log: log)
    else { throw .corrupt }
    guard request.expectation.allows(stream.version) else {
      throw .wrongVersion(expected: request.expectation, actual: stream.version)
    }
    let stored = max(now, tenant.pending.storedMilliseconds)
    let period = Period(unit: retentionClass.retention.unit, containing: stored)
    let bucket = Bucket(containing: retentionClass.retention.expiryMilliseconds(of: period))
    let position = tenant.pending.position + 1
    let version = stream.version + 1
    guard position <= Limits.positionMax else { throw .tooBig }

    var slots = SubjectSlots()
    let sequence = state.nextSequence + UInt64(sealer.places.count)
    let firstPosting = postings.count
    for subject in 0..<Int(request.subjectCount) {
      let id = batch.bytes[request.subjects[subject].range]
      let tag = resolver.tag(.subject, retentionClass.number, id, secrets.keys)
      guard
        let person = try resolver.subject(
          tag, id: id, tenant: tenant, today: UInt16(clamping: now / 86_400_000), in: state)
      else { throw .corrupt }
      guard !slots.contains(person.slot) else { continue }
      slots.append(person.slot)
      postings.append(
        TaggedPosting(
          tag: person.term.tag(in: bucket), bucket: bucket,
          posting: Posting(sequence: sequence, ordinal: 0)))
    }
    postings.append(
      TaggedPosting(
        tag: stream.term.tag(in: bucket), bucket: bucket,
        posting: Posting(sequence: sequence, ordinal: version)))
    postings.append(
      TaggedPosting(
        tag: secrets.feed.tag(in: bucket), bucket: bucket,
        posting: Posting(sequence: sequence, ordinal: position)))

    let id = BaseID(
      tenant: tenant.number, generation: secrets.keys.generation,
      classNumber: retentionClass.number, period: period, stream: stream.slot, subjects: slots)
    guard let base = try state.base(id, tenant: tenant),
      let periodKeys = try state.periodKeys(tenant, retentionClass.number, period)
    else {
      postings.removeLast(postings.count - firstPosting)
      throw .corrupt
    }
    let place = sealer.seal(
      body: batch.bytes[request.body.range],
      routing: Routing(
        tenant: tenant.number, position: position, generation: secrets.keys.generation,
        classNumber: retentionClass.number, period: period),
      header: RecordHeader(
        stream: stream.slot, version: version, storedMilliseconds: stored, subjects: slots),
      tenantID: tenant.id, routingKeys: state.routing, headerKey: periodKeys.header,
      bases: state.bases, base: base, positions: &secrets.writePositions)

    if tenant.pending.position == tenant.committed.position { touched.append(tenant) }
    let recordHash = RecordHash.sha256(sealer.record(at: place))
    tenant.pending.frontier.append(LeafHash(position: position, recordHash: recordHash))
    tenant.pending.position = position
    tenant.pending.storedMilliseconds = stored
    stream.version = version
    if slots.count == 0 { tenant.impersonalCount += 1 }
    lastRecordHash = recordHash
    return AppendResult(position: position, version: version, storedMilliseconds: stored)
  }

  /// Buckets of the postings that have no key yet.
  func newBuckets(_ known: BucketKeys) -> [Bucket] {
    var found: [Bucket] = []
    var last: Bucket?
    for posting in postings where posting.bucket != last {
      last = posting.bucket
      if !known.contains(posting.bucket), !found.contains(posting.bucket) {
        found.append(posting.bucket)
      }
    }
    return found
  }
}

extension EngineState {
  /// Forgets what a failed commit had counted; numbering goes on after the last durable position.
  func rollBack(_ touched: [TenantState]) {
    for tenant in touched {
      tenant.pending = tenant.committed
      tenant.secrets?.streams.removeAll()
    }
  }

  /// Makes what was appended visible: it is durable now.
  func publish(_ touched: [TenantState], records: Int, lastRecordHash hash: RecordHash?) {
    for tenant in touched {
      tenant.committed = tenant.pending
      tenant.isTouched = true
    }
    nextSequence += UInt64(records)
    lastRecordHash = hash
  }
}
