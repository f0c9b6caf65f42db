import EventModel
import Keyring
import Sodium
import Storage

/// Slot and term of a name that has a key.
struct NamedTerm {
  let slot: Slot
  let term: TermKey
}

/// What a query is about: the caller's filter, or an id.
struct QueryMatch: Hashable {
  var filter: EventFilter
  /// The client's own id; then the source is the filter's, empty when none was given.
  var id: [UInt8]?
}

/// What the names in a query stand for at present.
///
/// Held for one section of reading at most: a shred that ends meanwhile must find them gone.
struct QueryTerms {
  let feed: TermKey
  private(set) var stream: NamedTerm?
  /// One for each retention class that the person has a key in.
  private(set) var subjects: [NamedTerm] = []
  private(set) var type: TermKey?
  private(set) var id: TermKey?
  /// True when a stream or person has no key: then no live event matches.
  private(set) var isVain = false
  /// The tenant's newest durable position, and the newest sequence of the store.
  let lastPosition: UInt64
  let lastSequence: UInt64

  /// Which term the postings come from.
  enum Driver: Hashable {
    case feed
    case stream
    case subject
    case type
    case id
  }

  /// Looks the names up; called with the engine's lock held.
  init(
    _ match: QueryMatch, _ number: TenantNumber, in state: EngineState
  ) throws(StoreError) {
    let tenant = try state.activeTenant(number)
    let secrets = try tenant.open(state.keyring)
    let keys = secrets.keys
    lastPosition = tenant.committed.position
    lastSequence = max(1, state.nextSequence) - 1
    feed = TermKey(TermKey.feed, from: keys.mapKey)
    if let id = match.id {
      var scratch: [UInt8] = []
      let source = match.filter.source ?? []
      self.id = TermKey(
        IDTerm(id: id.span, source: source.span, idKey: secrets.idKey, scratch: &scratch))
    }
    if let name = match.filter.type {
      type = TermKey(type: name.span, mapKey: keys.mapKey)
    }
    if let name = match.filter.stream {
      stream = try Self.named(.stream, .default, name, keys, tenant, state)
      isVain = stream == nil
    }
    if let name = match.filter.subject {
      for retentionClass in keys.classes {
        if let found = try Self.named(
          .subject, retentionClass.number, name, keys, tenant, state)
        {
          subjects.append(found)
        }
      }
      isVain = isVain || subjects.isEmpty
    }
  }

  /// The rarest of what the query names, as far as the index tells without reading.
  func driver(in index: EventIndex) -> Driver {
    if id != nil { return .id }
    var best = (driver: Driver.feed, count: Int.max)
    func consider(_ driver: Driver, _ terms: [TermKey]) {
      guard !terms.isEmpty else { return }
      let count = terms.reduce(0) { $0 + $1.countMax(in: index) }
      if count < best.count { best = (driver, count) }
    }
    consider(.subject, subjects.map(\.term))
    consider(.stream, stream.map { [$0.term] } ?? [])
    consider(.type, type.map { [$0] } ?? [])
    return best.driver
  }

  /// The terms that a driver's postings are merged from.
  func terms(of driver: Driver) -> [TermKey] {
    switch driver {
    case .feed: [feed]
    case .stream: stream.map { [$0.term] } ?? []
    case .subject: subjects.map(\.term)
    case .type: type.map { [$0] } ?? []
    case .id: id.map { [$0] } ?? []
    }
  }

  private static func named(
    _ kind: NameKind, _ classNumber: ClassNumber, _ name: [UInt8], _ keys: TenantKeys,
    _ tenant: TenantState, _ state: EngineState
  ) throws(StoreError) -> NamedTerm? {
    var resolver = NameResolver()
    let tag = resolver.tag(kind, classNumber, name.span, keys)
    let entry = try StoreError.translating { () throws(KeyringError) in
      try state.keyring.entry(tenant.number, tag: tag)
    }
    guard let slot = entry?.slot, let key = try state.key(tenant, slot) else { return nil }
    return NamedTerm(
      slot: slot, term: TermKey(kind == .stream ? TermKey.stream : TermKey.subject, from: key))
  }
}
