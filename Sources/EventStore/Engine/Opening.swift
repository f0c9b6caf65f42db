import CLinux
import EventModel
package import Keyring
import Sodium
package import Storage
import TransparencyLog

/// What stands between a directory and a running store; each case says whose move it is.
package enum OpeningError: Error, Sendable {
  /// The data directory. The operator's move.
  case storage(StorageError)
  /// Root or keyring. The operator's move.
  case keyring(KeyringError)
  /// A page of a file that was walked before it is opened, in the named directory. The operator
  /// restores another copy.
  case page(PageFault, of: String)
  /// The log does not fit to the keyring or is damaged. The operator restores the matching files.
  case log(StoreError)
}

extension EventStore {
  /// Makes a new, empty store: the directory, its keyring and its root.
  ///
  /// Refuses what exists.
  ///
  /// Order: the root is on its medium before the keyring that it opens is committed.
  package static func create(
    path: String, holders: RootHolders, now: Int64
  ) throws(OpeningError) {
    guard let id = StoreID(bytes: Random.bytes(16)) else { preconditionFailure("16 bytes") }
    let (directory, tables) = try openingStorage { () throws(StorageError) in
      let directory = try DataDirectory.create(path: path, id: id)
      return (directory, try KeyringTables.open(directory))
    }
    do throws(KeyringError) {
      try Keyring.create(data: directory, tables: tables, holders: holders, now: now)
    } catch { throw .keyring(error) }
    try openingStorage { () throws(StorageError) in
      _ = try LogTables.open(directory)
      _ = try IndexTables.open(directory)
    }
  }

  /// Opens the store, finishing whatever a crash left half done, and starts its threads.
  ///
  /// `clock` gives milliseconds since 1970, is believed, and nothing expires by itself: for tools and tests.
  package static func open(
    path: String, holders: RootHolders, clock: @escaping @Sendable () -> Int64
  ) throws(OpeningError) -> EventStore {
    try open(
      path: path, holders: holders,
      clocks: MachineClocks(wall: clock, boot: clock, isSynchronized: { true }),
      isUnattended: false)
  }

  /// The same for a daemon: what is over expires by itself as far as `clocks` may be believed.
  package static func open(
    path: String, holders: RootHolders, clocks: MachineClocks, isUnattended: Bool
  ) throws(OpeningError) -> EventStore {
    let directory = try openingStorage { () throws(StorageError) in
      try DataDirectory.open(path: path)
    }
    let tables = try openingStorage { () throws(StorageError) in
      try KeyringTables.open(directory)
    }
    let keyring: Keyring
    do throws(KeyringError) {
      keyring = try Keyring.open(
        data: directory, tables: tables, holders: holders)
    } catch { throw .keyring(error) }
    keyring.beginServing()
    let logTables = try openingStorage { () throws(StorageError) in
      try LogTables.open(directory)
    }
    let state: EngineState
    let index: EventIndex
    let filter = IDFilter()
    let plans = PlanBook()
    do throws(StoreError) {
      state = try EngineState(keyring: keyring)
      try StoreError.translating { () throws(KeyringError) in try plans.load(keyring) }
      state.apply(plans)
      try Recovery.checkLog(state, logTables)
      index = try openIndex(directory, state, logTables)
      defer { StackDebris.wipe() }
      var recovery = Recovery(
        state: state, index: index, log: LogReader(logTables, traces: state.traces),
        logTables: logTables, filter: filter)
      try recovery.run()
    } catch { throw .log(error) }
    let timeMark = state.keyring.timeMark
    let shared = SharedEngine(
      dataPath: directory.path, state: state, index: index, logTables: logTables, filter: filter,
      plans: plans, suite: SingleUseAEAD.Suite.fastest, clocks: clocks, timeMark: timeMark)
    do { try shared.accessLog.beginRun(shared) } catch { throw .log(error) }
    return EventStore(shared: shared, directory: directory, isUnattended: isUnattended)
  }

  /// Opens the index, or empties it when it belongs to another log.
  private static func openIndex(
    _ directory: DataDirectory, _ state: EngineState, _ logTables: LogTables
  ) throws(StoreError) -> EventIndex {
    let tables = try StoreError.translatingStorage { () throws(StorageError) in
      try IndexTables.open(directory)
    }
    let keys = state.bucketKeys
    func make() throws(StoreError) -> EventIndex {
      try StoreError.translatingStorage { () throws(StorageError) in
        try EventIndex(
          tables: tables, indexKey: state.keyring.derive(indexContext, count: 32),
          bucketKeys: { keys.copy(of: $0) })
      }
    }
    // An index that cannot be opened is no loss: it is derived.
    if let index = try? make(), try Recovery.isIndexOfLog(index, state, logTables) {
      return index
    }
    try StoreError.translatingStorage { () throws(StorageError) in try tables.removeAll() }
    return try make()
  }

  private static let indexContext = KeyDerivation.Context("LT1.index")

  private static func openingStorage<Result>(
    _ body: () throws(StorageError) -> Result
  ) throws(OpeningError) -> Result {
    do { return try body() } catch { throw .storage(error) }
  }
}
