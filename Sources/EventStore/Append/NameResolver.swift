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
    return Self.tag(message.span, keys.mapKey)
  }

  private static func tag(_ message: Span<UInt8>, _ mapKey: borrowing SecretBytes) -> Tag128 {
    SipHash.tag128(message, key: mapKey.bytes.extracting(0..<16))
  }

  /// The person's key state, or nil when there is none yet; throws when the person was erased.
  mutating func subject(
    _ tag: Tag128, id: ArraySlice<UInt8>, tenant: TenantState, today: UInt16, in state: EngineState
  ) throws(StoreError) -> SubjectState? {
    let secrets = try tenant.open(state.keyring)
    if let known = secrets.subjects[tag] { return known }
    if let slot = try liveSlot(tag, tenant, state), let key = try state.key(tenant, slot) {
      let subject = SubjectState(slot: slot, term: TermKey(TermKey.subject, from: key))
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
    let term = TermKey(TermKey.stream, from: key)
    let version = try log.newestVersion(
      of: slot, term, tenant: tenant, state: state, index: index)
    let stream = StreamState(slot: slot, term: term, version: version)
    secrets.streams[tag] = stream
    return stream
  }

  private func liveSlot(
    _ tag: Tag128, _ tenant: TenantState, _ state: EngineState
  ) throws(StoreError) -> Slot? {
    try StoreError.translating { () throws(KeyringError) in
      try state.keyring.entry(tenant.number, tag: tag)?.slot
    }
  }
}
