package import EventModel
package import Sodium
import Storage

/// Changes of the set of holders; for a store that no daemon runs on.
extension Keyring {
  /// Adds a holder: it gets today's root.
  ///
  /// Order: its file, without a root -> the table in the top, committed with the ledger -> the root. A
  /// crash before the commit leaves an empty file, which adding again takes; one behind it a holder that
  /// opening gives its root. At no time has a file a root that the table does not know of.
  package func addHolder(
    _ path: String, now: Int64, actor: LedgerEntry.Actor
  ) throws(KeyringError) {
    guard holders.table.entries.count < Limits.rootHoldersMax else { throw .tooManyHolders }
    guard holders.place(path) == nil else { throw .rootExists }
    let made = try holders.make(path, now: now)
    if path.hasPrefix(RemoteHolder.prefix) { try beginJournal() }
    let before = holders.table
    holders.table.add(confirmed: 0)
    do {
      try appendLedger(
        LedgerEntry(
          timeMilliseconds: now, act: .rootHolderAdded, actor: actor,
          result: made.medium.weakness == nil ? 0 : 1, count: UInt64(made.header.index)))
    } catch {
      holders.table = before
      throw error
    }
    try holders.add(made, path: path)
    TestHooks.crashPoint("root.added")
    guard try settle() else { throw .erasureUnconfirmed }
  }

  /// Takes a holder out that is there: both its slots are overwritten first.
  ///
  /// Order: every other holder that is there has today's root alone -> the slots -> the table,
  /// committed with the ledger. A crash in between leaves a holder that opening gives the root again.
  package func removeHolder(
    _ path: String, now: Int64, actor: LedgerEntry.Actor
  ) throws(KeyringError) {
    guard let place = holders.place(path) else { throw .rootHolderSetWrong }
    _ = try settle()
    guard let holder = place.holder else { throw place.failure ?? .rootMissing }
    let others = holders.places.contains { other in
      other !== place && other.number.flatMap(holders.table.confirmedEpoch) == epoch
        && other.holder != nil
    }
    guard others else { throw .lastHolder }
    for epoch in [epoch, epoch + 1] { try holder.erase(epoch: epoch) }
    try commitWithout(
      holder.header.index,
      LedgerEntry(
        timeMilliseconds: now, act: .rootHolderRemoved, actor: actor,
        count: UInt64(holder.header.index)))
  }

  /// Takes a holder out that nobody can bring any more.
  ///
  /// What it has opens old copies up to its epoch for ever; so the root is replaced in the same commit,
  /// and the ledger says that nobody overwrote what it has.
  package func removeLostHolder(
    number: UInt8, now: Int64, actor: LedgerEntry.Actor
  ) throws(KeyringError) {
    guard holders.table.contains(number) else { throw .rootHolderSetWrong }
    guard !holders.places.contains(where: { $0.number == number && $0.holder != nil }),
      holders.table.entries.count > 1
    else { throw .lastHolder }
    let before = holders.table
    holders.table.remove(number)
    do {
      _ = try rotate(
        Removal(),
        entry: LedgerEntry(
          timeMilliseconds: now, act: .rootHolderRemoved, actor: actor, result: 1,
          count: UInt64(number)))
    } catch {
      if error != .erasureUnconfirmed { holders.table = before }
      throw error
    }
    holders.remove(number)
  }

  /// Seals a holder's root under another factor, or under none.
  ///
  /// The root is replaced: the new one goes into the other slot, sealed anew, and what was sealed under the
  /// old factor is overwritten. So a crash leaves one of both, and an old passphrase opens nothing.
  package func rewrapHolder(
    _ path: String, _ kind: RootFactor?, secret: consuming SecretBytes?, now: Int64,
    actor: LedgerEntry.Actor
  ) throws(KeyringError) {
    guard let place = holders.place(path), let number = place.number else {
      throw .rootHolderSetWrong
    }
    guard place.holder != nil else { throw place.failure ?? .rootMissing }
    let (before, old) = (place.factor, epoch)
    var next = SlotFactor.none
    if let kind, let secret = secret.take() {
      next = .fresh(kind)
      try holders.factors.prepare(secret, for: next)
    }
    place.factor = next
    do {
      _ = try rotate(
        Removal(),
        entry: LedgerEntry(
          timeMilliseconds: now, act: .rootRewrapped, actor: actor,
          result: kind?.rawValue ?? 0, count: UInt64(number)))
    } catch {
      if epoch == old { place.factor = before }
      throw error
    }
  }

  /// From now on commits are noted for the replicas.
  func beginJournal() throws(KeyringError) {
    do { try tables.beginJournal() } catch { throw .storage(error) }
  }

  /// Says that a daemon runs, which must not wait for a network: what it takes to reach the holders
  /// behind sockets is done by ``remoteWork()``, elsewhere.
  package func beginServing() { holders.isServing = true }

  /// Nil when there are no holders behind sockets.
  package func remoteWork() -> RemoteWork? { holders.hasRemotes ? holders.remoteWork : nil }

  /// Brings every replica up to the last commit, where that is possible now.
  package func shipReplicas() {
    for holder in holders.present { try? holder.takeReplica(of: tables) }
  }

  /// Takes holders that ``RemoteWork/run(_:)`` found; they are settled the next time.
  package func offer(_ found: [RemoteHolder]) {
    for holder in found { holders.offer(holder, epoch: epoch) }
  }

  private func commitWithout(_ number: UInt8, _ entry: LedgerEntry) throws(KeyringError) {
    let before = holders.table
    holders.table.remove(number)
    do { try appendLedger(entry) } catch {
      holders.table = before
      throw error
    }
    holders.remove(number)
  }

  /// The numbers of holders that the store has and that were named nowhere or are not there.
  package var missingHolders: [UInt8] {
    let present = holders.places.filter { $0.holder != nil }.compactMap(\.number)
    return holders.table.entries.map(\.number).filter { !present.contains($0) }
  }

  /// The epoch that a holder, present or not, confirmed last, as far as is known.
  package func confirmedEpoch(ofHolder number: UInt8) -> UInt64? {
    holders.table.confirmedEpoch(number)
  }
}
