import EventModel
package import Keyring
import Sodium
import Storage

/// What `lethed root status` tells.
package struct RootStatusReport: Sendable {
  package let epoch: UInt64
  /// Those that the store has.
  package let count: Int
  /// Those that were named.
  package let holders: [HolderStatus]
  /// Numbers of those that were not, or are missing.
  package let unnamed: [UInt8]
  /// True while an old root may still be in a holder.
  package let isPending: Bool

  fileprivate init(_ keyring: Keyring) {
    epoch = keyring.epoch
    count = keyring.holderCount
    holders = keyring.holderReport
    unnamed = keyring.missingHolders.filter { number in
      !keyring.holderReport.contains { $0.number == number }
    }
    isPending = keyring.isErasureUnconfirmed
  }
}

/// Changes the root's holders of a store that no daemon runs on.
///
/// Not thread-safe.
package struct RootAdministration {
  private let directory: DataDirectory
  private let keyring: Keyring
  private let uid: UInt32
  private let now: Int64

  /// Opens the keyring with the holders that are there; one is enough.
  ///
  /// `uid` is who does it, for the ledger.
  package static func open(
    path: String, holders: RootHolders, uid: UInt32, now: Int64
  ) throws(OpeningError) -> RootAdministration {
    let (directory, tables) = try storage { () throws(StorageError) in
      let directory = try DataDirectory.open(path: path)
      return (directory, try KeyringTables.open(directory))
    }
    do throws(KeyringError) {
      return RootAdministration(
        directory: directory,
        keyring: try Keyring.open(data: directory, tables: tables, holders: holders.partial),
        uid: uid, now: now)
    } catch { throw .keyring(error) }
  }

  /// The same for looking only, beside a daemon.
  package static func look(
    path: String, holders: RootHolders
  ) throws(OpeningError) -> RootStatusReport {
    let (directory, tables) = try storage { () throws(StorageError) in
      let directory = try DataDirectory.open(path: path, isReadOnly: true)
      return (directory, try KeyringTables.open(directory))
    }
    do throws(KeyringError) {
      return RootStatusReport(
        try Keyring.openReading(data: directory, tables: tables, holders: holders.partial))
    } catch { throw .keyring(error) }
  }

  private static func storage<Result>(
    _ body: () throws(StorageError) -> Result
  ) throws(OpeningError) -> Result {
    do { return try body() } catch { throw .storage(error) }
  }

  package var status: RootStatusReport { RootStatusReport(keyring) }

  /// Replaces the root and nothing else.
  package func rotate() throws(KeyringError) {
    _ = try keyring.rotate(
      Removal(), entry: LedgerEntry(timeMilliseconds: now, act: .rootRotated, actor: .uid(uid)))
  }

  /// Makes one more holder.
  package func add(_ path: String) throws(KeyringError) {
    try keyring.addHolder(path, now: now, actor: .uid(uid))
    keyring.shipReplicas()
  }

  /// Overwrites a holder and takes it out.
  package func remove(_ path: String) throws(KeyringError) {
    try keyring.removeHolder(path, now: now, actor: .uid(uid))
    keyring.shipReplicas()
  }

  /// Seals a holder's root under the factor in a file, or under none.
  package func rewrap(
    _ path: String, _ kind: RootFactor?, file: String?
  ) throws(KeyringError) {
    var secret: SecretBytes?
    if let kind, let file { secret = try RootFactors.read(kind, path: file) }
    try keyring.rewrapHolder(path, kind, secret: secret, now: now, actor: .uid(uid))
    keyring.shipReplicas()
  }

  /// Takes a holder out that nobody can bring any more.
  package func removeLost(_ number: UInt8) throws(KeyringError) {
    try keyring.removeLostHolder(number: number, now: now, actor: .uid(uid))
  }
}
