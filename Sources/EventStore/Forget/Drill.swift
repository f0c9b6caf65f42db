package import EventModel
package import Keyring
import Sodium
package import Storage

/// What an old copy of the files still gives to somebody who has today's root.
package struct DrillReport: Sendable, Equatable {
  /// Records in the old copy's log.
  package var records: UInt64 = 0
  /// Events whose body opened.
  package var opened: UInt64 = 0
  /// Events that need a destroyed key: a person's, a stream's, a period's or a tenant's.
  package var erased: UInt64 = 0
  /// Records that are not what was written.
  package var damaged: UInt64 = 0
  /// Key nodes in the old copy, and how many of them today's root opens, directly or through what
  /// it opens.
  package var oldNodes: UInt64 = 0
  package var oldNodesOpened: UInt64 = 0

  package init() {}
}

/// Opens every record of an old copy with the keys of today: the drill behind every certificate.
///
/// Reads only, takes no locks, and works beside a running daemon.
package enum Drill {
  /// - Parameters:
  ///   - old: the copied data directory.
  ///   - data: today's data directory, whose keyring belongs to the root.
  package static func run(
    old: String, data: String, holders: RootHolders
  ) throws(OpeningError) -> DrillReport {
    do {
      let copy = try DataDirectory.open(path: old, isReadOnly: true)
      let today = try DataDirectory.open(path: data, isReadOnly: true)
      let keyring = try Keyring.openCopy(tables: try KeyringTables.open(today), holders: holders)
      let state = EngineState(keyring: keyring)
      let tables = try LogTables.open(copy)
      var report = try openRecords(tables, state)
      let closure = try KeyringClosure(
        snapshots: [try KeyringTables.open(copy)], holders: holders)
      report.oldNodes = UInt64(closure.nodeCount)
      report.oldNodesOpened = UInt64(closure.openedCount)
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

  private static func openRecords(
    _ tables: LogTables, _ state: EngineState
  ) throws(StoreError) -> DrillReport {
    var report = DrillReport()
    let log = LogReader(tables)
    let last = try StoreError.translatingStorage { () throws(StorageError) in
      try tables.read { (view) throws(StorageError) in try view.lastSequence() }
    }
    var next: UInt64 = 1
    var bytes: [UInt8] = []
    var places: [ByteRange] = []
    var plain: [UInt8] = []
    var eventKey = SecretBytes(zeroes: 64)
    while next <= last {
      let end = min(last, next + 255)
      try log.copyRecords(next...end, into: &bytes, &places)
      for place in places where !place.isEmpty {
        report.records += 1
        let record = bytes.span.extracting(place.range)
        do throws(StoreError) {
          if try opens(record, log, state, &eventKey, &plain) {
            report.opened += 1
          } else {
            report.erased += 1
          }
        } catch {
          report.damaged += 1
        }
      }
      next = end + 1
    }
    return report
  }

  private static func opens(
    _ record: Span<UInt8>, _ log: LogReader, _ state: EngineState, _ eventKey: inout SecretBytes,
    _ plain: inout [UInt8]
  ) throws(StoreError) -> Bool {
    guard let (routing, header) = try log.open(record, state: state),
      let tenant = state.tenants[routing.tenant]
    else { return false }
    let id = BaseID(
      tenant: routing.tenant, generation: routing.generation, classNumber: routing.classNumber,
      period: routing.period, stream: header.stream, subjects: header.subjects)
    guard let base = try state.base(id, tenant: tenant) else { return false }
    let secrets = try tenant.open(state.keyring)
    let count = RecordOpener.open(
      record, subjectCount: header.subjects.count, base: state.bases.key(at: base),
      leaf: secrets.readPositions.leaf(routing.position), tenantID: tenant.id,
      position: routing.position, eventKey: &eventKey, into: &plain)
    guard count != nil else { throw .corrupt }
    return true
  }
}
