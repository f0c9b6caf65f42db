package import EventModel
import Dispatch
import Keyring
import Sodium
import Storage

/// A page of a tenant's access log.
package struct AccessPage: Sendable {
  /// Each line with the number of its block and when the daemon's run began.
  package let rows: [(block: UInt64, runMilliseconds: Int64, row: AccessRow)]
  /// The block to go on behind; nil at the end.
  package let next: UInt64?
}

extension AccessLog {
  /// The lines of blocks behind `after`, whole blocks until there are at least `limit` lines.
  func page(
    _ tenant: TenantNumber, after: UInt64, limit: Int, _ engine: SharedEngine
  ) throws(StoreError) -> AccessPage {
    var rows: [(block: UInt64, runMilliseconds: Int64, row: AccessRow)] = []
    var last = after
    var isOver = true
    try forEachBlock(tenant, from: { (walk, first) in max(after + 1, first) }, engine) { block in
      guard rows.count < limit else {
        isOver = false
        return false
      }
      last = block.number
      rows += block.rows.map { (block.number, block.runMilliseconds, $0) }
      return true
    }
    return AccessPage(rows: rows, next: isOver ? nil : last)
  }

  /// Calls `body` with the lines of whole minutes that lie in the window, oldest first.
  func forEach(
    _ tenant: TenantNumber, from: Int64, through: Int64, _ engine: SharedEngine,
    _ body: (AccessRow, _ runMilliseconds: Int64) -> Void
  ) throws(StoreError) {
    let day = Period(unit: .day, containing: from).index
    let end = Period(unit: .day, containing: through).index
    try forEachBlock(
      tenant, from: { (walk, _) throws(StoreError) in try walk.firstNumber(from: day) }, engine
    ) { block in
      for row in block.rows
      where row.lastMilliseconds >= from && row.firstMilliseconds <= through {
        body(row, block.runMilliseconds)
      }
      // A day further, for a clock that went back at midnight.
      return block.day <= end || block.day - end <= 1
    }
  }

  private func forEachBlock(
    _ tenant: TenantNumber,
    from start: (AccessWalk, _ first: UInt64) throws(StoreError) -> UInt64,
    _ engine: SharedEngine, _ body: (AccessBlock) -> Bool
  ) throws(StoreError) {
    let found = try engine.withState {
      (state) throws(StoreError) -> (outer: SealingKey, keys: AccessKeys)? in
      guard let known = state.tenants[tenant] else { throw .noTenant }
      guard let keys = try state.accessKeys(tenant) else { return nil }
      return (AccessBlock.outerKey(mapKey: try known.open(state.keyring).keys.mapKey), keys)
    }
    guard let found else { return }
    let walk = AccessWalk(logTables, found.outer, firstNumber: found.keys.firstNumber)
    var number = try start(walk, found.keys.firstNumber)
    var (day, inner) = (UInt32.max, SealingKey?.none)
    while let sealed = try walk.block(number) {
      if sealed.day != day {
        day = sealed.day
        inner = found.keys.inner(day: day)
      }
      number += 1
      // Its day was forgotten.
      guard let inner else { continue }
      guard let block = sealed.opened(inner) else { throw .corrupt }
      guard body(block) else { return }
    }
  }
}

extension EventStore {
  /// Notes replies that are about to leave; true when they may at once.
  ///
  /// Else `completion` is called, on another thread, when the access log has them on the disk, or with
  /// why that cannot be: then they must not leave.
  package func noteAccess(
    _ records: [AccessRecord], mustWait: Bool = false,
    completion: @escaping @Sendable (StoreError?) -> Void
  ) -> Bool {
    shared.accessLog.note(
      records, mustWait: mustWait, now: shared.clock(), completion: completion)
  }

  /// True when every reply of the tenant's must wait for the access log; not on an event loop.
  package func isStrict(_ tenant: TenantNumber) throws(StoreError) -> Bool {
    try shared.accessLog.isStrict(tenant, shared)
  }

  /// Waits until everything that was noted is on the disk; never on an event loop or the writer's thread.
  package func flushAccess() throws(StoreError) { try shared.accessLog.flush(shared.clock()) }

  /// The lines of the tenant's access log of whole minutes that lie in the window, oldest first.
  ///
  /// What was noted and is not on the disk is written first.
  package func accessRows(
    _ tenant: TenantNumber, from: Int64, through: Int64, _ body: (AccessRow) -> Void
  ) throws(StoreError) {
    try flushAccess()
    try shared.accessLog.forEach(tenant, from: from, through: through, shared) { row, _ in
      body(row)
    }
  }
}

extension AccessLog {
  /// Waits until everything that was noted is on the disk.
  func flush(_ now: Int64) throws(StoreError) {
    let answer = FlushAnswer()
    let isDone = note([], mustWait: true, now: now) { error in
      answer.error = error
      answer.done.signal()
    }
    guard !isDone else { return }
    answer.done.wait()
    if let error = answer.error { throw error }
  }

  /// Written before its semaphore is signalled, read after.
  private final class FlushAnswer: @unchecked Sendable {
    let done = DispatchSemaphore(value: 0)
    var error: StoreError?
  }
}
