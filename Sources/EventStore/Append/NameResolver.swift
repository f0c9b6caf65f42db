import EventModel
import Keyring
import Sodium

/// A request's names with their keys' states; what sealing needs.
struct ResolvedRequest {
  let tenant: TenantState
  let secrets: TenantSecrets
  let retentionClass: RetentionClass
  let stream: StreamState
  /// The first, since nearly all events name one person.
  var subject: SubjectState?
  var moreSubjects: [SubjectState] = []

  /// The persons' slots, ascending.
  var slots: SubjectSlots {
    var slots = SubjectSlots()
    if let subject { slots.append(subject.slot) }
    for subject in moreSubjects { slots.append(subject.slot) }
    return slots
  }

  /// Adds a person; one who is named twice counts once.
  mutating func add(_ found: SubjectState) {
    guard let subject else {
      subject = found
      return
    }
    guard subject !== found, !moreSubjects.contains(where: { $0 === found }) else { return }
    moreSubjects.append(found)
  }

  func forEachSubject(_ body: (SubjectState) -> Void) {
    if let subject { body(subject) }
    for subject in moreSubjects { body(subject) }
  }
}

/// Finds the keys that belong to the names of streams and persons.
struct NameResolver {
  /// Scratch for `kind | class | id`.
  private var message: [UInt8] = []
  /// The tenant of the last request: neighbours mostly share it. Valid for one commit.
  private var last: (tenant: TenantState, secrets: TenantSecrets)?

  /// Forgets what it kept; tenants may have come and gone.
  mutating func begin() { last = nil }

  private mutating func find(
    _ number: TenantNumber, in state: EngineState
  ) throws(StoreError) -> (tenant: TenantState, secrets: TenantSecrets) {
    if let last, last.tenant.number == number { return last }
    guard let tenant = state.tenants[number] else { throw .noTenant }
    guard !tenant.isSuspended else { throw .suspended }
    let found = (tenant: tenant, secrets: try tenant.open(state.keyring))
    last = found
    return found
  }

  /// The tag of a name in its tenant's map (Docs/Format.md, section 4.1).
  mutating func tag(
    _ kind: NameKind, _ classNumber: ClassNumber, _ id: Span<UInt8>, _ keys: TenantKeys
  ) -> Tag128 {
    message.removeAll(keepingCapacity: true)
    message.append(kind.rawValue)
    message.append(classNumber.rawValue)
    message.appendSpan(id)
    return Self.tag(message.span, keys.mapKey)
  }

  private static func tag(_ message: Span<UInt8>, _ mapKey: borrowing SecretBytes) -> Tag128 {
    SipHash.tag128(message, key: mapKey.bytes.extracting(0..<16))
  }

  /// Everything that a request names, or nil when a name has no key yet.
  mutating func resolve(
    _ bytes: Span<UInt8>, _ request: AppendRequest, now: Int64, in state: EngineState,
    index: EventIndex, log: LogReader
  ) throws(StoreError) -> ResolvedRequest? {
    let (tenant, secrets) = try find(request.tenant, in: state)
    let name = bytes.extracting(request.className.range)
    guard let retentionClass = secrets.retentionClass(named: name) else { throw .unknownClass }
    let streamName = bytes.extracting(request.stream.range)
    let streamTag = tag(.stream, .default, streamName, secrets.keys)
    let stream = try stream(
      streamTag, tenant: tenant, secrets, in: state, index: index, log: log)
    var found: SubjectState?
    var resolved = stream.map {
      ResolvedRequest(
        tenant: tenant, secrets: secrets, retentionClass: retentionClass, stream: $0)
    }
    for place in 0..<Int(request.subjectCount) {
      let id = bytes.extracting(request.subjects[place].range)
      let subjectTag = tag(.subject, retentionClass.number, id, secrets.keys)
      found = try subject(
        subjectTag, id: id, tenant: tenant, secrets, today: UInt16(clamping: now / 86_400_000),
        in: state)
      guard let found else { return nil }
      resolved?.add(found)
    }
    return resolved
  }

  /// Adds the keys that a request needs and that do not exist yet; nothing when it will be refused.
  mutating func gather(
    _ bytes: Span<UInt8>, _ request: AppendRequest, isAlone: Bool, now: Int64,
    in state: EngineState, index eventIndex: EventIndex, log: LogReader, _ wanted: inout [NewKey],
    _ known: inout Set<WantedName>
  ) throws(StoreError) {
    let (tenant, secrets) = try find(request.tenant, in: state)
    let name = bytes.extracting(request.className.range)
    guard let retentionClass = secrets.retentionClass(named: name) else { throw .unknownClass }
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
      // Alone in its group, a request that expects events is refused before a key is made for it.
      guard !isAlone || request.expectation.allows(0) else {
        throw .wrongVersion(expected: request.expectation, actual: 0)
      }
      missing.append(NewKey(tenant: tenant.number, kind: .stream, tag: tag))
    }
    for key in missing
    where known.insert(WantedName(tenant: key.tenant, tag: key.tag)).inserted {
      wanted.append(key)
    }
  }

  /// The person's key state, or nil when there is none yet; throws when the person was erased.
  mutating func subject(
    _ tag: Tag128, id: Span<UInt8>, tenant: TenantState, _ secrets: TenantSecrets, today: UInt16,
    in state: EngineState
  ) throws(StoreError) -> SubjectState? {
    if let known = secrets.subjects[tag] { return known }
    if let slot = try liveSlot(tag, tenant, state), let key = try state.key(tenant, slot) {
      let subject = SubjectState(slot: slot, term: TermKey(TermKey.subject, from: key))
      secrets.subjects.set(tag, subject)
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
    _ tag: Tag128, tenant: TenantState, _ secrets: TenantSecrets, in state: EngineState,
    index: EventIndex, log: LogReader
  ) throws(StoreError) -> StreamState? {
    if let known = secrets.streams[tag] { return known }
    guard let slot = try liveSlot(tag, tenant, state), let key = try state.key(tenant, slot) else {
      return nil
    }
    let term = TermKey(TermKey.stream, from: key)
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
