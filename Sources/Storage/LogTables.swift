package import EventModel
import LMDB

/// `log/`: sealed records in one global sequence, what is left of purged ones, and one state entry.
///
/// One call of ``append(_:ranges:firstSequence:sealedState:)`` is one group commit: what it wrote is
/// durable when it returns, and none of it is there when it throws (unless the device failed).
package final class LogTables: Sendable {
  /// The most that the file may grow to.
  package static let mapBytes = 1 << 40

  let environment: TableEnvironment

  private init(_ environment: TableEnvironment) { self.environment = environment }

  /// Opens the tables; an I/O failure later makes them refuse writes until they are opened again.
  ///
  /// `mapBytes` is the most that the file may grow to; tests choose less.
  package static func open(
    _ directory: DataDirectory, mapBytes: Int = mapBytes
  ) throws(StorageError) -> LogTables {
    LogTables(
      try TableEnvironment(
        directory, name: "log", mapBytes: mapBytes,
        tables: ["records", "state", "erasures", "access", "checkpoints", "traces"]))
  }

  /// Appends the records that lie in `arena` at `ranges`, with sequences from `firstSequence` on,
  /// and replaces the state entry, in one transaction.
  ///
  /// The sequence must be greater than all before (`.corrupt` when it is not).
  package func append(
    _ arena: Span<UInt8>, ranges: [ByteRange], firstSequence: UInt64, sealedState: Span<UInt8>,
    access: [LabelledRow] = []
  ) throws(StorageError) {
    try environment.write { (transaction: inout LogTransaction) throws(StorageError) in
      var sequence = firstSequence
      for range in ranges {
        try transaction.append(arena.extracting(range.range), sequence)
        sequence += 1
      }
      for row in access { try transaction.putAccess(row) }
      try transaction.putState(sealedState)
    }
  }

  /// Throws `.noSpace` when the device has no room for records of so many bytes.
  ///
  /// Appends leave ``Limits/reserveBytes`` free, so that keys can still be destroyed on a full device.
  package func checkRoom(for bytes: Int) throws(StorageError) {
    try environment.checkRoom(for: 2 * bytes, reserve: Limits.reserveBytes)
  }

  /// False since an I/O failure: nothing is written until the tables are opened again.
  package var mayWrite: Bool { environment.mayWrite }

  /// Replaces the state entry alone.
  package func putState(_ sealedState: Span<UInt8>) throws(StorageError) {
    try environment.write { (transaction: inout LogTransaction) throws(StorageError) in
      try transaction.putState(sealedState)
    }
  }

  /// A sealed row, of erased positions or of the access log, and the label (16 bytes) that it lies under.
  package struct LabelledRow: Sendable {
    package let label: [UInt8]
    package let sealed: [UInt8]

    package init(label: [UInt8], sealed: [UInt8]) {
      self.label = label
      self.sealed = sealed
    }
  }

  /// Adds or replaces rows of erased positions, in one transaction.
  package func putErasures(_ rows: [LabelledRow]) throws(StorageError) {
    try environment.write { (transaction: inout LogTransaction) throws(StorageError) in
      for row in rows { try transaction.putErasure(row) }
    }
  }

  /// Throws `.noSpace` when the device has no room for so many bytes of the access log.
  ///
  /// It may use half of what appends leave free: reads go on, and are logged, when appends do not.
  package func checkRoom(forAccess bytes: Int) throws(StorageError) {
    try environment.checkRoom(for: 2 * bytes, reserve: Limits.reserveBytes / 2)
  }

  /// Adds or replaces rows of the access log, and replaces the state entry, in one transaction.
  package func putAccess(
    _ rows: [LabelledRow], sealedState: Span<UInt8>
  ) throws(StorageError) {
    try environment.write { (transaction: inout LogTransaction) throws(StorageError) in
      for row in rows { try transaction.putAccess(row) }
      try transaction.putState(sealedState)
    }
  }

  /// Takes out rows of the access log by their labels; those that are not there are passed over.
  package func removeAccess(_ labels: [[UInt8]]) throws(StorageError) {
    try environment.write { (transaction: inout LogTransaction) throws(StorageError) in
      for label in labels { try transaction.removeAccess(label) }
    }
  }

  /// Replaces rows of kept checkpoints, in one transaction.
  package func putCheckpoints(_ rows: [LabelledRow]) throws(StorageError) {
    try environment.write { (transaction: inout LogTransaction) throws(StorageError) in
      for row in rows { try transaction.putCheckpoints(row) }
    }
  }

  /// Replaces what is kept of the daemon's runs.
  package func putRuns(_ sealed: Span<UInt8>) throws(StorageError) {
    try environment.write { (transaction: inout LogTransaction) throws(StorageError) in
      try transaction.putRuns(sealed)
    }
  }

  /// Runs `body` on one consistent view, which must not outlast a socket write.
  package func read<Result, Failure: StorageFailure>(
    _ body: (borrowing LogView) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let tables = environment.tables
    return try environment.read { base throws(Failure) in try body(LogView(base, tables)) }
  }

  /// Bytes in use by the file.
  package var usedBytes: Int { environment.usedBytes }

  #if DEBUG
    /// What a failed fsync leads to, for tests.
    package func refuseWrites() { environment.refuseWrites() }
  #endif

  fileprivate static let stateKey = Array("state".utf8)
  fileprivate static let lineageKey = Array("lineage".utf8)
  fileprivate static let runsKey = Array("runs".utf8)
  static let purgeKey = Array("purge".utf8)
}

/// A consistent view of the log; what it lends is valid while it lives.
package struct LogView: ~Copyable {
  let base: ReadTransaction
  let tables: [Table]

  fileprivate init(_ base: consuming ReadTransaction, _ tables: [Table]) {
    self.base = base
    self.tables = tables
  }

  /// The record with this sequence, or nil.
  @_lifetime(borrow self)
  package borrowing func record(_ sequence: UInt64) throws(StorageError) -> Span<UInt8>? {
    do { return try base.value(of: NumberKey(sequence).bytes.span, in: tables[0]) } catch {
      throw StorageError(error)
    }
  }

  /// The greatest sequence that has a record; 0 when there is none.
  package borrowing func lastSequence() throws(StorageError) -> UInt64 {
    do {
      return try base.withCursor(tables[0]) { cursor throws(LMDBError) in
        guard try cursor.last(), cursor.key.count == 8 else { return 0 }
        return cursor.key.bigEndian(at: 0, bytes: 8)
      }
    } catch { throw StorageError(error.lmdb) }
  }

  /// How many records there are.
  package borrowing func recordCount() throws(StorageError) -> Int {
    do { return try base.count(tables[0]) } catch { throw StorageError(error) }
  }

  /// The state entry, or nil in a new store.
  @_lifetime(borrow self)
  package borrowing func sealedState() throws(StorageError) -> Span<UInt8>? {
    do { return try base.value(of: LogTables.stateKey.span, in: tables[1]) } catch {
      throw StorageError(error)
    }
  }

  /// The random name of the lineage (16 bytes), or nil in a store that was never restored.
  package borrowing func lineage() throws(StorageError) -> [UInt8]? {
    do { return try base.value(of: LogTables.lineageKey.span, in: tables[1])?.array } catch {
      throw StorageError(error)
    }
  }

  /// The row of erased positions under this label, or nil.
  @_lifetime(borrow self)
  package borrowing func erasure(_ label: Span<UInt8>) throws(StorageError) -> Span<UInt8>? {
    do { return try base.value(of: label, in: tables[2]) } catch { throw StorageError(error) }
  }

  /// The kept checkpoints of the log with this label, or nil.
  package borrowing func checkpoints(_ label: Span<UInt8>) throws(StorageError) -> [UInt8]? {
    do { return try base.value(of: label, in: tables[4])?.array } catch {
      throw StorageError(error)
    }
  }

  /// What is kept of the daemon's runs, or nil in a new store.
  package borrowing func sealedRuns() throws(StorageError) -> [UInt8]? {
    do { return try base.value(of: LogTables.runsKey.span, in: tables[1])?.array } catch {
      throw StorageError(error)
    }
  }

  /// The row of the access log under this label, or nil.
  @_lifetime(borrow self)
  package borrowing func access(_ label: Span<UInt8>) throws(StorageError) -> Span<UInt8>? {
    do { return try base.value(of: label, in: tables[3]) } catch { throw StorageError(error) }
  }

  /// How many rows the access log has.
  package borrowing func accessCount() throws(StorageError) -> Int {
    do { return try base.count(tables[3]) } catch { throw StorageError(error) }
  }

  /// Calls `body` with the rows of erased positions behind the label `after`, ascending, until it
  /// returns false.
  package borrowing func scanErasures(
    after label: [UInt8]?, _ body: (_ label: Span<UInt8>, _ sealed: Span<UInt8>) -> Bool
  ) throws(StorageError) {
    try scan(tables[2], after: label, body)
  }

  /// The same with rows of the access log.
  package borrowing func scanAccess(
    after label: [UInt8]?, _ body: (_ label: Span<UInt8>, _ sealed: Span<UInt8>) -> Bool
  ) throws(StorageError) {
    try scan(tables[3], after: label, body)
  }

  private borrowing func scan(
    _ table: Table, after label: [UInt8]?, _ body: (Span<UInt8>, Span<UInt8>) -> Bool
  ) throws(StorageError) {
    // The next label in LMDB's order is this one with a zero behind it.
    let start = label.map { $0 + [0] }
    if let start {
      try Storage.scan(base, table, from: start.span, body)
    } else {
      try Storage.scan(base, table, from: nil, body)
    }
  }

  /// Calls `body` with the records from `sequence` on, in order, until it returns false.
  package borrowing func scan(
    from sequence: UInt64, _ body: (_ sequence: UInt64, _ record: Span<UInt8>) -> Bool
  ) throws(StorageError) {
    let key = NumberKey(sequence)
    try Storage.scan(base, tables[0], from: key.bytes.span) { key, value in
      guard key.count == 8 else { return false }
      return body(key.bigEndian(at: 0, bytes: 8), value)
    }
  }
}

/// One group commit.
struct LogTransaction: ~Copyable, TableTransaction {
  var base: WriteTransaction
  let environment: TableEnvironment

  init(_ base: consuming WriteTransaction, _ environment: TableEnvironment) {
    self.base = base
    self.environment = environment
  }

  consuming func ended() -> WriteTransaction { base }

  static var commitPoints: (before: StaticString, after: StaticString) {
    ("log.commit.before", "log.commit.after")
  }

  mutating func append(_ record: Span<UInt8>, _ sequence: UInt64) throws(StorageError) {
    do {
      try base.append(record, for: NumberKey(sequence).bytes.span, in: environment.tables[0])
    } catch { throw environment.failed(error) }
  }

  /// False when there is no record with this sequence.
  @discardableResult
  mutating func remove(_ sequence: UInt64) throws(StorageError) -> Bool {
    do {
      return try base.remove(NumberKey(sequence).bytes.span, from: environment.tables[0])
    } catch { throw environment.failed(error) }
  }

  mutating func putLineage(_ lineage: [UInt8]) throws(StorageError) {
    do {
      try base.put(lineage.span, for: LogTables.lineageKey.span, in: environment.tables[1])
    } catch { throw environment.failed(error) }
  }

  mutating func putErasure(_ row: LogTables.LabelledRow) throws(StorageError) {
    do { try base.put(row.sealed.span, for: row.label.span, in: environment.tables[2]) } catch {
      throw environment.failed(error)
    }
  }

  mutating func putAccess(_ row: LogTables.LabelledRow) throws(StorageError) {
    do { try base.put(row.sealed.span, for: row.label.span, in: environment.tables[3]) } catch {
      throw environment.failed(error)
    }
  }

  mutating func removeAccess(_ label: [UInt8]) throws(StorageError) {
    do { _ = try base.remove(label.span, from: environment.tables[3]) } catch {
      throw environment.failed(error)
    }
  }

  mutating func putCheckpoints(_ row: LogTables.LabelledRow) throws(StorageError) {
    do { try base.put(row.sealed.span, for: row.label.span, in: environment.tables[4]) } catch {
      throw environment.failed(error)
    }
  }

  mutating func putRuns(_ sealed: Span<UInt8>) throws(StorageError) {
    do { try base.put(sealed, for: LogTables.runsKey.span, in: environment.tables[1]) } catch {
      throw environment.failed(error)
    }
  }

  mutating func putState(_ sealed: Span<UInt8>) throws(StorageError) {
    do { try base.put(sealed, for: LogTables.stateKey.span, in: environment.tables[1]) } catch {
      throw environment.failed(error)
    }
  }
}
