import EventModel
import EventStore
import NIOCore
import RESP

/// A read as a command asked for it; runs on a reader thread.
enum ReadPlan: Sendable {
  /// One event by its position.
  case position(TenantNumber, UInt64, EventFormat)
  case range(RangeRead)
  /// What is behind each cursor; waits for `blockMilliseconds` when nothing is.
  case tail(TailRead, blockMilliseconds: Int?)
  case summary(TenantNumber, stream: [UInt8])
  case query(QueryPlan)
  case proof(ProofRead)
  /// Events taken out in bulk, under a grant.
  case export(RangeRead, Actor)
  /// What there is about a person, for the officer who asks.
  case subject(QueryRead, Actor)
  /// Lines of the ledger.
  case ledger(LedgerRead)
  /// A signed checkpoint of the tenant's log.
  case checkpoint(TenantNumber)
  /// The reads of a transaction.
  case several([ReadPlan])
}

/// Events of a stream by version, or of the tenant by position, in either direction.
struct RangeRead: Sendable {
  var tenant: TenantNumber
  /// Nil is the whole tenant.
  var stream: [UInt8]?
  var range: ClosedRange<UInt64>
  var isDescending: Bool
  var count: Int
  /// Erased and restricted events are left out and not counted.
  var isLiveOnly: Bool
  var format = EventFormat.map
}

/// What is behind the cursors of an `EVENT.READ`.
struct TailRead: Sendable {
  struct Cursor: Sendable {
    /// Nil is the whole tenant.
    var stream: [UInt8]?
    /// Nil is `$`: whatever is newest when the read first runs.
    var after: UInt64?
  }

  var tenant: TenantNumber
  var cursors: [Cursor]
  var count: Int
  var format = EventFormat.map
}

/// What was read out by one read.
struct Access: Sendable {
  let verb: AccessVerb
  var positions = ServedPositions()
  var byteCount = 0

  init(_ verb: AccessVerb) { self.verb = verb }
}

/// What a reader thread brings back.
struct ReadAnswer: Sendable {
  /// The reply, encoded; empty when it is long, or when a tail read found nothing.
  var bytes: [UInt8] = []
  /// A long reply, in the buffers in which it was gathered.
  var chunks: [ByteBuffer] = []
  var refusal: CommandError?
  /// The tenant is gone; the connection looks for it again.
  var isTenantGone = false
  /// ``ShredBarrier/count`` when the read began.
  var epoch: UInt64 = 0
  /// The tail read with `$` replaced by what was newest; nil for other reads.
  var tail: TailRead?
  /// The number that a read of erasures began behind.
  var erasuresAfter: UInt64?
  /// Whose events it has, when the connection is bound to no tenant.
  var namedTenant: TenantNumber?
  /// What the access log must know before it leaves: a line for each read.
  var accesses: [Access] = []
  /// It must wait until the access log has that on the disk.
  var isStrict = false
  /// Where the reply to each read of a transaction ends in ``bytes``.
  var ends: [Int] = []

  /// Longer replies are sent as they are; shorter ones are copied, since a whole buffer each would
  /// be too much for many slow clients.
  private static let copiedBytesMax = 16 << 10

  var isEmpty: Bool { bytes.isEmpty && chunks.isEmpty }

  /// Length of the reply.
  var readableByteCount: Int { chunks.reduce(bytes.count) { $0 + $1.readableBytes } }

  /// Memory that the reply holds.
  var byteCount: Int { chunks.reduce(bytes.count) { $0 + $1.storageCapacity } }

  /// Takes a list as the reply; without `buffers` it is wanted in one piece.
  mutating func set(_ list: consuming EventList, _ buffers: ReplyBuffers?) {
    guard let buffers else { return bytes = list.encoded() }
    if list.byteCount > Self.copiedBytesMax { return chunks = list.encodedInPlace() }
    bytes = list.encoded()
    var gathered = list.encodedInPlace()
    while let buffer = gathered.popLast() { buffers.give(buffer) }
  }
}

extension ReadPlan {
  /// The verb as the access log has it.
  private var verb: AccessVerb {
    switch self {
    case .position: .get
    case .range: .range
    case .tail: .read
    case .summary: .stream
    case .proof, .checkpoint: .proof
    case .export: .export
    case .subject: .subjectExport
    case .query(.event): .get
    case .query(.events): .query
    case .query(.count): .count
    case .query(.streams): .streams
    case .query(.erasures): .erasures
    case .several, .ledger: .range
    }
  }

  /// Whose events are read.
  private var tenant: TenantNumber {
    switch self {
    case .position(let tenant, _, _), .summary(let tenant, _): tenant
    case .range(let read): read.tenant
    case .tail(let read, _): read.tenant
    case .proof(let read): read.tenant
    case .checkpoint(let tenant): tenant
    case .query(.event(let tenant, _, _, _)), .query(.count(let tenant, _)),
      .query(.streams(let tenant, _, _)):
      tenant
    case .query(.events(let read)): read.tenant
    case .query(.erasures(let read, _)): read.tenant
    case .several(let plans): plans.first?.tenant ?? .none
    case .ledger: .none
    case .export(let read, _): read.tenant
    case .subject(let read, _): read.tenant
    }
  }

  /// Runs the read; blocks on the disk.
  func run(
    on store: EventStore, _ encoder: ReplyEncoder, _ buffers: ReplyBuffers? = nil
  ) -> ReadAnswer {
    var answer = ReadAnswer()
    answer.namedTenant = namedTenant
    var access = Access(verb)
    do throws(StoreError) {
      switch self {
      case .position(let tenant, let position, let format):
        answer.bytes = try Self.event(
          tenant, position, format, on: store, encoder, &access.positions)
      case .range(let read):
        try Self.run(read, on: store, encoder, buffers, &answer, &access)
      case .export(let read, let actor):
        try store.checkGrant(read.tenant, actor, verb: "event.export")
        try Self.run(read, on: store, encoder, buffers, &answer, &access)
      case .subject(let read, let actor):
        answer.bytes = try SubjectExport(read: read, actor: actor).run(
          on: store, encoder, &access.positions)
      case .tail(var read, _):
        answer.bytes = try read.run(on: store, encoder, &access.positions)
        answer.tail = read
      case .summary(let tenant, let stream):
        let summary = try store.summary(tenant, stream: stream.span)
        StreamReply.append(summary, encoder, to: &answer.bytes)
      case .proof(let read): answer.bytes = try read.run(on: store, encoder)
      case .ledger(let read):
        // Not of a tenant's events.
        answer.bytes = try read.run(on: store, encoder)
        return answer
      case .query(let plan): try plan.run(on: store, encoder, into: &answer, &access.positions)
      case .checkpoint(let tenant):
        let note = try store.checkpoint(tenant)
        encoder.bulk(note.span, to: &answer.bytes)
      case .several(let plans): return Self.run(plans, on: store, encoder)
      }
      access.byteCount = answer.readableByteCount
      if access.byteCount > 0 {
        answer.accesses = [access]
        answer.isStrict = try store.isStrict(tenant)
      }
    } catch {
      answer.refusal = CommandError(error)
      answer.isTenantGone = error == .noTenant
    }
    return answer
  }

  private static func run(
    _ read: RangeRead, on store: EventStore, _ encoder: ReplyEncoder, _ buffers: ReplyBuffers?,
    _ answer: inout ReadAnswer, _ access: inout Access
  ) throws(StoreError) {
    var list = EventList(
      encoder: encoder, count: read.count, isLiveOnly: read.isLiveOnly, format: read.format,
      buffers: buffers ?? ReplyBuffers())
    try read.run(on: store, into: &list)
    access.positions = list.served
    answer.set(list, buffers)
  }

  /// The tenant of a read on the admin socket, whose connections are bound to none.
  var namedTenant: TenantNumber? {
    if case .subject(let read, _) = self { return read.tenant }
    return nil
  }

  private static func event(
    _ tenant: TenantNumber, _ position: UInt64, _ format: EventFormat, on store: EventStore,
    _ encoder: ReplyEncoder, _ served: inout ServedPositions
  ) throws(StoreError) -> [UInt8] {
    var bytes: [UInt8] = []
    try store.readFeed(
      tenant, positions: position...position, isDescending: false, limit: 1
    ) { event, body in
      format.append(event, body: body, encoder, to: &bytes)
      if event.state == .live { served.add(event.position) }
      return false
    }
    guard !bytes.isEmpty else {
      // Positions are dense: one that has no event any more has had one.
      guard try position > store.lastPosition(tenant) else { throw .expired(position: position) }
      throw .noEvent
    }
    return bytes
  }
}

extension RangeRead {
  func run(on store: EventStore, into list: inout EventList) throws(StoreError) {
    guard count > 0 else { return }
    var rest: RangeRead? = self
    if let split = try split(on: store) { rest = try split.run(on: store, into: &list) }
    guard let rest, !list.isOutOfBytes else { return }
    try rest.read(store, into: &list)
  }

  private func split(on store: EventStore) throws(StoreError) -> SplitRead? {
    guard !isLiveOnly, count >= SplitRead.countMin else { return nil }
    let newest: UInt64
    if let stream {
      newest = try store.lastVersion(tenant, stream: stream.span)
    } else {
      newest = try store.lastPosition(tenant)
    }
    return SplitRead(self, newest: newest)
  }

  /// Reads on this thread.
  func read(_ store: EventStore, into list: inout EventList) throws(StoreError) {
    // With LIVEONLY nobody knows how many events must be looked at.
    let limit = isLiveOnly ? Int.max : count
    if let stream {
      try store.readStream(
        tenant, stream: stream.span, versions: range, isDescending: isDescending, limit: limit
      ) { event, body in list.add(event, body: body, stream: stream.span) }
    } else {
      try store.readFeed(
        tenant, positions: range, isDescending: isDescending, limit: limit
      ) { event, body in list.add(event, body: body) }
    }
  }
}

extension TailRead {
  /// Returns the reply, or nothing when there is nothing behind any cursor.
  mutating func run(
    on store: EventStore, _ encoder: ReplyEncoder, _ served: inout ServedPositions
  ) throws(StoreError) -> [UInt8] {
    var found: [(cursor: Int, list: EventList)] = []
    var bytesLeft = Limits.replyBytesMax
    for index in cursors.indices where bytesLeft > 0 {
      guard let after = try resolve(index, on: store) else { continue }
      guard after < Limits.positionMax else { continue }
      var list = EventList(
        encoder: encoder, count: count, bytesMax: bytesLeft, format: format)
      let read = RangeRead(
        tenant: tenant, stream: cursors[index].stream, range: (after + 1)...Limits.positionMax,
        isDescending: false, count: count, isLiveOnly: false)
      try read.run(on: store, into: &list)
      bytesLeft -= list.byteCount
      served.add(list.served)
      if !list.isEmpty { found.append((index, list)) }
    }
    guard !found.isEmpty else { return [] }
    var bytes: [UInt8] = []
    encoder.map(found.count, to: &bytes)
    for (index, list) in found {
      let name = cursors[index].stream ?? [0x2A]
      encoder.bulk(name.span, to: &bytes)
      bytes += list.encoded()
    }
    return bytes
  }

  /// Where the cursor stands; nil when it was just set to the newest event.
  private mutating func resolve(_ index: Int, on store: EventStore) throws(StoreError) -> UInt64? {
    if let after = cursors[index].after { return after }
    if let stream = cursors[index].stream {
      cursors[index].after = try store.lastVersion(tenant, stream: stream.span)
    } else {
      cursors[index].after = try store.lastPosition(tenant)
    }
    return nil
  }
}
