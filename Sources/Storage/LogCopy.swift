import EventModel

/// What a run of copying has done.
package struct LogCopyReport: Hashable, Sendable {
  /// Records that the copy did not have.
  package var records: UInt64 = 0
  /// Their bytes.
  package var bytes: UInt64 = 0
  /// The newest sequence that the copy stands for.
  package var lastSequence: UInt64 = 0

  package init() {}
}

extension LogTables {
  /// Records of one transaction of a copy, and their bytes, which it holds in memory.
  private static let (sliceRecords, sliceBytes) = (8_192, 8 << 20)
  /// Groups of traces of one transaction: 3 MiB.
  private static let sliceGroups = 256

  /// Brings `copy` up to this log, which goes on being written meanwhile.
  ///
  /// Order: what the log's state is now -> every record up to it that the copy does not have, or its
  /// trace, and every row of erased positions, in slices, each in a transaction of its own on either side
  /// -> the state. What was purged since the copy was made stays in it as it was.
  /// A crash leaves records behind the copy's state, which count for nothing until the next run has
  /// gone on from them.
  package func copy(to copy: LogTables) throws(StorageError) -> LogCopyReport {
    var report = LogCopyReport()
    let now = try read { (view) throws(StorageError) in
      (
        last: try view.lastSequence(), state: try view.sealedState()?.array,
        lineage: try view.lineage()
      )
    }
    let reached = try copy.read { (view) throws(StorageError) in try view.lastSequence() }
    try checkLineage(copy, reached, now.last, now.lineage)
    report.lastSequence = now.last
    var next = reached + 1
    while next <= now.last {
      let slice = try slice(from: next, through: now.last)
      try copy.environment.write { (transaction: inout LogTransaction) throws(StorageError) in
        if next == 1, let lineage = now.lineage { try transaction.putLineage(lineage) }
        for (sequence, range) in slice.records {
          try transaction.append(slice.bytes.span.extracting(range.range), sequence)
        }
        for (number, sealed) in slice.groups { try transaction.putTraces(number, sealed.span) }
      }
      report.records += UInt64(slice.records.count)
      report.bytes += UInt64(slice.bytes.count)
      next = slice.end + 1
    }
    try copyRows(to: copy, of: .erasures)
    try copyRows(to: copy, of: .access)
    if let state = now.state { try copy.putState(state.span) }
    return report
  }

  /// Throws `.otherLineage` when the copy cannot be an earlier state of this log.
  private func checkLineage(
    _ copy: LogTables, _ reached: UInt64, _ last: UInt64, _ lineage: [UInt8]?
  ) throws(StorageError) {
    guard reached > 0 else { return }
    let (known, record) = try copy.read { (view) throws(StorageError) in
      (try view.lineage(), try view.record(reached)?.array)
    }
    guard known == lineage, reached <= last else { throw .otherLineage }
    let own = try read { (view) throws(StorageError) in try view.record(reached)?.array }
    // A record that was purged since says nothing.
    if let own, let record, own.count == record.count, own != record { throw .otherLineage }
  }

  private struct Slice {
    var bytes: [UInt8] = []
    var records: [(sequence: UInt64, range: ByteRange)] = []
    /// Groups of traces that these sequences lie in.
    var groups: [(number: UInt64, sealed: [UInt8])] = []
    /// The last sequence that was looked at.
    var end: UInt64
  }

  private func slice(from first: UInt64, through last: UInt64) throws(StorageError) -> Slice {
    var slice = Slice(end: last)
    try read { (view) throws(StorageError) in
      let bits = Self.traceGroupBits
      try view.scanTraces(from: first >> bits) { number, sealed in
        guard number <= slice.end >> bits else { return false }
        guard slice.groups.count < Self.sliceGroups else {
          slice.end = number << bits - 1
          return false
        }
        slice.groups.append((number, sealed.array))
        return true
      }
      try view.scan(from: first) { sequence, record in
        guard sequence <= slice.end else { return false }
        slice.records.append((sequence, ByteRange(offset: slice.bytes.count, count: record.count)))
        slice.bytes.appendSpan(record)
        guard slice.records.count < Self.sliceRecords, slice.bytes.count < Self.sliceBytes else {
          slice.end = sequence
          return false
        }
        return true
      }
    }
    // Later groups come with their own sequences.
    slice.groups.removeAll { $0.number > slice.end >> Self.traceGroupBits }
    return slice
  }

  /// Tables of rows under labels.
  fileprivate enum Rows {
    case erasures, access
  }

  /// Copies the rows that the copy does not have, or has differently.
  private func copyRows(to copy: LogTables, of kind: Rows) throws(StorageError) {
    var last: [UInt8]?
    while true {
      let rows = try rows(of: kind, after: last)
      guard let end = rows.last else { break }
      last = end.label
      let changed = try copy.read { (view) throws(StorageError) in
        var changed: [LabelledRow] = []
        for row in rows where try view.row(row.label.span, of: kind)?.array != row.sealed {
          changed.append(row)
        }
        return changed
      }
      guard !changed.isEmpty else { continue }
      try copy.environment.write { (transaction: inout LogTransaction) throws(StorageError) in
        for row in changed {
          switch kind {
          case .erasures: try transaction.putErasure(row)
          case .access: try transaction.putAccess(row)
          }
        }
      }
    }
  }

  /// A slice of the rows behind a label.
  private func rows(of kind: Rows, after label: [UInt8]?) throws(StorageError) -> [LabelledRow] {
    var rows: [LabelledRow] = []
    var bytes = 0
    try read { (view) throws(StorageError) in
      try view.scan(kind, after: label) { label, sealed in
        rows.append(LabelledRow(label: label.array, sealed: sealed.array))
        bytes += sealed.count
        return rows.count < Self.sliceRecords && bytes < Self.sliceBytes
      }
    }
    return rows
  }
}

extension LogTables {
  /// Makes the log end before `sequence`: takes out what an unfinished run of copying left behind.
  package func truncate(from sequence: UInt64) throws(StorageError) {
    try truncateTraces(from: sequence)
    while true {
      let last = try read { (view) throws(StorageError) in try view.lastSequence() }
      guard last >= sequence else { return }
      let first = max(sequence, last - min(last, UInt64(Self.sliceRecords)) + 1)
      try environment.write { (transaction: inout LogTransaction) throws(StorageError) in
        for number in first...last { try transaction.remove(number) }
      }
    }
  }

  /// Takes out the groups that lie behind; in the one that lies across, a trace counts for nothing once
  /// its sequence has a record.
  private func truncateTraces(from sequence: UInt64) throws(StorageError) {
    let bits = Self.traceGroupBits
    let first = (sequence + (1 << bits) - 1) >> bits
    while true {
      var numbers: [UInt64] = []
      try read { (view) throws(StorageError) in
        try view.scanTraces(from: first) { number, _ in
          numbers.append(number)
          return numbers.count < Self.sliceRecords
        }
      }
      guard !numbers.isEmpty else { return }
      try environment.write { (transaction: inout LogTransaction) throws(StorageError) in
        for number in numbers { try transaction.removeTraces(number) }
      }
    }
  }

  /// Names a new lineage (16 random bytes) and replaces the state entry, in one transaction.
  package func beginLineage(
    _ lineage: [UInt8], sealedState: Span<UInt8>
  ) throws(StorageError) {
    try environment.write { (transaction: inout LogTransaction) throws(StorageError) in
      try transaction.putLineage(lineage)
      try transaction.putState(sealedState)
    }
  }
}

extension LogView {
  fileprivate borrowing func scan(
    _ kind: LogTables.Rows, after label: [UInt8]?, _ body: (Span<UInt8>, Span<UInt8>) -> Bool
  ) throws(StorageError) {
    switch kind {
    case .erasures: try scanErasures(after: label, body)
    case .access: try scanAccess(after: label, body)
    }
  }

  @_lifetime(borrow self)
  fileprivate borrowing func row(
    _ label: Span<UInt8>, of kind: LogTables.Rows
  ) throws(StorageError) -> Span<UInt8>? {
    switch kind {
    case .erasures: try erasure(label)
    case .access: try access(label)
    }
  }
}
