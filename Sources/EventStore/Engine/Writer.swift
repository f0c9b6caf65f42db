import EventModel
import Keyring
import Sodium
import Storage

/// The one thread that decides and numbers: it seals what waits, all of it into one commit, and hands
/// it to the committer.
///
/// Order of a commit: keys of new names (`keyring/`) -> records (`log/`) -> memory -> answers. A
/// crash between the first two leaves keys that no event needs; a crash after the second leaves
/// events that were not acknowledged. While the committer syncs one commit, the next is sealed; when
/// a commit fails, the one sealed behind it fails too and numbering goes on after the last durable
/// position.
final class Writer: @unchecked Sendable {
  private let shared: SharedEngine
  private let queue: WorkQueue
  private let control: ControlPlane
  private let committer: Committer
  private var appender: Appender
  /// Two commits take turns: one is sealed, the other made durable.
  private var commits = (SealedCommit(), SealedCommit())
  /// The sequence that the next record gets, what is being committed included.
  private var nextSequence: UInt64
  private var mayHaveTooManyNames = false

  init(shared: SharedEngine, queue: WorkQueue) {
    self.shared = shared
    self.queue = queue
    control = ControlPlane(shared: shared)
    committer = Committer(shared: shared)
    appender = Appender(
      suite: shared.suite, index: shared.index, log: shared.log, filter: shared.filter)
    nextSequence = shared.withState { $0.nextSequence }
  }

  /// Runs until the queue is closed and empty.
  func run() {
    committer.start()
    finishCertificates()
    var isRunning = true
    while isRunning {
      var batches: [AppendBatch] = []
      var events = 0
      var bytes = 0
      for work in queue.takeAll() {
        switch work {
        case .append(let batch):
          batches.append(batch)
          events += batch.requests.count
          bytes += batch.bytes.count
          guard events >= Limits.commitEventsMax || bytes >= Limits.commitBytesMax else { continue }
          commit(batches)
          (batches, events, bytes) = ([], 0, 0)
        case .control(let work):
          commit(batches)
          (batches, events, bytes) = ([], 0, 0)
          settle()
          appender.forget()
          let result = perform(work)
          StackDebris.wipe()
          work.completion(result)
        case .access: break  // below, with what else there is
        case .stop:
          isRunning = false
        }
      }
      commit(batches)
      writeAccess()
      finishCertificates()
    }
    settle()
    writeAccess(evenIfNotDue: true)
    committer.stop()
  }

  /// When the acts have been answered: nobody waits for a certificate.
  private func finishCertificates() {
    // What could not be finished is tried again after the next work, and at start.
    do throws(StoreError) { try control.finishCertificates() } catch {}
  }

  /// Writes what is due of the access log and did not go along with a commit.
  private func writeAccess(evenIfNotDue: Bool = false) {
    guard evenIfNotDue || shared.accessLog.isDue else { return }
    _ = committer.waitUntilIdle()
    guard let batch = shared.accessLog.take(shared) else { return }
    do throws(StorageError) {
      let sealedState = shared.withState { $0.sealedLogState(nextSequence: $0.nextSequence) }
      try shared.logTables.checkRoom(forAccess: batch.byteCount)
      try shared.logTables.putAccess(batch.entries, sealedState: sealedState.span)
      shared.accessLog.finish(batch)
    } catch {
      if case .ioFailure = error { shared.withState { $0.failure = .readOnly } }
      shared.accessLog.fail(batch, StoreError(error))
    }
  }

  private func perform(_ work: ControlWork) -> Result<ControlAnswer, StoreError> {
    do throws(StoreError) {
      return .success(try control.perform(work.act, actor: work.actor, survey: work.survey))
    } catch {
      if let refusal = work.refusal(error) {
        let tenant = work.act.tenantName.flatMap { name in
          shared.withState { $0.tenantsByName[name] }
        }
        shared.note(refusal, work.actor, tenant: tenant ?? .none)
      }
      return .failure(error)
    }
  }

  /// Waits until nothing is being committed; takes back what was numbered behind a failure.
  private func settle() {
    guard committer.waitUntilIdle() != nil else { return }
    rollBack()
    committer.forgetFailure()
  }

  private func rollBack() {
    // What failed was not stored; of what did not fail the index knows.
    commits.0.ids.removeAll()
    commits.1.ids.removeAll()
    nextSequence = shared.withState { state in
      state.rollBack()
      return state.nextSequence
    }
  }

  /// Seals the batches' events and hands them over.
  private func commit(_ batches: [AppendBatch]) {
    guard !batches.isEmpty else { return }
    if mayHaveTooManyNames { purgeNames() }
    let commit = commits.0
    commit.removeAll()
    commit.batches = batches
    commit.firstSequence = nextSequence
    for batch in batches {
      batch.results = Array(repeating: AppendResult(), count: batch.requests.count)
    }
    do throws(StoreError) {
      try shared.waitForTail()
      let bytes = batches.reduce(0) { $0 + $1.bytes.count + 512 * $1.requests.count }
      try StoreError.translatingStorage { () throws(StorageError) in
        try shared.logTables.checkRoom(for: bytes)
      }
      try seal(commit)
      guard !appender.isPoisoned else { throw .corrupt }
      // Before the state is sealed: it may need a key of its own.
      if !commit.places.isEmpty { commit.access = shared.accessLog.take(shared) }
      try prepare(commit)
    } catch {
      commit.giveAccessBack(shared.accessLog)
      // What this commit numbered is taken back when nothing else is under way.
      if committer.waitUntilIdle() != nil { committer.forgetFailure() }
      rollBack()
      commit.answer(error)
      return
    }
    nextSequence += UInt64(commit.places.count)
    if let error = committer.take(commit) {
      commit.giveAccessBack(shared.accessLog)
      rollBack()
      committer.forgetFailure()
      commit.answer(error)
      return
    }
    commits = (commits.1, commits.0)
  }

  /// Seals in slices, so that readers get the lock in between.
  private func seal(_ commit: SealedCommit) throws(StoreError) {
    let now = shared.clock()
    appender.begin(commit, behind: commits.1)
    for batch in commit.batches {
      // Moved out and back: results are written in place, one after the other.
      let (bytes, requests) = (batch.bytes, batch.requests)
      var results = exchange(&batch.results, with: [])
      defer { batch.results = results }
      var start = 0
      while start < requests.count {
        var end = start
        while end < requests.count, end - start < 256 { end = Self.groupEnd(requests, end) }
        try seal(bytes.span, requests, &results, start..<end, now: now)
        start = end
      }
    }
  }

  private func seal(
    _ bytes: Span<UInt8>, _ requests: [AppendRequest], _ results: inout [AppendResult],
    _ slice: Range<Int>, now: Int64
  ) throws(StoreError) {
    try shared.withState { (state) throws(StoreError) in
      if let failure = state.failure { throw failure }
      var group = slice.lowerBound
      while group < slice.upperBound {
        let next = Self.groupEnd(requests, group)
        if !appender.append(
          bytes, requests, &results, group: group..<next, now: now, in: state)
        {
          try appender.appendWithNewKeys(
            bytes, requests, &results, group: group..<next, rest: group..<slice.upperBound,
            now: now, in: state)
          mayHaveTooManyNames = true
        }
        group = next
      }
    }
  }

  private static func groupEnd(_ requests: [AppendRequest], _ start: Int) -> Int {
    let group = requests[start].group
    var end = start + 1
    while end < requests.count, requests[end].group == group { end += 1 }
    return end
  }

  /// Makes the keys of new months and the state that goes with the records.
  private func prepare(_ commit: SealedCommit) throws(StoreError) {
    commit.sealedState = try shared.withState { (state) throws(StoreError) -> [UInt8] in
      let missing = appender.newBuckets(state.bucketKeys)
      if !missing.isEmpty {
        try StoreError.translating { () throws(KeyringError) in
          try state.keyring.ensureBuckets(missing)
          for bucket in missing { try state.bucketKeys.note(bucket, state.keyring) }
        }
      }
      return state.sealedLogState(
        nextSequence: commit.firstSequence + UInt64(commit.places.count))
    }
  }

  /// Lets go of names, which hold versions that are not durable yet, when nothing is under way.
  private func purgeNames() {
    mayHaveTooManyNames = false
    let isNeeded = shared.withState { state in
      state.tenants.values.contains { $0.secrets?.hasTooManyNames ?? false }
    }
    guard isNeeded else { return }
    settle()
    shared.withState { state in
      for tenant in state.tenants.values where tenant.secrets?.hasTooManyNames ?? false {
        tenant.secrets?.purgeNames()
      }
    }
  }
}

extension EngineState {
  /// Forgets what failed commits had counted; numbering goes on after the last durable position.
  func rollBack() {
    for tenant in tenants.values where tenant.pendingPosition != tenant.committed.position {
      tenant.pendingPosition = tenant.committed.position
      tenant.pendingStoredMilliseconds = tenant.committed.storedMilliseconds
      tenant.secrets?.purgeNames()
    }
  }
}
