import CLinux
import Dispatch
import EventModel
import Keyring
import Sodium
import Storage
import Synchronization

/// The one thread that changes the store: it gathers what waits into one transaction, one fsync,
/// and answers only then.
///
/// Order of a commit: keys of new names (`keyring/`) -> records (`log/`) -> tail of the index and
/// heads in memory -> answers. A crash between the first two leaves keys that no event needs; a
/// crash after the second leaves events that were not acknowledged.
final class Writer: @unchecked Sendable {
  private let shared: SharedEngine
  private let queue: WorkQueue
  private let control: ControlPlane
  private var appender: Appender
  private var sealedState: [UInt8] = []

  init(shared: SharedEngine, queue: WorkQueue) {
    self.shared = shared
    self.queue = queue
    control = ControlPlane(shared: shared)
    appender = Appender(suite: shared.suite, index: shared.index, log: shared.log)
  }

  /// Runs until the queue is closed and empty.
  func run() {
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
          work.completion(perform(work))
        case .stop:
          isRunning = false
        }
      }
      commit(batches)
    }
  }

  private func perform(_ work: ControlWork) -> Result<ControlAnswer, StoreError> {
    do throws(StoreError) {
      return .success(try control.perform(work.act, actor: work.actor))
    } catch {
      return .failure(error)
    }
  }

  /// Appends the batches' events in one transaction and answers them.
  private func commit(_ batches: [AppendBatch]) {
    guard !batches.isEmpty else { return }
    shared.waitForTail()
    for batch in batches {
      batch.results = Array(repeating: AppendResult(), count: batch.requests.count)
    }
    do throws(StoreError) {
      try seal(batches)
      if appender.isPoisoned { throw .corrupt }
      if TestHooks.variant == "ack-before-commit" {
        acknowledge(batches)
        Self.pauseMilliseconds(3)
        try store()
        return
      }
      try store()
      acknowledge(batches)
    } catch {
      fail(batches, error)
    }
  }

  /// Seals in slices, so that readers get the lock in between.
  private func seal(_ batches: [AppendBatch]) throws(StoreError) {
    let now = shared.clock()
    shared.withState { _ in
      for tenant in appender.touched { tenant.secrets?.purgeNames() }
    }
    appender.begin()
    for batch in batches {
      var start = 0
      while start < batch.requests.count {
        var end = start
        while end < batch.requests.count, end - start < 256 { end = Self.groupEnd(batch, end) }
        try shared.withState { (state) throws(StoreError) in
          if let failure = state.failure { throw failure }
          try appender.prepareKeys(batch, start..<end, now: now, in: state)
          var group = start
          while group < end {
            let next = Self.groupEnd(batch, group)
            appender.append(batch, group: group..<next, now: now, in: state)
            group = next
          }
        }
        start = end
      }
    }
  }

  private static func groupEnd(_ batch: AppendBatch, _ start: Int) -> Int {
    let group = batch.requests[start].group
    var end = start + 1
    while end < batch.requests.count, batch.requests[end].group == group { end += 1 }
    return end
  }

  /// Makes what was sealed durable, then visible.
  private func store() throws(StoreError) {
    let count = appender.sealer.places.count
    guard count > 0 else { return }
    let (first, sealed) = try shared.withState { (state) throws(StoreError) -> (UInt64, [UInt8]) in
      let missing = appender.newBuckets(state.bucketKeys)
      if !missing.isEmpty {
        try StoreError.translating { () throws(KeyringError) in
          try state.keyring.ensureBuckets(missing)
          for bucket in missing { try state.bucketKeys.note(bucket, state.keyring) }
        }
      }
      let next = state.nextSequence + UInt64(count)
      return (state.nextSequence, state.sealedLogState(nextSequence: next))
    }
    try StoreError.translatingStorage { () throws(StorageError) in
      let (records, places) = (appender.sealer.records, appender.sealer.places)
      try shared.logTables.append(
        records.span, ranges: places, firstSequence: first, sealedState: sealed.span)
    }
    shared.withState { state in
      state.publish(appender.touched, records: count, lastRecordHash: appender.lastRecordHash)
      shared.index.publish(appender.postings)
    }
    shared.publishHandler.withLock { $0 }?(appender.touched.map(\.number))
  }

  private func acknowledge(_ batches: [AppendBatch]) {
    for batch in batches { batch.completion(batch) }
  }

  /// Answers the failure to every event that was not refused for a reason of its own.
  private func fail(_ batches: [AppendBatch], _ error: StoreError) {
    shared.withState { state in
      state.rollBack(appender.touched)
      if error == .ioFailure { state.failure = .readOnly }
    }
    for batch in batches {
      for index in batch.results.indices where batch.results[index].error == nil {
        batch.results[index] = AppendResult(error: error)
      }
      batch.completion(batch)
    }
  }

  static func pauseMilliseconds(_ count: Int) {
    _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(count))
  }
}

extension EngineState {
  /// The log's sealed state (Docs/Format.md, section 5), under a fresh nonce.
  func sealedLogState(nextSequence: UInt64) -> [UInt8] {
    var plain: [UInt8] = []
    plain.appendBigEndian(nextSequence, bytes: 8)
    plain.appendBigEndian(keyring.version, bytes: 8)
    plain.append(contentsOf: repeatElement(0, count: 48))
    return LogState.seal(plain, logState)
  }
}

/// The sealed state of the log: what is next and which keys the records need.
struct LogState {
  let nextSequence: UInt64
  let keyringVersion: UInt64

  static let context = KeyDerivation.Context("LT1.log.seal")
  static let label = Array("state".utf8)

  static func seal(_ plain: [UInt8], _ key: borrowing SecretBytes) -> [UInt8] {
    let nonce = Random.bytes(SealedMessage.nonceBytes)
    return SealedMessage.seal(
      plain.span, key: key.bytes, context: context, label: label.span, nonce: nonce.span)
  }

  /// Opens what ``EngineState/sealedLogState(nextSequence:)`` sealed; nil when it was changed.
  init?(_ sealed: Span<UInt8>, key: borrowing SecretBytes) {
    guard
      let plain = SealedMessage.open(
        sealed, key: key.bytes, context: Self.context, label: Self.label.span),
      plain.count == 64
    else { return nil }
    nextSequence = plain.bytes.bigEndian(at: 0, bytes: 8)
    keyringVersion = plain.bytes.bigEndian(at: 8, bytes: 8)
  }
}
