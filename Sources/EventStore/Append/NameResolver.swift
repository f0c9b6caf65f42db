import EventModel
import Keyring
import Sodium

/// A request's names with their keys' states; what sealing needs.
///
/// One object that is filled anew for each request: what neighbours share is left as it is, which
/// spares most of the counting of references.
final class ResolvedNames {
  fileprivate(set) var tenant: TenantState
  fileprivate(set) var secrets: TenantSecrets
  fileprivate(set) var retentionClass: RetentionClass
  fileprivate(set) var stream: StreamState
  fileprivate var streamTag: Tag128
  /// The first, since nearly all events name one person.
  fileprivate(set) var subject: SubjectState?
  fileprivate(set) var moreSubjects: [SubjectState] = []
  /// The persons' slots, ascending.
  fileprivate(set) var slots = SubjectSlots()

  fileprivate init(
    _ tenant: TenantState, _ secrets: TenantSecrets, _ stream: StreamState, _ streamTag: Tag128
  ) {
    self.tenant = tenant
    self.secrets = secrets
    self.stream = stream
    self.streamTag = streamTag
    retentionClass = secrets.defaultClass
  }

  fileprivate func removeSubjects() {
    if !moreSubjects.isEmpty { moreSubjects = [] }
    slots = SubjectSlots()
  }

  /// Adds a person; one who is named twice counts once.
  fileprivate func add(_ found: SubjectState) {
    guard !slots.contains(found.slot) else { return }
    if slots.count == 0 { subject = found } else { moreSubjects.append(found) }
    slots.append(found.slot)
  }

  /// Calls `body` with each person.
  func forEachSubject(_ body: (SubjectState) -> Void) {
    guard slots.count > 0, let subject else { return }
    body(subject)
    for subject in moreSubjects { body(subject) }
  }
}

/// Finds the keys that belong to the names of streams and persons.
struct NameResolver {
  /// Scratch for `kind | class | id`.
  private var message: [UInt8] = []
  /// The names of the last request; valid for one commit.
  private var resolved: ResolvedNames?

  /// Forgets what it kept; tenants and names may have come and gone.
  mutating func begin() { resolved = nil }

  private func find(
    _ request: AppendRequest, in state: EngineState
  ) throws(StoreError) -> (tenant: TenantState, secrets: TenantSecrets) {
    if let resolved, resolved.tenant.number == request.tenant {
      guard !resolved.tenant.demandsIDs || !request.id.isEmpty else { throw .idMissing }
      return (resolved.tenant, resolved.secrets)
    }
    guard let tenant = state.tenants[request.tenant] else { throw .noTenant }
    guard !tenant.isSuspended, tenant.hidden.access == .all else { throw .suspended }
    guard !tenant.demandsIDs || !request.id.isEmpty else { throw .idMissing }
    return (tenant, try tenant.open(state.keyring))
  }

  /// The tag of a name in its tenant's map (Docs/Format.md, section 4.1).
  ///
  /// All of a person's begin alike, whatever class they are of, so that they lie in one leaf: an erasure
  /// seals one path of the map anew.
  mutating func tag(
    _ kind: NameKind, _ classNumber: ClassNumber, _ id: Span<UInt8>, _ keys: TenantKeys
  ) -> Tag128 {
    message.removeAll(keepingCapacity: true)
    message.append(kind.rawValue)
    message.append(classNumber.rawValue)
    message.appendSpan(id)
    return Self.tag(ofName: &message, keys.mapKey)
  }

  /// The tag of `kind u8 | class u8 | id`, which is overwritten.
  static func tag(ofName message: inout [UInt8], _ mapKey: borrowing SecretBytes) -> Tag128 {
    let tag = tag(message.span, mapKey)
    guard message[0] != NameKind.stream.rawValue else { return tag }
    message[0] = 0
    message[1] = 0
    let first = SipHash.tag64(message.span, key: mapKey.bytes.extracting(0..<16))
    return Tag128(low: first, high: tag.high)
  }

  private static func tag(_ message: Span<UInt8>, _ mapKey: borrowing SecretBytes) -> Tag128 {
    SipHash.tag128(message, key: mapKey.bytes.extracting(0..<16))
  }

  /// The tag under which a name's key is found that only waits for its end, from the tag that it had,
  /// with which it begins alike.
  mutating func tag(former tag: Tag128, _ kind: NameKind, _ keys: TenantKeys) -> Tag128 {
    message.removeAll(keepingCapacity: true)
    message.append(contentsOf: [kind.rawValue, ClassNumber.default.rawValue])
    message.appendBigEndian(tag.low.byteSwapped, bytes: 8)
    message.appendBigEndian(tag.high.byteSwapped, bytes: 8)
    return Tag128(low: tag.low, high: Self.tag(message.span, keys.mapKey).high)
  }

  /// The tag of the mark of an erased event's id (Docs/Format.md, section 4.1).
  mutating func tag(
    ofID id: Span<UInt8>, source: Span<UInt8>, _ keys: TenantKeys
  ) -> Tag128 {
    message.removeAll(keepingCapacity: true)
    message.append(contentsOf: [NameKind.erasedID.rawValue, ClassNumber.default.rawValue])
    message.appendBigEndian(UInt64(source.count), bytes: 2)
    message.appendSpan(source)
    message.appendSpan(id)
    return Self.tag(message.span, keys.mapKey)
  }

  /// Throws `.eventErased` when the event of the request's id was shredded within the last days.
  ///
  /// The index may not know of it: one that was built anew since has nothing of erased events.
  mutating func refuseErased(
    _ bytes: Span<UInt8>, _ request: AppendRequest, _ resolved: ResolvedNames, now: Int64,
    in state: EngineState
  ) throws(StoreError) {
    let tag = tag(
      ofID: bytes.extracting(request.id.range), source: bytes.extracting(request.source.range),
      resolved.secrets.keys)
    let mark = try StoreError.translating { () throws(KeyringError) in
      try state.keyring.entry(resolved.tenant.number, tag: tag)
    }
    guard let mark, mark.untilDay > UInt16(clamping: now / 86_400_000) else { return }
    throw .eventErased(position: mark.position)
  }

  /// Everything that a request names, or nil when a name has no key yet.
  mutating func resolve(
    _ bytes: Span<UInt8>, _ request: AppendRequest, now: Int64, in state: EngineState,
    index: EventIndex, log: LogReader
  ) throws(StoreError) -> ResolvedNames? {
    let (tenant, secrets) = try find(request, in: state)
    let streamTag = tag(
      .stream, .default, bytes.extracting(request.stream.range), secrets.keys)
    let names: ResolvedNames
    if let resolved, resolved.tenant === tenant, resolved.streamTag == streamTag {
      names = resolved
    } else {
      let stream = try stream(
        streamTag, tenant: tenant, secrets, in: state, index: index, log: log)
      guard let stream else { return nil }
      names = ResolvedNames(tenant, secrets, stream, streamTag)
      resolved = names
    }
    let retentionClass = try Self.retentionClass(bytes, request, secrets)
    if names.retentionClass !== retentionClass { names.retentionClass = retentionClass }
    names.removeSubjects()
    for place in 0..<Int(request.subjectCount) {
      let id = bytes.extracting(request.subjects[place].range)
      let subjectTag = tag(.subject, names.retentionClass.number, id, secrets.keys)
      let found = try subject(
        subjectTag, id: id, tenant: tenant, secrets, today: UInt16(clamping: now / 86_400_000),
        in: state)
      guard let found else { return nil }
      names.add(found)
    }
    return names
  }

  /// True when the request names a person who was erased, restricted or objected.
  mutating func namesErased(
    _ bytes: Span<UInt8>, _ request: AppendRequest, now: Int64, in state: EngineState
  ) throws(StoreError) -> Bool {
    let (tenant, secrets) = try find(request, in: state)
    let retentionClass = try Self.retentionClass(bytes, request, secrets)
    for place in 0..<Int(request.subjectCount) {
      let id = bytes.extracting(request.subjects[place].range)
      let tag = tag(.subject, retentionClass.number, id, secrets.keys)
      do throws(StoreError) {
        _ = try subject(
          tag, id: id, tenant: tenant, secrets, today: UInt16(clamping: now / 86_400_000),
          in: state)
      } catch {
        guard error == .subjectShredded || error == .subjectRestricted else { throw error }
        return true
      }
    }
    return false
  }

  /// The class that the request says, or that its type is mapped to, or the default.
  private static func retentionClass(
    _ bytes: Span<UInt8>, _ request: AppendRequest, _ secrets: TenantSecrets
  ) throws(StoreError) -> RetentionClass {
    if request.className.isEmpty {
      let body = bytes.extracting(request.body.range)
      return secrets.typeClasses.retentionClass(ofTypeIn: body) ?? secrets.defaultClass
    }
    let name = bytes.extracting(request.className.range)
    guard let found = secrets.retentionClass(named: name) else { throw .unknownClass }
    return found
  }

  /// The request's stream, or nil when it has no event yet.
  mutating func knownStream(
    _ bytes: Span<UInt8>, _ request: AppendRequest, in state: EngineState, index: EventIndex,
    log: LogReader
  ) throws(StoreError) -> StreamState? {
    let (tenant, secrets) = try find(request, in: state)
    let tag = tag(
      .stream, .default, bytes.extracting(request.stream.range), secrets.keys)
    return try stream(tag, tenant: tenant, secrets, in: state, index: index, log: log)
  }

  /// Adds the keys that a request needs and that do not exist yet; nothing when it will be refused.
  mutating func gather(
    _ bytes: Span<UInt8>, _ request: AppendRequest, isAlone: Bool, now: Int64,
    in state: EngineState, index eventIndex: EventIndex, log: LogReader, _ wanted: inout [NewKey],
    _ known: inout Set<WantedName>
  ) throws(StoreError) {
    let (tenant, secrets) = try find(request, in: state)
    let retentionClass = try Self.retentionClass(bytes, request, secrets)
    var missing: [NewKey] = []
    for place in 0..<Int(request.subjectCount) {
      let id = bytes.extracting(request.subjects[place].range)
      let tag = tag(.subject, retentionClass.number, id, secrets.keys)
      let found = try subject(
        tag, id: id, tenant: tenant, secrets, today: UInt16(clamping: now / 86_400_000), in: state)
      if found == nil {
        missing.append(NewKey(tenant: tenant.number, kind: .subject, tag: tag))
      }
    }
    let streamName = bytes.extracting(request.stream.range)
    let tag = tag(.stream, .default, streamName, secrets.keys)
    let stream = try stream(
      tag, tenant: tenant, secrets, in: state, index: eventIndex, log: log)
    if stream == nil {
      // Alone in its group, a request that expects events is refused before a key is made for it;
      // one with an id is not, since it may repeat an event of a stream that was destroyed.
      guard !isAlone || !request.id.isEmpty || request.expectation.allows(0) else {
        throw .wrongVersion(expected: request.expectation, actual: 0)
      }
      missing.append(NewKey(tenant: tenant.number, kind: .stream, tag: tag))
    }
    for key in missing
    where known.insert(WantedName(tenant: key.tenant, tag: key.tag)).inserted {
      wanted.append(key)
    }
  }

  /// The person's key state, or nil when there is none yet; throws when nothing is to be added
  /// about the person.
  mutating func subject(
    _ tag: Tag128, id: Span<UInt8>, tenant: TenantState, _ secrets: TenantSecrets, today: UInt16,
    in state: EngineState
  ) throws(StoreError) -> SubjectState? {
    if let known = secrets.subjects[tag] { return known }
    if let slot = try liveSlot(tag, tenant, state), let entry = try state.entry(tenant, slot) {
      // Not kept: it is asked for seldom, and the tables say when it has ended.
      guard entry.marks.isEmpty else { throw .subjectRestricted }
      let subject = SubjectState(slot: slot, term: TermKey(TermKey.subject, from: entry.key))
      secrets.subjects.set(tag, subject)
      return subject
    }
    let mark = self.tag(.suppression, .default, id, secrets.keys)
    let entry = try StoreError.translating { () throws(KeyringError) in
      try state.keyring.entry(tenant.number, tag: mark)
    }
    if let entry, entry.untilDay > today { throw .subjectShredded }
    if let entry, !entry.marks.isEmpty { throw .subjectRestricted }
    return nil
  }

  /// The stream's key state, or nil when it has no event yet.
  mutating func stream(
    _ tag: Tag128, tenant: TenantState, _ secrets: TenantSecrets, in state: EngineState,
    index: EventIndex, log: LogReader
  ) throws(StoreError) -> StreamState? {
    if let known = secrets.streams[tag] { return known }
    guard let slot = try liveSlot(tag, tenant, state), let entry = try state.entry(tenant, slot)
    else { return nil }
    guard entry.marks.isEmpty else { throw .streamRestricted }
    let term = TermKey(TermKey.stream, from: entry.key)
    let version = try log.newestVersion(
      of: slot, term, tenant: tenant, state: state, index: index)
    let stream = StreamState(slot: slot, term: term, version: version)
    secrets.streams.set(tag, stream)
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

/// A name that has no key yet, so that a batch asks for each once.
struct WantedName: Hashable {
  let tenant: TenantNumber
  let tag: Tag128
}
