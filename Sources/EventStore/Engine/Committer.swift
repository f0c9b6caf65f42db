import Dispatch
import EventModel
import Storage
import Synchronization
import TransparencyLog

/// Makes sealed commits durable, one after the other; large ones on a thread of its own.
///
/// Order: records and state in one transaction with one fsync -> heads, frontiers and the index's
/// tail in memory -> answers. Nothing is visible or answered before the fsync has succeeded.
final class Committer: @unchecked Sendable {
  private let shared: SharedEngine
  private let handedOver = DispatchSemaphore(value: 0)
  private let idle = DispatchSemaphore(value: 1)
  private let ended = DispatchGroup()
  /// Touched by the writer while the committer is idle, and by the committer otherwise.
  private var commit: SealedCommit?
  private var failure: StoreError?
  private var leaves: [LeafHash] = []

  init(shared: SharedEngine) { self.shared = shared }

  func start() {
    DispatchQueue(label: "lethe.committer", qos: .userInitiated).async(group: ended) { [self] in
      while run() {}
    }
  }

  /// Waits until nothing is under way; answers why the last commit failed, or nil.
  func waitUntilIdle() -> StoreError? {
    idle.wait()
    defer { idle.signal() }
    return failure
  }

  /// Waits for the commit before, then takes this one; false, with why, when that one failed: then
  /// what was sealed behind it has numbers that will never be, and must be failed too.
  func take(_ next: SealedCommit) -> StoreError? {
    idle.wait()
    if let failure {
      idle.signal()
      return failure
    }
    guard next.places.count >= Self.overlapEvents else {
      // A small commit costs its fsync and little else: handing it over costs more than it saves.
      perform(next)
      idle.signal()
      return nil
    }
    commit = next
    handedOver.signal()
    return nil
  }

  /// Commits of at least so many events are synced while the next is sealed.
  private static let overlapEvents = 96

  /// The writer has taken back what was numbered behind a failed commit.
  func forgetFailure() {
    idle.wait()
    failure = nil
    idle.signal()
  }

  /// Ends the thread when all is done.
  func stop() {
    idle.wait()
    handedOver.signal()
    ended.wait()
    // A semaphore must not end below the value that it began with.
    idle.signal()
  }

  private func run() -> Bool {
    handedOver.wait()
    guard let commit else { return false }
    self.commit = nil
    perform(commit)
    idle.signal()
    return true
  }

  private func perform(_ commit: SealedCommit) {
    do throws(StoreError) {
      #if DEBUG
        if TestHooks.isVariant("ack-before-commit") {
          commit.answer(nil)
          commit.batches = []
          Self.pauseMilliseconds(3)
        }
      #endif
      // Refusals and duplicates change nothing, so there is nothing to sync.
      if !commit.places.isEmpty { try store(commit) }
      commit.answer(nil)
      if let access = commit.access { shared.accessLog.finish(access) }
      commit.access = nil
    } catch {
      shared.withState { state in
        if error == .ioFailure { state.failure = .readOnly }
      }
      failure = error
      commit.answer(error)
      commit.giveAccessBack(shared.accessLog)
    }
  }

  private func store(_ commit: SealedCommit) throws(StoreError) {
    let (records, sealedState) = (commit.records, commit.sealedState)
    var lastHash: RecordHash?
    leaves.removeAll(keepingCapacity: true)
    for (place, owner) in zip(commit.places, commit.owners) {
      let hash = RecordHash.sha256(records.span.extracting(place.range))
      leaves.append(LeafHash(position: owner.position, recordHash: hash))
      lastHash = hash
    }
    do throws(StorageError) {
      try shared.logTables.append(
        records.span, ranges: commit.places, firstSequence: commit.firstSequence,
        sealedState: sealedState.span, access: commit.access?.entries ?? [])
    } catch {
      throw StoreError(error)
    }
    // Only this thread moves frontiers, so they may be read here without the lock.
    var growths = commit.touched.map { LogGrowth($0.tenant.committed.frontier) }
    for (leaf, owner) in zip(leaves, commit.owners) {
      growths[Int(owner.touched)].append(leaf)
    }
    let moved = growths
    // Postings and heads move together, so that a flush writes both as of one commit.
    shared.movingHeads.withLock { _ in
      shared.index.publish(commit.postings)
      shared.withState { state in
        for (touched, growth) in zip(commit.touched, moved) {
          touched.tenant.committed.position = touched.position
          touched.tenant.committed.storedMilliseconds = touched.storedMilliseconds
          touched.tenant.committed.frontier = growth.frontier
          touched.tenant.leaves.append(growth.added)
          touched.tenant.isTouched = true
        }
        state.nextSequence = commit.firstSequence + UInt64(commit.places.count)
        state.lastRecordHash = lastHash
      }
    }
  }

  static func pauseMilliseconds(_ count: Int) {
    _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(count))
  }
}
