package import EventModel
import Sodium
import Storage

/// The keyring as `KEY STATUS` shows it.
package struct KeyringStatus: Sendable {
  package let epoch: UInt64
  package let version: UInt64
  package let nodeCount: Int
  package let tenantCount: Int
  /// Bytes in use by the tables' file.
  package let usedBytes: Int
  package let ledgerCount: UInt64
  package let holders: [HolderStatus]
  /// True while an old root may still be in a holder.
  package let isErasurePending: Bool
  /// False when the system refused to lock some of the secret memory: keys may be swapped.
  package let isMemoryLocked: Bool
  /// By which everybody can check the store's certificates.
  package let publicKey: [UInt8]
  /// When today's root, and when the store with its signing key, were made: milliseconds since 1970.
  package let rootBegunMilliseconds: Int64
  package let createdMilliseconds: Int64
}

extension Keyring {
  /// What the keyring and its holders are like now.
  package func status() throws(KeyringError) -> KeyringStatus {
    let nodeCount = try tables.read { (view) throws(KeyringError) in
      do throws(StorageError) { return try view.nodeCount() } catch { throw .storage(error) }
    }
    return KeyringStatus(
      epoch: epoch, version: version, nodeCount: nodeCount, tenantCount: tenants.count,
      usedBytes: tables.usedBytes, ledgerCount: top.nextLedgerIndex - 1, holders: holderReport,
      isErasurePending: isErasurePending, isMemoryLocked: SecretArena.isLocked,
      publicKey: publicKey, rootBegunMilliseconds: try rootBegun(),
      createdMilliseconds: try ledgerEntries(from: 1, limit: 1).first?.entry.timeMilliseconds ?? 0)
  }

  /// True while an old root may still be in a holder.
  package var isErasureUnconfirmed: Bool { isErasurePending }

  /// How many holders the store has, those that are missing included.
  package var holderCount: Int { holders.table.entries.count }

  /// Writes one line of the ledger in a commit of its own.
  package func appendLedger(_ entry: LedgerEntry) throws(KeyringError) {
    try add(entry: entry) { _, _, _ in }
  }

  /// The last time that was believed and committed: milliseconds since 1970, nil in a new store.
  package var timeMark: Int64? { top.timeMark == 0 ? nil : top.timeMark }

  /// Commits a time that is believed, with a line of the ledger when somebody has vouched for it.
  package func setTimeMark(
    _ milliseconds: Int64, entry: LedgerEntry? = nil
  ) throws(KeyringError) {
    try add(entry: entry) { top, _, _ in top.timeMark = milliseconds }
  }

  /// The index that the ledger's next line gets; those before it are there.
  package var nextLedgerIndex: UInt64 { top.nextLedgerIndex }

  /// At most `limit` lines of the ledger from index `first` (1 or more) on, with their indices.
  package func ledgerEntries(
    from first: UInt64, limit: Int
  ) throws(KeyringError) -> [(index: UInt64, entry: LedgerEntry)] {
    guard first < top.nextLedgerIndex else { return [] }
    let end = min(top.nextLedgerIndex, max(1, first) + UInt64(max(0, limit)))
    return try tables.read { (view) throws(KeyringError) in
      var found: [(index: UInt64, entry: LedgerEntry)] = []
      var index = max(1, first)
      while index < end {
        found.append((index, try ledgerEntry(index, in: view)))
        index += 1
      }
      return found
    }
  }

  /// The bytes of at most `limit` lines from index `first` (1 or more) on; nil for a line that is
  /// missing or damaged.
  package func ledgerRows(from first: UInt64, limit: Int) throws(KeyringError) -> [[UInt8]?] {
    let end = min(top.nextLedgerIndex, first + UInt64(max(0, limit)))
    return try tables.read { (view) throws(KeyringError) in
      var found: [[UInt8]?] = []
      for index in first..<max(first, end) {
        do throws(KeyringError) {
          found.append(try ledgerEntry(index, in: view).plain)
        } catch {
          guard error == .corrupt else { throw error }
          found.append(nil)
        }
      }
      return found
    }
  }

  private func ledgerEntry(
    _ index: UInt64, in view: borrowing KeyringView
  ) throws(KeyringError) -> LedgerEntry {
    let sealed: Span<UInt8>?
    do throws(StorageError) { sealed = try view.ledgerEntry(index) } catch {
      throw .storage(error)
    }
    guard let sealed,
      let entry = LedgerEntry(sealed, key: ledgerKey, store: id, index: index)
    else { throw .corrupt }
    return entry
  }
}
