import Keyring
import Sodium
import Storage
import Synchronization

/// How the store is doing: what `INFO` shows to everybody, so nothing of tenants or persons.
package struct StoreHealth: Hashable, Sendable {
  /// True after a device failure: nothing is written until a restart.
  package let isReadOnly: Bool
  /// True when the data device has no room for another event.
  package let isFull: Bool
  /// Postings that are in memory only; a restart reads their events again.
  package let indexTail: Int
  /// True when the last flush of the index failed.
  package let isIndexFailing: Bool
  package let rootHolderCount: Int
  /// Holders that are not there: erasures wait for them, and they do not protect against a loss.
  package let missingHolderCount: Int
  /// Holders on media that keep what was overwritten: erasures are of class E0.
  package let weakHolderCount: Int
  /// Holders that are lost together with the data.
  package let besideDataCount: Int
  /// True while an old root may still be in a holder.
  package let isErasurePending: Bool
  /// False when keys may be swapped to a disk.
  package let isMemoryLocked: Bool
}

extension EventStore {
  /// How the store is doing; cheap and callable from any thread.
  package var health: StoreHealth {
    let (holders, count, isPending) = shared.withState { state in
      let keyring = state.keyring
      return (keyring.holderReport, keyring.holderCount, keyring.isErasureUnconfirmed)
    }
    var isFull = false
    do { try shared.logTables.checkRoom(for: 0) } catch { isFull = true }
    return StoreHealth(
      isReadOnly: !shared.logTables.mayWrite, isFull: isFull, indexTail: shared.index.tailCount,
      isIndexFailing: shared.indexFailure.withLock { $0 != nil }, rootHolderCount: count,
      missingHolderCount: count - holders.count(where: \.isPresent),
      weakHolderCount: holders.count { $0.medium.weakness != nil },
      besideDataCount: holders.count(where: \.isOnDataFileSystem), isErasurePending: isPending,
      isMemoryLocked: SecretArena.isLocked)
  }
}
