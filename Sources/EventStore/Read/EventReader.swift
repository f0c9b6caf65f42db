import EventModel
import Keyring
import Sodium
import Storage

/// Reads one page of events after the other: postings -> records -> keys -> plaintext.
///
/// The engine's lock is held while keys are looked up, 128 events at a time, and not while records
/// are copied or opened. One reader serves one call; it keeps its buffers for its pages.
struct EventReader: ~Copyable {
  /// Events of one page; their secrets fill one cell of the arena.
  static let pageEvents = 128
  private static let inputBytes = 64

  private let shared: SharedEngine
  private let tenant: TenantNumber
  private var tenantID: TenantID?
  private var records: [UInt8] = []
  private var places: [ByteRange] = []
  private var plain: [UInt8] = []
  private var found: [Found] = []
  /// Postings that were passed over: of expired records and of colliding tags.
  private(set) var passedOver = 0
  /// Event base and position leaf of each event of a page, 64 bytes.
  private var inputs = SecretBytes(zeroes: pageEvents * inputBytes)
  private var eventKey = SecretBytes(zeroes: 64)

  /// What is known of an event before its body is opened.
  private struct Found {
    let routing: Routing
    let header: RecordHeader
    let place: ByteRange
    /// Where its secrets lie in ``EventReader/inputs``; nil when it is not to be opened.
    let input: Int?
    let state: EventState
    /// True when its own key is there instead, which was saved for a hold.
    var isSaved = false
  }

  /// True for surveys: they open what is shown to nobody, too.
  private let seesRestricted: Bool
  /// True for who may see what only a hold has kept.
  private let opensHeld: Bool

  init(
    shared: SharedEngine, tenant: TenantNumber, seesRestricted: Bool = false,
    opensHeld: Bool = false
  ) {
    self.shared = shared
    self.tenant = tenant
    self.seesRestricted = seesRestricted
    self.opensHeld = opensHeld
  }

  /// Calls `body` with the events of `postings` that match `isWanted`, until it returns false;
  /// returns false then.
  mutating func read(
    _ postings: ArraySlice<Posting>, isWanted: (Routing, RecordHeader, Posting) -> Bool,
    _ body: (ReadEvent, Span<UInt8>) -> Bool
  ) throws(StoreError) -> Bool {
    defer { StackDebris.wipe() }
    var rest = postings
    while !rest.isEmpty {
      let page = rest.prefix(Self.pageEvents)
      rest = rest.dropFirst(Self.pageEvents)
      try shared.log.copyRecords(page.map(\.sequence), into: &records, &places)
      try findKeys(page, isWanted)
      passedOver += page.count - found.count
      for event in found {
        guard try open(event, body) else { return false }
      }
    }
    return true
  }

  private mutating func findKeys(
    _ page: ArraySlice<Posting>, _ isWanted: (Routing, RecordHeader, Posting) -> Bool
  ) throws(StoreError) {
    found.removeAll(keepingCapacity: true)
    let records = self.records
    try shared.withState { (state) throws(StoreError) in
      guard let tenant = state.tenants[self.tenant] else { throw .noTenant }
      let secrets = try tenant.open(state.keyring)
      tenantID = tenant.id
      var period = (id: PeriodID?.none, keys: PeriodKeys?.none)
      for (place, posting) in zip(places, page) {
        // A record that the index knows and the log does not have: a silent omission if passed over.
        guard !place.isEmpty else { throw .corrupt }
        let record = records.span.extracting(place.range)
        if RecordForm(record) == .trace { continue }
        guard let routing = state.routing.open(record) else { throw .corrupt }
        guard routing.tenant == tenant.number else { continue }
        let id = PeriodID(routing)
        if period.id != id {
          // Neighbours have the same; the lock is held, so nothing is destroyed meanwhile.
          period = (id, try state.periodKeys(tenant, id))
        }
        guard let keys = period.keys else {
          // All that is left of its period: what a hold has saved.
          guard let held = try secrets.held(state.keyring).place(routing, record),
            isWanted(routing, held.header, posting)
          else { continue }
          found.append(try findHeld(held, routing, held.header, place, state))
          continue
        }
        guard let header = HeaderMask.open(record, key: keys.header) else { throw .corrupt }
        guard isWanted(routing, header, posting) else { continue }
        let baseID = BaseID(
          tenant: routing.tenant, generation: routing.generation,
          classNumber: routing.classNumber, period: routing.period, stream: header.stream,
          subjects: header.subjects)
        var input: Int?
        var eventState = EventState.erased
        if let base = try state.base(baseID, tenant: tenant),
          try secrets.canRead(routing, state.keyring)
        {
          let isHidden =
            isHidden(base, state) || !seesRestricted && tenant.hidden.contains(routing)
          eventState = isHidden ? .restricted : .live
          if eventState == .live {
            Self.note(
              in: &inputs, at: found.count, state.bases, base, &secrets.readPositions,
              routing.position)
            input = found.count
          }
        } else if let held = try secrets.held(state.keyring).place(routing, record) {
          found.append(try findHeld(held, routing, header, place, state))
          continue
        }
        found.append(
          Found(
            routing: routing, header: header, place: place, input: input, state: eventState))
      }
    }
  }

  /// An event that a hold has saved: it is restricted for all but those who may open it.
  private mutating func findHeld(
    _ held: HeldPlace, _ routing: Routing, _ header: RecordHeader, _ place: ByteRange,
    _ state: EngineState
  ) throws(StoreError) -> Found {
    guard opensHeld else {
      return Found(
        routing: routing, header: header, place: place, input: nil, state: .restricted)
    }
    let (keyring, number) = (state.keyring, tenant)
    let document = try StoreError.translating { () throws(KeyringError) in
      try keyring.document(tenant: number, held.document)
    }
    guard let document else { throw .corrupt }
    HeldDocument.copyKey(
      of: held.index, in: document, to: &inputs, at: found.count * Self.inputBytes)
    return Found(
      routing: routing, header: header, place: place, input: found.count, state: .restricted,
      isSaved: true)
  }

  private func isHidden(_ base: Int, _ state: EngineState) -> Bool {
    #if DEBUG
      if TestHooks.isVariant("restriction-unread") { return false }
    #endif
    return !seesRestricted && state.bases.isHidden(at: base)
  }

  private static func openBody(
    _ record: Span<UInt8>, _ event: Found, _ inputs: borrowing SecretBytes, _ input: Int,
    _ tenantID: TenantID, _ eventKey: inout SecretBytes, _ plain: inout [UInt8]
  ) -> Int? {
    let secrets = inputs.bytes.extracting(input * inputBytes..<(input + 1) * inputBytes)
    guard !event.isSaved else {
      return RecordOpener.open(
        record, subjectCount: event.header.subjects.count, key: secrets.extracting(0..<32),
        into: &plain)
    }
    return RecordOpener.open(
      record, subjectCount: event.header.subjects.count, base: secrets.extracting(0..<32),
      leaf: secrets.extracting(32..<64), tenantID: tenantID, position: event.routing.position,
      eventKey: &eventKey, into: &plain)
  }

  private static func note(
    in inputs: inout SecretBytes, at index: Int, _ bases: borrowing BaseCache, _ base: Int,
    _ positions: inout PositionTree, _ position: UInt64
  ) {
    var bytes = inputs.mutableBytes
    bytes.set(bases.key(at: base), at: index * inputBytes)
    bytes.set(positions.leaf(position), at: index * inputBytes + 32)
  }

  private mutating func open(
    _ event: Found, _ body: (ReadEvent, Span<UInt8>) -> Bool
  ) throws(StoreError) -> Bool {
    let description = ReadEvent(
      position: event.routing.position, version: event.header.version,
      storedMilliseconds: event.header.storedMilliseconds,
      state: event.state)
    guard let input = event.input, let tenantID else {
      return body(description, records.span.extracting(0..<0))
    }
    let (sealed, place) = (records, event.place.range)
    var opened = exchange(&plain, with: [])
    defer { plain = opened }
    let count = Self.openBody(
      sealed.span.extracting(place), event, inputs, input, tenantID, &eventKey, &opened)
    guard let count else { throw .corrupt }
    return body(description, opened.span.extracting(0..<count))
  }
}
