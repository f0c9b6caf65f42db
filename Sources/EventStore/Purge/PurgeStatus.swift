import EventModel
import Keyring
import Sodium
import Storage
import Synchronization

/// How far the ciphertext of what was destroyed has been dropped.
package struct PurgeStatus: Hashable, Sendable {
  /// Acts that destroyed keys and whose records are still there.
  package let outstandingActs: UInt64
  /// When the first of them was done: milliseconds since 1970.
  package let outstandingSinceMilliseconds: Int64?
  /// Records whose ciphertext was dropped, of all time.
  package let recordCount: UInt64
  /// When it was last done: milliseconds since 1970.
  package let lastMilliseconds: Int64?
}

extension SharedEngine {
  func purgeStatus() throws(StoreError) -> PurgeStatus {
    let state = purgeState.withLock { $0 }
    let work = try PurgeWork(ledgerOf: self, after: state.acts)
    if work.isEmpty, state.sweepNext == 0 {
      // Nobody reads these lines twice.
      purgeState.withLock { $0.acts = max($0.acts, work.newestAct) }
    }
    return PurgeStatus(
      outstandingActs: work.actCount, outstandingSinceMilliseconds: work.sinceMilliseconds,
      recordCount: state.records,
      lastMilliseconds: state.doneMilliseconds > 0 ? state.doneMilliseconds : nil)
  }

  /// Purges what was destroyed up to now; answers how many records that were.
  ///
  /// One thread at a time.
  func purge(
    mayGoOn: @escaping (PurgeRun.Turn) -> Bool = { _ in true }
  ) throws(StoreError) -> UInt64 {
    var run = PurgeRun(shared: self, mayGoOn: mayGoOn)
    defer { StackDebris.wipe() }
    return try run.run()
  }
}

extension PurgeState {
  /// As `log/` has it; from the beginning when it has none, or one that is damaged: nothing is lost by it.
  init(stored tables: LogTables, _ state: EngineState) {
    let sealed = try? tables.read { (view) throws(StorageError) in try view.purgeState()?.array }
    guard let sealed, let found = PurgeState(sealed.span, key: state.logState) else {
      self.init()
      return
    }
    self = found
  }
}
