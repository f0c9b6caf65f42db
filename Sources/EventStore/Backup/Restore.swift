import EventModel
package import Keyring
import Sodium
import Storage

/// What a restore found and made.
package struct RestoreReport: Sendable {
  /// The restored events, opened with the keyring.
  package var log = LogScanReport()
  package var tenants: UInt64 = 0
  /// The keyring's epoch, which is the root's.
  package var epoch: UInt64 = 0
  /// Acknowledged events that the backup does not have; nil when nothing is left that tells.
  package var lost: UInt64?

  package init() {}
}

/// Makes a store of a backup, today's keyring and today's root.
///
/// ```
/// marker -> keyring copied, walked, opened with the root -> log copied, walked, read to its end
///        -> new lineages and generations, the ledger -> new lineage of the log -> FORMAT
/// ```
/// Nothing outside the new directory is written before the keyring's new lineages, and nothing
/// opens the directory as a store before `FORMAT` is there. A crash leaves what the next restore into
/// the same directory removes.
package struct Restore {
  private let backup: DataDirectory
  private let keyringPath: String
  private let holders: RootHolders
  private let now: Int64
  private let abandonsRotation: Bool

  /// Restores the backup in `path` into the directory `data`.
  ///
  /// `keyring` is a data directory or a backup with a newer keyring than the backup's own;
  /// `abandonsRotation` goes on although a holder has a newer root than the keyring.
  package static func run(
    from path: String, keyring: String?, data: String, holders: RootHolders,
    abandonsRotation: Bool, now: Int64
  ) throws(OpeningError) -> RestoreReport {
    let backup: DataDirectory
    let source: DataDirectory?
    let target: DataDirectory
    do throws(StorageError) {
      backup = try DataDirectory.openBackup(path: path)
      // A daemon that goes on would change the keyring while it is copied.
      source = try Self.source(keyring, of: backup.id)
      target = try DataDirectory.beginRestoring(path: data, id: backup.id)
    } catch { throw .storage(error) }
    defer { withExtendedLifetime(source) {} }
    let restore = Restore(
      backup: backup, keyringPath: keyring ?? path, holders: holders.partial, now: now,
      abandonsRotation: abandonsRotation)
    do throws(OpeningError) {
      let report = try restore.run(target)
      try storage { () throws(StorageError) in try target.finishRestoring() }
      return report
    } catch {
      try? target.abandonRestoring()
      throw error
    }
  }

  private static func source(
    _ path: String?, of id: StoreID
  ) throws(StorageError) -> DataDirectory? {
    // The replica of a holder behind a socket is not a directory of this host.
    guard let path, !RemoteHolder.isSocket(path) else { return nil }
    let format = try FormatFile.read(in: path)
    guard format.id == id else { throw .otherStore }
    return switch format.kind {
    case .store: try DataDirectory.open(path: path)
    case .backup: try DataDirectory.openBackup(path: path)
    }
  }

  private func run(_ target: DataDirectory) throws(OpeningError) -> RestoreReport {
    var report = RestoreReport()
    let tables = try takeKeyring(target)
    let state: EngineState
    do throws(KeyringError) {
      let keyring = try Keyring.openReading(data: target, tables: tables, holders: holders)
      if try keyring.isRotationUnfinished(), !abandonsRotation {
        throw .storageRolledBack(storage: keyring.epoch, root: keyring.epoch + 1)
      }
      state = try Self.state(keyring)
    } catch { throw .keyring(error) }
    report.epoch = state.keyring.epoch
    report.tenants = UInt64(state.tenants.count)

    try take("log", from: backup.path, target)
    let logTables = try Self.storage { () throws(StorageError) in try LogTables.open(target) }
    let scan = try read(logTables, state, &report)
    do throws(KeyringError) {
      let keyring = try Keyring.open(data: target, tables: tables, holders: holders)
      TestHooks.crashPoint("restore.lineage.before")
      #if DEBUG
        if TestHooks.isVariant("lineage-kept") { return report }
      #endif
      let noted = try keyring.beginLineages(
        behind: scan.lastPositions, storedThrough: scan.lastMilliseconds, now: now,
        actor: .daemon)
      try tellErased(scan.erasedPositions, noted, logTables, keyring)
      try beginLineage(logTables, keyring, next: state.nextSequence)
      keyring.shipReplicas()
    } catch { throw .keyring(error) }
    return report
  }

  private static func state(_ keyring: Keyring) throws(KeyringError) -> EngineState {
    do { return try EngineState(keyring: keyring) } catch { throw .corrupt }
  }

  private func takeKeyring(_ target: DataDirectory) throws(OpeningError) -> KeyringTables {
    guard RemoteHolder.isSocket(keyringPath) else {
      try take("keyring", from: keyringPath, target)
      return try Self.storage { () throws(StorageError) in try KeyringTables.open(target) }
    }
    let tables = try Self.storage { () throws(StorageError) in try KeyringTables.open(target) }
    do throws(KeyringError) {
      try RemoteHolder.fetchReplica(keyringPath, store: target.id, into: tables)
    } catch { throw .keyring(error) }
    return tables
  }

  /// Copies one file and walks the copy: what is opened is what was walked.
  private func take(
    _ name: String, from path: String, _ target: DataDirectory
  ) throws(OpeningError) {
    let file = "\(name)/data.mdb"
    try Self.storage { () throws(StorageError) in
      try FileCopy.run(from: "\(path)/\(file)", to: "\(target.path)/\(file)")
    }
    TestHooks.crashPoint("restore.copied")
    _ = try PageWalk.run(name, of: target.path)
  }

  /// Ends the log where its state says and opens every record.
  private func read(
    _ tables: LogTables, _ state: EngineState, _ report: inout RestoreReport
  ) throws(OpeningError) -> LogScan {
    do throws(StoreError) {
      let sealed = try StoreError.translatingStorage { () throws(StorageError) in
        try tables.read { (view) throws(StorageError) in try view.sealedState()?.array }
      }
      // Without a state the first run of the backup was not finished.
      guard let sealed else { throw .corrupt }
      guard let found = LogState(sealed.span, key: state.logState) else { throw .corrupt }
      guard found.keyringVersion <= state.keyring.version else { throw .rolledBack }
      try StoreError.translatingStorage { () throws(StorageError) in
        try tables.truncate(from: found.nextSequence)
      }
      state.nextSequence = found.nextSequence
      var scan = LogScan(LogReader(tables, traces: state.traces), state)
      try scan.run(through: found.nextSequence - 1)
      report.log = scan.report
      guard report.log.gaps == 0 else { throw .corrupt }
      report.lost = lost(state)
      return scan
    } catch { throw .log(error) }
  }

  /// How far the log of the directory that the keyring came from reached beyond the backup.
  private func lost(_ state: EngineState) -> UInt64? {
    guard keyringPath != backup.path, (try? PageWalk.run("log", of: keyringPath)) != nil,
      let directory = try? DataDirectory.open(path: keyringPath, isReadOnly: true),
      let tables = try? LogTables.open(directory),
      let sealed = try? tables.read({ (view) throws(StorageError) in try view.sealedState()?.array }
      ),
      let found = LogState(sealed.span, key: state.logState)
    else { return nil }
    return found.nextSequence - min(found.nextSequence, state.nextSequence)
  }

  /// Tells projections what is erased in what was restored: the acts that the backup does not know of
  /// are told nowhere else.
  private func tellErased(
    _ erased: [TenantNumber: [ClosedRange<UInt64>]],
    _ noted: [TenantNumber: (index: UInt64, planHash: [UInt8])], _ tables: LogTables,
    _ keyring: Keyring
  ) throws(KeyringError) {
    let state = try Self.state(keyring)
    for (number, ranges) in erased {
      guard let note = noted[number], let tenant = state.tenants[number] else { continue }
      do {
        let lineage = try tenant.open(keyring).keys.lineage
        try tables.putErasures(
          try ErasureLog.rows(
            ranges, of: number, from: ErasureRow.base(ofLineage: lineage) + 1, now: now,
            ledgerIndex: note.index, planHash: note.planHash, state))
      } catch let error as StorageError {
        throw .storage(error)
      } catch {
        throw .corrupt
      }
    }
  }

  /// From now on the log needs the keyring that has the new lineages.
  private func beginLineage(
    _ tables: LogTables, _ keyring: Keyring, next: UInt64
  ) throws(KeyringError) {
    let state = try Self.state(keyring)
    let sealed = state.sealedLogState(nextSequence: next)
    do { try tables.beginLineage(Random.bytes(16), sealedState: sealed.span) } catch {
      throw .storage(error)
    }
  }

  private static func storage<Result>(
    _ body: () throws(StorageError) -> Result
  ) throws(OpeningError) -> Result {
    do { return try body() } catch { throw .storage(error) }
  }
}
