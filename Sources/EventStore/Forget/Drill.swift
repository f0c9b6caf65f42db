package import Keyring
import Sodium
import Storage

/// What an old copy of the files still gives to somebody who has today's root.
package struct DrillReport: Sendable, Equatable {
  /// The old copy's log, opened with today's keys.
  package var log = LogScanReport()
  /// True when the root opens the copy's own keyring, that is, when no root was erased since.
  package var copyOpens = false
  /// Key nodes in the copy, and how many of them the root opens, directly or through what it opens.
  package var oldNodes: UInt64 = 0
  package var oldNodesOpened: UInt64 = 0

  package init() {}
}

/// Opens every record of an old copy with the keys of today: the drill behind every certificate.
///
/// Reads only, takes no locks, and works beside a running daemon.
package enum Drill {
  /// Opens the copy in `old` with the keyring of `data`, today's directory, to which the root
  /// belongs.
  package static func run(
    old: String, data: String, holders: RootHolders
  ) throws(OpeningError) -> DrillReport {
    for name in ["log", "keyring"] { _ = try PageWalk.run(name, of: old) }
    do {
      let copy = try DataDirectory.open(path: old, isReadOnly: true)
      let today = try DataDirectory.open(path: data, isReadOnly: true)
      let keyring = try Keyring.openReading(
        data: today, tables: try KeyringTables.open(today), holders: holders)
      let tables = try LogTables.open(copy)
      let last = try tables.read { (view) throws(StorageError) in try view.lastSequence() }
      let state = try EngineState(keyring: keyring)
      var scan = LogScan(LogReader(tables, traces: state.traces), state)
      try scan.run(through: last)
      var report = DrillReport()
      report.log = scan.report
      report.copyOpens = opens(copy, holders)
      let snapshot = try KeyringTables.open(copy)
      report.oldNodes = try snapshot.read { (view) throws(StorageError) in
        UInt64(try view.nodeCount())
      }
      let closure = try KeyringClosure(
        store: copy.id, snapshots: [snapshot], holderPaths: holders.paths)
      report.oldNodesOpened = UInt64(closure.nodesOpened)
      return report
    } catch let error as StorageError {
      throw .storage(error)
    } catch let error as KeyringError {
      throw .keyring(error)
    } catch let error as StoreError {
      throw .log(error)
    } catch {
      throw .log(.corrupt)
    }
  }

  /// Tries the root on the copy's own keyring.
  private static func opens(_ copy: DataDirectory, _ holders: RootHolders) -> Bool {
    do {
      _ = try Keyring.openReading(
        data: copy, tables: try KeyringTables.open(copy), holders: holders)
      return true
    } catch {
      return false
    }
  }
}
