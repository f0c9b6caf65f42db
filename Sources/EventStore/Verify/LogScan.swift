import EventModel
import Keyring
import Sodium
import Storage

/// What opening every record of a log gave.
package struct LogScanReport: Sendable, Equatable {
  /// Records in the log.
  package var records: UInt64 = 0
  /// Events whose body opened.
  package var opened: UInt64 = 0
  /// Events that need a destroyed key: their own, a person's, a stream's or a tenant's.
  package var erased: UInt64 = 0
  /// Events whose period is over, or was shredded.
  package var expired: UInt64 = 0
  /// Of these and of the erased, those of which no ciphertext is left.
  package var purged: UInt64 = 0
  /// Records that are not what was written.
  package var damaged: UInt64 = 0
  /// Positions that do not follow the one before in their tenant, and sequences without a record.
  package var gaps: UInt64 = 0
  /// The sequence of the first damaged record or gap; 0 when there is none.
  package var firstFault: UInt64 = 0

  package init() {}

  /// True when every record is whole and in its place.
  package var isSound: Bool { damaged == 0 && gaps == 0 }
}

/// Opens a log from its first record to its last with whatever keys there are.
struct LogScan {
  private let log: LogReader
  private let state: EngineState
  /// The newest position of every tenant that was seen.
  private(set) var lastPositions: [TenantNumber: UInt64] = [:]
  /// When the newest event of every tenant was stored, as far as that can be read: ms since 1970.
  private(set) var lastMilliseconds: [TenantNumber: Int64] = [:]
  /// Where expired events stood.
  private(set) var expired: [TenantNumber: [ClosedRange<UInt64>]] = [:]
  /// Where events of living tenants stood that are erased or expired.
  private(set) var erasedPositions: [TenantNumber: [ClosedRange<UInt64>]] = [:]
  private var plain: [UInt8] = []
  private(set) var report = LogScanReport()

  init(_ log: LogReader, _ state: EngineState) {
    self.log = log
    self.state = state
  }

  /// Scans the records with sequences from 1 to `last`.
  mutating func run(through last: UInt64) throws(StoreError) {
    var eventKey = SecretBytes(zeroes: 64)
    var bytes: [UInt8] = []
    var places: [ByteRange] = []
    var next: UInt64 = 1
    while next <= last {
      let end = min(last, next + 255)
      try log.copyRecords(next...end, into: &bytes, &places)
      for place in places {
        if place.isEmpty {
          report.gaps += 1
          note(next)
        } else {
          report.records += 1
          visit(bytes.span.extracting(place.range), next, &eventKey)
        }
        next += 1
      }
    }
  }

  private mutating func note(_ sequence: UInt64) {
    if report.firstFault == 0 { report.firstFault = sequence }
  }

  private mutating func visit(
    _ record: Span<UInt8>, _ sequence: UInt64, _ eventKey: inout SecretBytes
  ) {
    do throws(StoreError) {
      if RecordForm(record) != .whole { report.purged += 1 }
      if let trace = RecordTrace(record) {
        check(trace.position, of: trace.tenant, sequence)
        return try visit(trace)
      }
      guard let routing = state.routing.open(record) else { throw .corrupt }
      check(routing.position, of: routing.tenant, sequence)
      try visit(record, routing, &eventKey)
    } catch {
      report.damaged += 1
      note(sequence)
    }
  }

  private mutating func check(_ position: UInt64, of tenant: TenantNumber, _ sequence: UInt64) {
    let last = lastPositions.updateValue(position, forKey: tenant) ?? 0
    guard position != last + 1 else { return }
    report.gaps += 1
    note(sequence)
  }

  /// A trace whose keys live is of an event that nobody has erased.
  private mutating func visit(_ trace: RecordTrace) throws(StoreError) {
    guard let tenant = state.tenants[trace.tenant] else {
      report.erased += 1
      return
    }
    guard try state.periodKeys(tenant, trace.periodID) == nil else {
      throw .corrupt
    }
    noteExpired(trace.tenant, trace.position)
  }

  private mutating func noteExpired(_ tenant: TenantNumber, _ position: UInt64) {
    report.expired += 1
    expired[tenant, default: []].add(position)
    erasedPositions[tenant, default: []].add(position)
  }

  private mutating func visit(
    _ record: Span<UInt8>, _ routing: Routing, _ eventKey: inout SecretBytes
  ) throws(StoreError) {
    guard let tenant = state.tenants[routing.tenant] else {
      report.erased += 1
      return
    }
    let isHeld = try opensHeld(record, routing, tenant)
    guard !isHeld, let (_, header) = try log.open(record, state: state) else {
      guard !isHeld else { return report.opened += 1 }
      return noteExpired(routing.tenant, routing.position)
    }
    lastMilliseconds[routing.tenant] = header.storedMilliseconds
    if try opens(record, routing, header, tenant, &eventKey) {
      report.opened += 1
    } else {
      report.erased += 1
    }
  }

  /// True when a hold has saved the event; its body must open with what was saved.
  private mutating func opensHeld(
    _ record: Span<UInt8>, _ routing: Routing, _ tenant: TenantState
  ) throws(StoreError) -> Bool {
    let held = try tenant.open(state.keyring).held(state.keyring)
    guard let place = held.place(routing, record) else { return false }
    let (keyring, id) = (state.keyring, place.document)
    let document = try StoreError.translating { () throws(KeyringError) in
      try keyring.document(tenant: routing.tenant, id)
    }
    guard let document else { throw .corrupt }
    var key = SecretBytes(zeroes: 32)
    HeldDocument.copyKey(of: place.index, in: document, to: &key, at: 0)
    let count = RecordOpener.open(
      record, subjectCount: place.subjectCount, key: key.bytes, into: &plain)
    guard count != nil else { throw .corrupt }
    return true
  }

  private mutating func opens(
    _ record: Span<UInt8>, _ routing: Routing, _ header: RecordHeader, _ tenant: TenantState,
    _ eventKey: inout SecretBytes
  ) throws(StoreError) -> Bool {
    let id = BaseID(
      tenant: routing.tenant, generation: routing.generation, classNumber: routing.classNumber,
      period: routing.period, stream: header.stream, subjects: header.subjects)
    let secrets = try tenant.open(state.keyring)
    guard let base = try state.base(id, tenant: tenant),
      try secrets.canRead(routing, state.keyring)
    else {
      erasedPositions[routing.tenant, default: []].add(routing.position)
      return false
    }
    let count = RecordOpener.open(
      record, subjectCount: header.subjects.count, bases: state.bases, base: base,
      positions: &secrets.readPositions, tenantID: tenant.id, routing: routing,
      eventKey: &eventKey, into: &plain)
    guard count != nil else { throw .corrupt }
    return true
  }
}
