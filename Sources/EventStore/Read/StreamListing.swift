package import EventModel
import Keyring
import Storage

/// A stream as a listing shows it.
package struct StreamListing: Hashable, Sendable {
  /// Nil when none of its events can be opened any more, so that nothing tells it.
  package let name: [UInt8]?
  /// The version of its newest event.
  package let version: UInt64
  /// When its newest event was stored: milliseconds since 1970.
  package let lastStoredMilliseconds: Int64

  package init(name: [UInt8]?, version: UInt64, lastStoredMilliseconds: Int64) {
    self.name = name
    self.version = version
    self.lastStoredMilliseconds = lastStoredMilliseconds
  }
}

extension EventStore {
  /// Calls `body` with the tenant's streams, in the order in which they came to be, at most `limit`,
  /// until it returns false; that stream counts as delivered.
  ///
  /// One call looks at a bounded number of keys and then answers a cursor, even when it has found
  /// less than `limit` or nothing.
  ///
  /// - Returns: the cursor that goes on, empty at the end.
  package func streams(
    _ tenant: TenantNumber, limit: Int, cursor: [UInt8]?, _ body: (StreamListing) -> Bool
  ) throws(StoreError) -> [UInt8] {
    let reached = try reached(cursor, .streams, tenant, EventFilter())
    var run = StreamRun(shared: shared, tenant: tenant, limit: limit, reached: reached ?? 0)
    try run.run(body)
    guard let reached = run.reached else { return [] }
    return try makeCursor(.streams, reached: reached, tenant, EventFilter())
  }
}

/// One call of a listing: slots from the key tree, a few at a time, and the newest event of each.
struct StreamRun: ~Copyable {
  /// Keys of streams and persons that one call looks at.
  static let keysMax = 100_000
  /// Keys that are looked at under the engine's lock at once: 32 leaves.
  private static let pageKeys = 1_024
  /// Events of a stream that are tried for its name.
  private static let lookBack = 256

  private let shared: SharedEngine
  private let tenant: TenantNumber
  private let limit: Int
  private var reader: EventReader
  private var next: Slot
  private var keysLeft = keysMax
  private var delivered = 0
  private var isEnded = false

  /// The slot to go on behind, or nil at the end.
  private(set) var reached: UInt64?

  init(shared: SharedEngine, tenant: TenantNumber, limit: Int, reached: UInt64) {
    self.shared = shared
    self.tenant = tenant
    self.limit = limit
    next = Slot(rawValue: reached + 1)
    reader = EventReader(shared: shared, tenant: tenant)
  }

  /// Lists until the end, leaving for every shred that waits; see ``QueryRun/run(_:)``.
  mutating func run(_ body: (StreamListing) -> Bool) throws(StoreError) {
    guard limit > 0 else { return }
    while !isEnded {
      try shared.readingPages { (isAwaited) throws(StoreError) in
        repeat { try listPage(isAwaited, body) } while !isEnded && !isAwaited()
        if delivered > 0 { isEnded = true }
      }
    }
  }

  private mutating func listPage(
    _ isAwaited: () -> Bool, _ body: (StreamListing) -> Bool
  ) throws(StoreError) {
    let (tenant, start) = (tenant, next)
    let page = try shared.withState { (state) throws(StoreError) in
      let number = try state.activeTenant(tenant).number
      return try StoreError.translating { () throws(KeyringError) in
        try state.keyring.streamSlots(number, from: start, examining: Self.pageKeys)
      }
    }
    for slot in page.slots {
      let isLast = page.next == nil && slot == page.slots.last
      if let listing = try listing(of: slot) {
        delivered += 1
        guard body(listing), delivered < limit else {
          isEnded = true
          reached = isLast ? nil : slot.rawValue
          return
        }
      }
      // A shred waits for this section: a page of streams costs more than a page of events.
      if isAwaited(), !isLast {
        (next, reached) = (Slot(rawValue: slot.rawValue + 1), slot.rawValue)
        return
      }
    }
    guard let following = page.next else {
      (isEnded, reached) = (true, nil)
      return
    }
    (next, reached) = (following, following.rawValue - 1)
    keysLeft -= Self.pageKeys
    if keysLeft <= 0 { isEnded = true }
  }

  /// Nil when the stream has no event, or its key has gone meanwhile.
  private mutating func listing(of slot: Slot) throws(StoreError) -> StreamListing? {
    let number = tenant
    let term = try shared.withState { (state) throws(StoreError) -> TermKey? in
      guard let key = try state.key(try state.activeTenant(number), slot) else { return nil }
      return TermKey(TermKey.stream, from: key)
    }
    guard let term else { return nil }
    var newest: ReadEvent?
    var name: [UInt8]?
    var range = PostingRange()
    var looked = 0
    var limit = 4
    while name == nil, looked < Self.lookBack {
      let postings = try term.postings(in: shared.index, range, isDescending: true, limit: limit)
      _ = try reader.read(
        postings[...],
        isWanted: { $1.stream == slot && $1.version == $2.ordinal },
        { event, plain in
          newest = newest ?? event
          name = Self.streamName(plain)
          return name == nil
        })
      guard postings.count == limit, let last = postings.last?.sequence, last > 0 else { break }
      range.sequences = 0...(last - 1)
      looked += postings.count
      limit = EventReader.pageEvents
    }
    guard let newest else { return nil }
    return StreamListing(
      name: name, version: newest.version, lastStoredMilliseconds: newest.storedMilliseconds)
  }

  private static func streamName(_ body: Span<UInt8>) -> [UInt8]? {
    guard let place = EventBodyReader(body)?.place(of: .stream, in: body) else { return nil }
    return body.extracting(place).array
  }
}
