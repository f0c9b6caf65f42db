import EventModel
import Keyring
import Sodium
import Storage

// How events under a hold are saved: in the commit that destroys one of their keys.
//
// records -> header, base and leaf, while they can still be derived -> event key and commitment -> documents
// of the hold. Nothing else is kept: the event key opens this one record, and with it no header, no person's
// name in the map and no other event. A release takes the documents away in a rotation.

extension EngineState {
  /// The documents that keep what was found, to be written by the rotation that destroys.
  ///
  /// With the engine's lock held, before anything is destroyed.
  func edits(
    saving findings: HeldFindings, _ log: LogReader
  ) throws(StoreError) -> [DocumentEdit] {
    #if DEBUG
      if TestHooks.isVariant("held-unsaved") { return [] }
    #endif
    var edits: [DocumentEdit] = []
    for (number, events) in findings.events {
      guard let tenant = tenants[number] else { continue }
      for hold in Set(events.flatMap(\.holds)).sorted() {
        let mine = events.filter { $0.holds.contains(hold) }.map(\.sequence)
        edits += try save(mine, hold: hold, tenant, log)
      }
    }
    return edits
  }

  /// The same for the tenant's holds whose release has come to its end.
  func edits(
    endingHoldsOf tenant: TenantNumber, now: Int64
  ) throws(StoreError) -> [DocumentEdit] {
    var edits: [DocumentEdit] = []
    for hold in try storedHolds(tenant) where !hold.holds(now) {
      edits += try self.edits(ending: hold, of: tenant)
    }
    return edits
  }

  /// What leaves the key tree with a hold: its document and all that it has saved.
  func edits(
    ending hold: StoredHold, of tenant: TenantNumber
  ) throws(StoreError) -> [DocumentEdit] {
    var ids = [hold.id]
    #if DEBUG
      if TestHooks.isVariant("held-kept") {
        return ids.map { DocumentEdit(tenant: tenant, id: $0, document: nil) }
      }
    #endif
    ids += try heldDocuments(tenant, hold: hold.number)
    return ids.map { DocumentEdit(tenant: tenant, id: $0, document: nil) }
  }

  /// The documents by which a new hold keeps what others have saved and it concerns, too.
  ///
  /// Whom such an event names, only its body tells.
  func takeOver(
    _ scope: HoldScope, hold: UInt32, of number: TenantNumber, _ log: LogReader
  ) throws(StoreError) -> [DocumentEdit] {
    guard let tenant = tenants[number] else { throw .noTenant }
    let classes = try tenant.open(keyring).keys.classes
    func concerns(_ routing: Routing, _ body: Span<UInt8>) -> Bool {
      switch scope {
      case .subject(let name): Self.names(body, .dataSubject, name)
      case .stream(let name): Self.names(body, .stream, name)
      case .retentionClass(let name):
        classes.contains { $0.name == name && $0.number == routing.classNumber }
      case .tenant: true
      }
    }
    var saved = try SavedEvents(hold: hold, tenant: number, state: self)
    var last: UInt64?
    var plain: [UInt8] = []
    for place in try tenant.open(keyring).held(keyring).places where place.sequence != last {
      last = place.sequence
      let found = try openSaved(place, of: number, log, &saved.key, &plain)
      guard let (routing, count) = found, concerns(routing, plain.span.extracting(0..<count))
      else { continue }
      try saved.append(place)
    }
    return saved.finish()
  }

  /// Opens a saved event; nil when the record is not there any more, or is another.
  private func openSaved(
    _ place: HeldPlace, of number: TenantNumber, _ log: LogReader, _ key: inout SecretBytes,
    _ plain: inout [UInt8]
  ) throws(StoreError) -> (Routing, bodyBytes: Int)? {
    var bytes: [UInt8] = []
    var places: [ByteRange] = []
    try log.copyRecords([place.sequence], into: &bytes, &places)
    guard let found = places.first, !found.isEmpty else { return nil }
    let record = bytes.span.extracting(found.range)
    guard let routing = routing.open(record), routing.tenant == number,
      place.matches(routing, record)
    else { return nil }
    let keyring = keyring
    let document = try StoreError.translating { () throws(KeyringError) in
      try keyring.document(tenant: number, place.document)
    }
    guard let document else { throw .corrupt }
    HeldDocument.copyEntry(of: place.index, in: document, to: &key)
    let count = RecordOpener.open(
      record, subjectCount: place.subjectCount, key: key.bytes.extracting(0..<32), into: &plain)
    return count.map { (routing, $0) }
  }

  private static func names(_ body: Span<UInt8>, _ wanted: BodyField, _ name: [UInt8]) -> Bool {
    guard let reader = EventBodyReader(body) else { return false }
    var isNamed = false
    reader.forEachField(in: body) { tag, place in
      if tag == wanted.rawValue, body.extracting(place).array == name { isNamed = true }
    }
    return isNamed
  }

  private func save(
    _ sequences: [UInt64], hold: UInt32, _ tenant: TenantState, _ log: LogReader
  ) throws(StoreError) -> [DocumentEdit] {
    var saved = try SavedEvents(hold: hold, tenant: tenant.number, state: self)
    var bytes: [UInt8] = []
    var places: [ByteRange] = []
    var rest = sequences[...]
    while !rest.isEmpty {
      let page = rest.prefix(EventReader.pageEvents)
      rest = rest.dropFirst(page.count)
      try log.copyRecords(page, into: &bytes, &places)
      for (sequence, place) in zip(page, places) where !place.isEmpty {
        let record = bytes.span.extracting(place.range)
        guard let (routing, header) = try log.open(record, state: self),
          let found = HeldPlace(sequence, routing, header, record)
        else { continue }
        guard try derive(routing, header, record, tenant, &saved.key) else { continue }
        try saved.append(found)
      }
    }
    return saved.finish()
  }

  /// Writes an event's key and commitment; false when it does not open, which saving does not change.
  private func derive(
    _ routing: Routing, _ header: RecordHeader, _ record: Span<UInt8>, _ tenant: TenantState,
    _ key: inout SecretBytes
  ) throws(StoreError) -> Bool {
    let secrets = try tenant.open(keyring)
    let id = BaseID(
      tenant: routing.tenant, generation: routing.generation, classNumber: routing.classNumber,
      period: routing.period, stream: header.stream, subjects: header.subjects)
    guard let base = try base(id, tenant: tenant),
      try secrets.canRead(routing, keyring)
    else { return false }
    RecordOpener.eventKey(
      record, bases: bases, base: base, positions: &secrets.readPositions, tenantID: tenant.id,
      routing: routing, into: &key)
    return ConstantTime.areEqual(
      key.bytes.extracting(32..<64), record.extracting(RecordLayout.commitment))
  }
}

extension HeldPlace {
  /// The place of an event that is to be saved.
  fileprivate init?(
    _ sequence: UInt64, _ routing: Routing, _ header: RecordHeader, _ record: Span<UInt8>
  ) {
    self.init(
      sequence: sequence, position: routing.position, version: header.version,
      storedMilliseconds: header.storedMilliseconds, stream: header.stream,
      subjectCount: header.subjects.count,
      commitment: record.bigEndian(at: RecordLayout.commitment.lowerBound, bytes: 8),
      document: HeldDocument.id(hold: 0, part: 0), index: 0)
  }
}

/// Gathers saved events of one hold into documents behind those that it has.
struct SavedEvents: ~Copyable {
  /// The event key and commitment of the event that is appended next, 64 bytes.
  var key = SecretBytes(zeroes: 64)
  private var buffer = HeldDocument.buffer()
  private var count = 0
  private let hold: UInt32
  private let tenant: TenantNumber
  private var part: Int
  private var edits: [DocumentEdit] = []

  init(hold: UInt32, tenant: TenantNumber, state: EngineState) throws(StoreError) {
    (self.hold, self.tenant) = (hold, tenant)
    part = try state.heldDocuments(tenant, hold: hold).last.map { HeldDocument.part($0) + 1 } ?? 0
  }

  /// Adds an event with ``key``; throws `.held` when the hold has no room.
  mutating func append(_ place: HeldPlace) throws(StoreError) {
    if count == HeldDocument.entriesMax { end() }
    guard part < HeldDocument.partsMax else {
      throw .held(HoldID(tenant: tenant, number: hold))
    }
    HeldDocument.write(count, place, key: key, to: &buffer)
    count += 1
  }

  private mutating func end() {
    guard count > 0 else { return }
    edits.append(
      DocumentEdit(
        tenant: tenant, id: HeldDocument.id(hold: hold, part: part),
        document: HeldDocument.document(buffer)))
    (part, count) = (part + 1, 0)
    buffer = HeldDocument.buffer()
  }

  /// The documents of all that was added.
  consuming func finish() -> [DocumentEdit] {
    end()
    return edits
  }
}
