import CLinux
import EventModel
import EventStore
import NIOCore
import NIOPosix
import RESP

/// Carries work between the connections and the engine.
///
/// Confined to the one event loop; only ``completed(_:)`` is called on other threads, and it hops at
/// once. Hence `@unchecked Sendable`.
///
/// ```
/// connections --append--> collector --once a tick--> writer --one hop--> replies, flushed once
///             --read----> reader threads ----------------------one hop--> reply
/// ```
final class Dispatcher: @unchecked Sendable {
  let loop: any EventLoop
  let store: EventStore
  let surroundings: Surroundings
  private(set) var connections = ConnectionTable()
  private(set) var collector: AppendCollector
  private(set) var isDraining = false
  /// Bytes of commands that have not come completely, of all connections.
  var unfinishedBytes = 0
  let unfetched = UnfetchedBytes()
  let buffers = ReplyBuffers()
  let readers: NIOThreadPool
  /// Who waits for new events.
  var waiters = WaitTable(seed: .random(in: 0...UInt64.max))
  /// Who waits for erasures of a tenant.
  var erasureWaiters: [TenantNumber: Set<ConnectionKey>] = [:]
  let barrier = ShredBarrier()
  /// The newest barrier of each tenant that had a shred.
  var lastBarriers: [TenantNumber: UInt64] = [:]
  /// What the shreds that are not answered yet wait for; the newest last.
  var flushWaits: [FlushWait] = []
  /// Connections with unfinished commands or unfetched replies, looked at once a second.
  var watched: Set<ConnectionKey> = []
  var isSweepScheduled = false
  /// Connections that are being told why they are refused.
  var refusals = 0
  private let connectionsMax: Int
  private var isSubmissionScheduled = false
  private var inFlight: [PendingAppends] = []
  private var touched: [ConnectionHandler] = []
  /// Connections that wait until the writer's queue is shorter.
  private var queueStalled: Set<ConnectionKey> = []
  private var nextConnectionID: UInt64 = 0

  init(
    loop: any EventLoop, store: EventStore, readers: NIOThreadPool, version: String,
    policy: AccessPolicy
  ) {
    self.loop = loop
    self.store = store
    self.readers = readers
    connectionsMax = max(
      16, min(Limits.connectionsMax, SystemCalls.descriptorsMax - Limits.descriptorsKept))
    let count = ConnectionCount()
    surroundings = Surroundings(
      version: version, policy: policy, tenantNumber: { store.tenant(named: $0) },
      onlyTenant: { store.onlyTenant },
      lastPosition: { (tenant) throws(StoreError) in try store.lastPosition(tenant) },
      nowMicroseconds: { linux_wall_clock_milliseconds() * 1_000 },
      connectionCount: { count.value }, queuedBytes: { store.queuedBytes },
      health: { store.health },
      processID: SystemCalls.processID)
    let completion = BatchCompletion()
    collector = AppendCollector(nowMilliseconds: { linux_wall_clock_milliseconds() }) {
      AppendBatch { batch in completion.dispatcher?.completed(batch) }
    }
    completion.dispatcher = self
    count.dispatcher = self
    store.setErasureHandler { [weak self] tenants in self?.erased(tenants) }
    store.setBarrierHandler { [weak self] tenants in
      guard let self else { return }
      self.loop.execute { for tenant in tenants { self.raiseBarrier(for: tenant) } }
    }
  }

  /// What the surroundings ask; set once, since it cannot be known before `self`.
  private final class ConnectionCount {
    weak var dispatcher: Dispatcher?
    var value: Int { dispatcher?.connections.count ?? 0 }
  }

  /// What batches call; set once before the first batch is made, then only read.
  private final class BatchCompletion: @unchecked Sendable {
    weak var dispatcher: Dispatcher?
  }
}

// Connections

extension Dispatcher {
  /// Decides about a peer that just connected.
  func admit(_ peer: Peer?, through endpoint: Endpoint) -> AccessPolicy.Admission {
    guard let peer else { return .refused("NOPERM the kernel does not say who this is") }
    guard !isDraining else { return .refused("TRYAGAIN the daemon is ending") }
    let kept = endpoint == .admin ? Limits.connectionsKept : 0
    guard connections.count < connectionsMax + kept,
      connections.count(ofUser: peer.uid) < Limits.connectionsPerUserMax + kept
    else {
      surroundings.counters.refused += 1
      return .refused("ERR max number of clients reached")
    }
    return surroundings.policy.admit(peer, through: endpoint)
  }

  func nextID() -> UInt64 {
    nextConnectionID += 1
    return nextConnectionID
  }

  func add(_ handler: ConnectionHandler, uid: UInt32) -> ConnectionKey {
    connections.add(handler, uid: uid)
  }

  func usage(ofUser uid: UInt32) -> UserUsage { connections.usage(ofUser: uid) }

  func remove(_ key: ConnectionKey, uid: UInt32) {
    connections.remove(key, uid: uid)
    queueStalled.remove(key)
    watched.remove(key)
  }

  /// Holds every connection against a new access file.
  func setPolicy(_ policy: AccessPolicy) {
    surroundings.policy = policy
    for handler in connections.all { handler.policyChanged(policy) }
  }

  /// Answers what is in flight and ends each connection when it is idle.
  func drain() {
    isDraining = true
    for handler in connections.all { handler.drain() }
  }

  func closeAll() {
    for handler in connections.all { handler.abort() }
  }
}

// Appends

extension Dispatcher {
  /// Sees to it that what was gathered goes to the writer when the tick ends.
  func scheduleSubmission() {
    if collector.isFull { return submit() }
    guard !isSubmissionScheduled else { return }
    isSubmissionScheduled = true
    loop.execute { [self] in
      isSubmissionScheduled = false
      submit()
    }
  }

  private func submit() {
    guard !collector.isEmpty else { return }
    let pending = collector.take()
    inFlight.append(pending)
    store.submit(pending.batch)
  }

  var isQueueFull: Bool { store.queuedBytes > Limits.writerQueueBytesMax }

  /// The connection is not read from until the writer's queue is half empty.
  func stallForQueue(_ key: ConnectionKey) { queueStalled.insert(key) }

  /// On the writer's thread.
  func completed(_ batch: AppendBatch) {
    loop.execute { [self] in answer(batch) }
  }

  private func answer(_ batch: AppendBatch) {
    guard let place = inFlight.firstIndex(where: { $0.batch === batch }) else { return }
    let pending = inFlight.remove(at: place)
    let bytes = batch.bytes
    var index = 0
    while index < pending.notes.count {
      let first = index
      let note = pending.notes[first]
      while index < pending.notes.count, pending.notes[index].group == note.group { index += 1 }
      guard let handler = connections[note.connection] else { continue }
      if handler.answerAppend(pending, first..<index, bytes.span) { touched.append(handler) }
    }
    let woken = waiters.isEmpty ? [] : waiters.concerned(by: batch)
    collector.recycle(pending)
    var answered: [ConnectionHandler] = []
    swap(&answered, &touched)
    for handler in answered { handler.appendsAnswered() }
    for key in woken { connections[key]?.wake() }
    resumeQueueStalled()
  }

  private func resumeQueueStalled() {
    guard !queueStalled.isEmpty, store.queuedBytes <= Limits.writerQueueBytesMax / 2 else { return }
    let keys = queueStalled
    queueStalled.removeAll()
    for key in keys { connections[key]?.queueShortened() }
  }
}
