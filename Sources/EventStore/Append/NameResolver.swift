import EventModel
import Keyring
import Sodium

/// Finds the keys that belong to the names of streams and persons, and makes the missing ones.
///
/// A key is durable before the event that needs it; one whose event is then refused is harmless.
struct NameResolver {
  /// Scratch for `kind | class | id`.
  private var message: [UInt8] = []

  /// The tag of a name in its tenant's map (Docs/Format.md, section 4.1).
  mutating func tag(
    _ kind: NameKind, _ classNumber: ClassNumber, _ id: ArraySlice<UInt8>, _ keys: TenantKeys
  ) -> Tag128 {
    message.removeAll(keepingCapacity: true)
    message.append(kind.rawValue)
    message.append(classNumber.rawValue)
    message.append(contentsOf: id)
    return SipHash.tag128(message.span, key: keys.mapKey.bytes.extracting(0..<16))
  }

  /// The person's key state, or nil when there is none yet; throws when the person was erased.
  mutating func subject(
    _ tag: Tag128, id: ArraySlice<UInt8>, tenant: TenantState, today: UInt16, in state: EngineState
  ) throws(StoreError) -> SubjectState? {
    let secrets = try tenant.open(state.keyring)
    if let known = secrets.subjects[tag] { return known }
    if let slot = try liveSlot(tag, tenant, state), let key = try state.key(tenant, slot) {
      let term = Self.term(Self.subjectContext, key.bytes)
      let subject = SubjectState(slot: slot, key: key, term: term)
      secrets.subjects[tag] = subject
      return subject
    }
    let mark = self.tag(.suppression, .default, id, secrets.keys)
    let entry = try StoreError.translating { () throws(KeyringError) in
      try state.keyring.entry(tenant.number, tag: mark)
    }
    if let entry, entry.untilDay > today { throw .subjectShredded }
    return nil
  }

  /// The stream's key state, or nil when it has no event yet.
  mutating func stream(
    _ tag: Tag128, tenant: TenantState, in state: EngineState, index: EventIndex, log: LogReader
  ) throws(StoreError) -> StreamState? {
    let secrets = try tenant.open(state.keyring)
    if let known = secrets.streams[tag] { return known }
    guard let slot = try liveSlot(tag, tenant, state), let key = try state.key(tenant, slot) else {
      return nil
    }
    let term = Self.term(Self.streamContext, key.bytes)
    let version = try log.newestVersion(
      of: slot, termKey: term.key.bytes, tenant: tenant, state: state, index: index)
    let stream = StreamState(slot: slot, key: key, term: term, version: version)
    secrets.streams[tag] = stream
    return stream
  }

  static let streamContext = KeyDerivation.Context("LT1.idx.stream")
  static let subjectContext = KeyDerivation.Context("LT1.idx.subject")

  /// The key of a stream's or a person's postings.
  static func term(_ context: KeyDerivation.Context, _ key: Span<UInt8>) -> TermKey {
    TermKey(
      KeyDerivation.secret(
        count: 16, key: key, context: context, message: key.extracting(0..<0)))
  }

  private func liveSlot(
    _ tag: Tag128, _ tenant: TenantState, _ state: EngineState
  ) throws(StoreError) -> Slot? {
    try StoreError.translating { () throws(KeyringError) in
      try state.keyring.entry(tenant.number, tag: tag)?.slot
    }
  }
}
