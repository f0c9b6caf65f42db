import Dispatch
import EventModel
import Storage
import Synchronization
import TransparencyLog

/// Moves the index's tail to the disk and merges its segments, beside the writer.
///
/// At least every 30 s, and whenever the tail is a quarter full; so rebuilding at start is short.
/// Merging yields to flushes.
final class IndexThread: Sendable {
  /// Postings in the tail that are worth a flush.
  static let flushPostings = 1_000_000
  static let intervalSeconds = 30

  private let shared: SharedEngine
  private let ended = DispatchGroup()
  private let isStopping = Mutex(false)
  /// What a flush that failed wanted to write.
  private let unfinished = Mutex<Flush?>(nil)

  /// The heads that belong to a frozen tail.
  private struct Flush: Sendable {
    let state: FlushState
    let tenants: [TenantFlush]
  }

  init(shared: SharedEngine) { self.shared = shared }

  func start() {
    DispatchQueue(label: "lethe.index", qos: .utility).async(group: ended) { [self] in run() }
  }

  /// Flushes what is left and ends the thread.
  func stop() {
    isStopping.withLock { $0 = true }
    shared.indexWanted.signal()
    ended.wait()
  }

  private func run() {
    var deadline = Self.nextDeadline
    removeSegmentsWithoutKey()
    // What cannot be read now, the first checkpoint of the ledger will say.
    _ = try? shared.ledger.log(shared)
    var filling: FilterFill? = FilterFill(shared.index)
    while true {
      _ = shared.indexWanted.wait(timeout: min(deadline, .now() + .milliseconds(200)))
      let isLast = isStopping.withLock { $0 }
      let isFull = shared.index.tailCount >= Self.flushPostings
      if isFull || isLast || DispatchTime.now() >= deadline {
        flush()
        deadline = Self.nextDeadline
      }
      if isLast { return }
      fillFilter(&filling, until: deadline)
      // What the filter is filled from must stay in its place.
      if filling == nil {
        removeEndedBuckets()
        merge()
      }
    }
  }

  private static var nextDeadline: DispatchTime {
    #if DEBUG
      // For tests that compare stores which take longer than others to fill.
      if TestHooks.isVariant("flush-when-full") { return .distantFuture }
    #endif
    return .now() + .seconds(intervalSeconds)
  }

  /// Writes the tail and the heads that belong to it in one transaction.
  ///
  /// A failure leaves the tail in memory: it serves reads and is tried again; nothing is lost, since
  /// the index can be rebuilt from the log.
  private func flush() {
    guard let wanted = unfinished.withLock({ $0 }) ?? freeze() else { return }
    do {
      // A posting takes 20 bytes; the pages around it and the states are well within twice that.
      try shared.index.tables.checkRoom(for: shared.index.tailCount * 40)
      try shared.index.flush(state: wanted.state, tenants: wanted.tenants)
      shared.withState { state in
        for tenant in wanted.tenants { state.tenants[tenant.number]?.frozenLeaves = nil }
      }
      unfinished.withLock { $0 = nil }
      shared.indexFailure.withLock { $0 = nil }
    } catch {
      // The frozen tail and the heads of its moment belong together: both are kept.
      unfinished.withLock { $0 = wanted }
      let failure = StoreError(error)
      shared.indexFailure.withLock { $0 = failure }
    }
  }

  private func freeze() -> Flush? {
    shared.movingHeads.withLock { _ in
      let isFrozen = shared.index.freeze()
      return shared.withState { (state) -> Flush? in
        guard isFrozen, let hash = state.lastRecordHash else { return nil }
        let tenants = state.tenants.values.filter(\.isTouched).map { $0.freeze() }
        let reached = FlushState(sequence: state.nextSequence - 1, recordHash: hash)
        return Flush(state: reached, tenants: tenants)
      }
    }
  }

  /// Puts the ids that the disk had at start into the filter, between flushes.
  private func fillFilter(_ filling: inout FilterFill?, until deadline: DispatchTime) {
    while filling != nil, !isStopping.withLock({ $0 }), DispatchTime.now() < deadline,
      shared.index.tailCount < Self.flushPostings
    {
      // Without the filter every id is looked up: slower, and as right.
      let isUnderWay = try? filling?.step(blocks: 64, into: shared.filter)
      if isUnderWay != true { filling = nil }
    }
  }

  /// A merge takes as much again as it reads, some MiB at a time.
  private var hasRoomToMerge: Bool {
    (try? shared.index.tables.checkRoom(for: 8 << 20)) != nil
  }

  private var hasEndedBuckets: Bool { shared.endedBuckets.withLock { !$0.isEmpty } }

  /// Drops the segments of buckets that ended; what fails is dropped at the next start.
  private func removeEndedBuckets() {
    let ended = shared.endedBuckets.withLock { exchange(&$0, with: []) }
    guard !ended.isEmpty else { return }
    try? shared.index.removeBuckets { ended.contains($0) }
  }

  /// The same for those that ended just before the daemon did.
  private func removeSegmentsWithoutKey() {
    let keys = shared.withState(\.bucketKeys)
    try? shared.index.removeBuckets { !keys.contains($0) }
  }

  private func merge() {
    while !isStopping.withLock({ $0 }), shared.index.tailCount < Self.flushPostings,
      hasRoomToMerge, !hasEndedBuckets
    {
      var records = PurgedRecords(shared.logTables)
      // A failed merge changes nothing and is tried again at the next turn.
      let isDone = try? shared.index.mergeOne(
        shouldYield: {
          shared.index.tailCount >= Self.flushPostings || !hasRoomToMerge || hasEndedBuckets
        },
        keep: { records.keeps($0) })
      guard isDone == true else { return }
    }
  }
}

extension TenantState {
  /// What a flush writes; what comes from now on belongs to the next one.
  func freeze() -> TenantFlush {
    let frozen = TenantFlush(number: number, state: committed.encoded, leaves: leaves)
    frozenLeaves = leaves
    leaves = LogTail(start: committed.frontier.count)
    isTouched = false
    return frozen
  }
}

extension LogHead {
  /// A tenant's state as the index keeps it (Docs/Format.md, section 6): 1,600 bytes.
  var encoded: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendBigEndian(position, bytes: 8)
    bytes.appendBigEndian(UInt64(storedMilliseconds), bytes: 8)
    frontier.encode(to: &bytes)
    bytes.append(contentsOf: repeatElement(0, count: Self.encodedBytes - bytes.count))
    return bytes
  }

  static let encodedBytes = 1_600

  /// Reads what ``encoded`` wrote; nil when it cannot be that.
  init?(_ bytes: [UInt8]) {
    guard bytes.count == Self.encodedBytes,
      let frontier = Frontier(bytes.span, at: 16)
    else { return nil }
    position = bytes.span.bigEndian(at: 0, bytes: 8)
    storedMilliseconds = Int64(clamping: bytes.span.bigEndian(at: 8, bytes: 8))
    self.frontier = frontier
  }
}
