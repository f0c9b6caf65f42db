package import EventModel
import Dispatch
import Keyring
import Sodium
import Storage
import Synchronization

/// The engine: appends in groups, reads by position and version, forgets.
///
/// ```
/// submit, control --> WorkQueue --> Writer ----> keyring/ , log/ ----> answers
///            `-> Surveyor -^
///                                      |
///                                      v tail                IndexThread --> index/
/// readFeed, readStream --> EventIndex + LogReader + keys
/// ```
/// Threads: one writer, one for the index, one for surveys, one that looks for plans that are due, one
/// that purges, and the callers' own for reads.
package final class EventStore: Sendable {
  let shared: SharedEngine
  private let queue = WorkQueue()
  private let surveyor: Surveyor
  private let writerEnded = DispatchGroup()
  private let indexThread: IndexThread
  private let holderThread: HolderThread
  private let hourlyThread: HourlyThread
  private let planTimer = PlanTimer()
  private let purgeThread: PurgeThread
  /// Where refusals are written down, since that waits for the disk.
  let noteThread = DispatchQueue(label: "lethe.notes", qos: .utility)
  private let isUnattended: Bool

  /// Holds the directory's lock for as long as the store is open.
  private let directory: DataDirectory

  init(shared: SharedEngine, directory: DataDirectory, isUnattended: Bool) {
    self.shared = shared
    self.directory = directory
    self.isUnattended = isUnattended
    if isUnattended { shared.noteStart() }
    indexThread = IndexThread(shared: shared)
    holderThread = HolderThread(shared: shared)
    hourlyThread = HourlyThread(shared: shared)
    purgeThread = PurgeThread(shared: shared)
    surveyor = Surveyor(shared: shared)
    shared.accessLog.setWake { [queue] in _ = queue.add(.access) }
    let writer = Writer(shared: shared, queue: queue)
    DispatchQueue(label: "lethe.writer", qos: .userInitiated).async(group: writerEnded) {
      writer.run()
    }
    indexThread.start()
    holderThread.start()
    planTimer.start { [weak self] in self?.carryOutDuePlans() }
    guard isUnattended else { return }
    purgeThread.start()
    hourlyThread.start { [surveyor, queue] answer in
      let work = ControlWork(act: .hourly, actor: .daemon) { result in
        if case .success = result { answer(true) } else { answer(false) }
      }
      surveyor.prepare(work) { if !queue.add(.control($0)) { answer(false) } }
    }
  }

  /// The tenant of this name, or nil; cheap and callable from any thread.
  package func tenant(named name: TenantName) -> TenantNumber? {
    shared.withState { $0.tenantsByName[name] }
  }

  /// The tenant when there is exactly one; cheap and callable from any thread.
  package var onlyTenant: TenantName? {
    shared.withState { $0.tenantsByName.count == 1 ? $0.tenantsByName.keys.first : nil }
  }

  /// Every tenant's name; cheap and callable from any thread.
  package var tenantNames: [TenantName] {
    shared.withState { $0.tenantsByName.keys.sorted() }
  }

  /// Hands a batch to the writer without waiting; its completion runs on the writer's thread.
  package func submit(_ batch: AppendBatch) {
    guard !queue.add(.append(batch)) else { return }
    batch.results = Array(
      repeating: AppendResult(error: .shuttingDown), count: batch.requests.count)
    batch.completion(batch)
  }

  /// Bytes of batches that wait for the writer.
  package var queuedBytes: Int { queue.bytes }

  /// Runs an act on the writer's thread, after all that was submitted before.
  ///
  /// `verb` is the command, which the ledger names when the act is refused.
  /// What a shred would destroy is counted beforehand on a thread of its own, while appends go on.
  package func control(
    _ act: ControlAct, actor: Actor, verb: String = "",
    completion: @escaping @Sendable (Result<ControlAnswer, StoreError>) -> Void
  ) {
    let work = ControlWork(act: act, actor: actor, verb: verb, completion: completion)
    surveyor.prepare(work) { [queue] work in
      if !queue.add(.control(work)) { work.completion(.failure(.shuttingDown)) }
    }
  }

  /// What an operator should know at start: plain sentences without names of tenants or persons.
  package var warnings: [String] {
    var found = shared.withState { state in
      state.keyring.holderReport.flatMap { holder in
        var lines: [String] = []
        if !holder.isPresent {
          lines.append("a root holder is missing: erasures stay unconfirmed until it is back")
        } else if let weakness = holder.medium.weakness {
          lines.append("a root holder cannot erase (\(weakness)): erasures are of class E0")
        }
        if holder.isOnDataFileSystem {
          lines.append("a root holder is on the data's file system: both are lost together")
        }
        return lines
      }
    }
    if !SecretArena.isLocked {
      found.append("not all keys could be locked into memory: raise LimitMEMLOCK")
    }
    return found
  }

  /// Answers what was submitted, flushes the index, stops the threads.
  package func close() {
    purgeThread.stop()
    hourlyThread.stop()
    planTimer.stop()
    queue.close()
    writerEnded.wait()
    shared.accessLog.endRun(shared)
    shared.accessLog.close()
    surveyor.wait()
    noteThread.sync {}
    if isUnattended { shared.noteEnd() }
    indexThread.stop()
    holderThread.stop()
  }
}

extension EventStore {
  /// Calls `body` with the tenant's events whose positions lie in `positions`, at most `limit`,
  /// until it returns false.
  ///
  /// Blocks; never call it on an event loop. However long the range is, a shred waits for one page at
  /// most: each is a read of its own, and begins with the keys and terms of its time.
  package func readFeed(
    _ tenant: TenantNumber, positions: ClosedRange<UInt64>, isDescending: Bool, limit: Int,
    _ body: (ReadEvent, Span<UInt8>) -> Bool
  ) throws(StoreError) {
    var read = PagedRead(range: positions, isDescending: isDescending, limit: limit)
    #if DEBUG
      if TestHooks.isVariant("long-reads") {
        return try shared.reading { () throws(StoreError) in
          while read.nextPage != nil, try readFeedPage(tenant, &read, isDescending, body) {}
        }
      }
    #endif
    while read.nextPage != nil {
      let goesOn = try shared.reading { () throws(StoreError) in
        try readFeedPage(tenant, &read, isDescending, body)
      }
      guard goesOn else { return }
    }
  }

  private func readFeedPage(
    _ tenant: TenantNumber, _ read: inout PagedRead, _ isDescending: Bool,
    _ body: (ReadEvent, Span<UInt8>) -> Bool
  ) throws(StoreError) -> Bool {
    let (last, term, held) = try shared.withState { (state) throws(StoreError) in
      let tenant = try state.activeTenant(tenant)
      let secrets = try tenant.open(state.keyring)
      return (tenant.committed.position, secrets.feed.term, try secrets.held(state.keyring))
    }
    read.clamp(to: last)
    guard let page = read.nextPage else { return false }
    let indexed = try postings(term, page, isDescending)
    try FeedGaps(shared: shared, tenant: tenant, feed: term).check(
      indexed, of: page, isDescending: isDescending)
    let postings = held.merged(
      into: indexed, of: page, isDescending: isDescending, ordinal: { $0.position })
    var reader = EventReader(shared: shared, tenant: tenant)
    read.advance(found: postings)
    defer { read.give(back: reader.passedOver) }
    return try reader.read(
      postings[...], isWanted: { routing, _, posting in routing.position == posting.ordinal }, body)
  }

  /// The same for the events of one stream, by version.
  ///
  /// An unknown stream has none.
  package func readStream(
    _ tenant: TenantNumber, stream: Span<UInt8>, versions: ClosedRange<UInt64>,
    isDescending: Bool, limit: Int, _ body: (ReadEvent, Span<UInt8>) -> Bool
  ) throws(StoreError) {
    let name = stream.array
    var read = PagedRead(range: versions, isDescending: isDescending, limit: limit)
    while read.nextPage != nil {
      let goesOn = try shared.reading { () throws(StoreError) in
        try readStreamPage(tenant, name, &read, isDescending, body)
      }
      guard goesOn else { return }
    }
  }

  private func readStreamPage(
    _ tenant: TenantNumber, _ stream: [UInt8], _ read: inout PagedRead, _ isDescending: Bool,
    _ body: (ReadEvent, Span<UInt8>) -> Bool
  ) throws(StoreError) -> Bool {
    guard let known = try knownStream(tenant, stream), let page = read.nextPage else {
      return false
    }
    let held = try held(tenant)
    let postings = held.merged(
      into: try postings(known.term, page, isDescending), of: page, isDescending: isDescending,
      ordinal: { $0.stream == known.slot ? $0.version : nil })
    var reader = EventReader(shared: shared, tenant: tenant)
    read.advance(found: postings)
    defer { read.give(back: reader.passedOver) }
    return try reader.read(
      postings[...],
      isWanted: { _, header, posting in
        header.stream == known.slot && header.version == posting.ordinal
      }, body)
  }

  /// What is known of a stream, or nil when it has no event.
  package func summary(
    _ tenant: TenantNumber, stream: Span<UInt8>
  ) throws(StoreError) -> StreamSummary? {
    let version = try lastVersion(tenant, stream: stream)
    guard version > 0 else { return nil }
    var first: UInt64 = version + 1
    var stored: Int64?
    try readStream(
      tenant, stream: stream, versions: 1...version, isDescending: false, limit: 1
    ) { event, _ in
      first = event.version
      return false
    }
    try readStream(
      tenant, stream: stream, versions: 1...version, isDescending: true, limit: 1
    ) { event, _ in
      stored = event.storedMilliseconds
      return false
    }
    let live = try hasGaps(tenant) ? eventCount(tenant, stream, first, version) : nil
    return StreamSummary(
      version: version, firstVersion: first, expiredCount: live.map { version - $0 } ?? first - 1,
      lastStoredMilliseconds: stored)
  }

  /// True when events may have gone behind one that is left: periods were shredded out of order, or
  /// another class is kept for longer.
  private func hasGaps(_ tenant: TenantNumber) throws(StoreError) -> Bool {
    try shared.withState { (state) throws(StoreError) in
      let secrets = try state.activeTenant(tenant).open(state.keyring)
      guard try secrets.held(state.keyring).isEmpty else { return true }
      let classes = secrets.keys.classes
      return classes.count > 1 || classes.contains { $0.cover.hasHoles }
    }
  }

  /// What holds have saved of the tenant.
  private func held(_ tenant: TenantNumber) throws(StoreError) -> HeldEvents {
    try shared.withState { (state) throws(StoreError) in
      try state.activeTenant(tenant).open(state.keyring).held(state.keyring)
    }
  }

  /// How many events of a stream have not expired.
  private func eventCount(
    _ tenant: TenantNumber, _ stream: Span<UInt8>, _ first: UInt64, _ last: UInt64
  ) throws(StoreError) -> UInt64 {
    guard first <= last, let known = try knownStream(tenant, stream.array) else { return 0 }
    var versions: Set<UInt64> = []
    let walk = HeaderWalk(shared: shared, tenant: tenant, testsLife: false)
    try walk.forEach(known.term, ordinals: first...last) { _, header, _ in
      if header.stream == known.slot { versions.insert(header.version) }
      return true
    }
    for place in try held(tenant).places where place.stream == known.slot {
      versions.insert(place.version)
    }
    return UInt64(versions.count)
  }

  /// The tenant's newest position; 0 when it has no event.
  package func lastPosition(_ tenant: TenantNumber) throws(StoreError) -> UInt64 {
    try shared.withState { (state) throws(StoreError) in
      try state.activeTenant(tenant).committed.position
    }
  }

  /// The stream's newest version; 0 when it has no event.
  package func lastVersion(
    _ tenant: TenantNumber, stream: Span<UInt8>
  ) throws(StoreError) -> UInt64 {
    guard let known = try knownStream(tenant, stream.array) else { return 0 }
    return try shared.withState { (state) throws(StoreError) in
      try shared.log.newestVersion(
        of: known.slot, known.term, tenant: try state.activeTenant(tenant),
        state: state, index: shared.index)
    }
  }

  private func postings(
    _ term: TermKey, _ page: PagedRead.Page, _ isDescending: Bool
  ) throws(StoreError) -> [Posting] {
    try term.postings(
      in: shared.index, ordinals: page.range, isDescending: isDescending, limit: page.limit)
  }

  /// Slot and term of a stream that has a key.
  private func knownStream(
    _ number: TenantNumber, _ name: [UInt8]
  ) throws(StoreError) -> (slot: Slot, term: TermKey)? {
    try shared.withState { (state) throws(StoreError) in
      let tenant = try state.activeTenant(number)
      let secrets = try tenant.open(state.keyring)
      var resolver = NameResolver()
      let tag = resolver.tag(.stream, .default, name.span, secrets.keys)
      if let stream = secrets.streams[tag] { return (stream.slot, stream.term.term) }
      if let known = secrets.readStreams[tag] { return known }
      let entry = try StoreError.translating { () throws(KeyringError) in
        try state.keyring.entry(number, tag: tag)
      }
      guard let slot = entry?.slot, let key = try state.key(tenant, slot) else { return nil }
      let known = (slot: slot, term: TermKey(TermKey.stream, from: key))
      secrets.noteRead(tag, known)
      return known
    }
  }
}

extension EngineState {
  /// The tenant, if it exists and is not suspended.
  func activeTenant(_ number: TenantNumber) throws(StoreError) -> TenantState {
    guard let tenant = tenants[number] else { throw .noTenant }
    guard !tenant.isSuspended, tenant.hidden.access != .none else { throw .suspended }
    return tenant
  }
}
