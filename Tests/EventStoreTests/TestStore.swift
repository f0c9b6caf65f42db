import Dispatch
import EventModel
import Keyring
import Storage
import Synchronization

@testable import EventStore

/// A store in a temporary directory with a clock that tests set; removed with the value.
final class TestStore {
  let directory: TemporaryDirectory
  let clock = TestClock()
  private var opened: EventStore?

  var store: EventStore { opened! }

  init() throws {
    directory = try TemporaryDirectory()
    try EventStore.create(
      path: directory.path + "/data", holders: Self.holders(directory), now: clock.now)
    opened = try Self.open(directory, clock)
  }

  deinit { opened?.close() }

  var dataPath: String { directory.path + "/data" }

  /// Closes and opens the store, as a daemon that was restarted.
  func reopen() throws {
    close()
    opened = try Self.open(directory, clock)
  }

  /// The same, opened by `open` with the directory's path and the holders.
  func reopen(_ open: (String, RootHolders) throws -> EventStore) throws {
    close()
    opened = try open(dataPath, Self.holders(directory))
  }

  /// Closes the store for good, so that its files can be looked at.
  func close() {
    opened?.close()
    opened = nil
  }

  private static func holders(_ directory: TemporaryDirectory) -> RootHolders {
    RootHolders(paths: [directory.path + "/root"], acceptsWeakErasure: true)
  }

  private static func open(
    _ directory: TemporaryDirectory, _ clock: TestClock
  ) throws -> EventStore {
    try EventStore.open(path: directory.path + "/data", holders: holders(directory)) { clock.now }
  }

  // MARK: what tests do

  @discardableResult
  func control(_ act: ControlAct, uid: UInt32 = 1, isApprover: Bool = false) throws -> ControlAnswer
  {
    let answer = Mutex<Result<ControlAnswer, StoreError>?>(nil)
    let done = DispatchSemaphore(value: 0)
    store.control(act, actor: Actor(uid: uid, socketName: nil, isApprover: isApprover)) { result in
      answer.withLock { $0 = result }
      done.signal()
    }
    done.wait()
    return try answer.withLock { $0! }.get()
  }

  func createTenant(_ name: String, retention: String = "395d") throws -> TenantNumber {
    try control(.createTenant(TenantName(name)!, Retention(Array(retention.utf8))!))
    return store.tenant(named: TenantName(name)!)!
  }

  /// Appends the events in one batch and waits for the answers.
  func append(_ tenant: TenantNumber, _ events: [TestEvent]) -> [AppendResult] {
    let done = DispatchSemaphore(value: 0)
    let batch = AppendBatch { _ in done.signal() }
    for event in events { event.add(to: batch, tenant) }
    store.submit(batch)
    done.wait()
    return batch.results
  }

  func append(_ tenant: TenantNumber, _ event: TestEvent) -> AppendResult {
    append(tenant, [event])[0]
  }

  func feed(
    _ tenant: TenantNumber, _ positions: ClosedRange<UInt64> = 1...Limits.positionMax,
    isDescending: Bool = false, limit: Int = 10_000
  ) throws -> [ReadBack] {
    var found: [ReadBack] = []
    try store.readFeed(tenant, positions: positions, isDescending: isDescending, limit: limit) {
      event, body in
      found.append(ReadBack(event, body))
      return true
    }
    return found
  }

  func stream(
    _ tenant: TenantNumber, _ name: String,
    _ versions: ClosedRange<UInt64> = 1...Limits.positionMax,
    isDescending: Bool = false, limit: Int = 10_000
  ) throws -> [ReadBack] {
    var found: [ReadBack] = []
    let name = Array(name.utf8)
    try store.readStream(
      tenant, stream: name.span, versions: versions, isDescending: isDescending, limit: limit
    ) { event, body in
      found.append(ReadBack(event, body))
      return true
    }
    return found
  }

  /// Dry run and confirmation in one.
  func shred(_ tenant: String, _ subject: String) throws -> ShredReceipt {
    try shred(tenant, .subjects([Array(subject.utf8)]), reason: .art17)
  }
}

extension TestStore {
  /// A dry run.
  func plan(_ tenant: String, _ target: ShredTarget) throws -> ShredPlan {
    guard case .plan(let plan) = try control(.planShred(TenantName(tenant)!, target)) else {
      throw StoreError.corrupt
    }
    return plan
  }

  /// Dry run and confirmation in one.
  func shred(
    _ tenant: String, _ target: ShredTarget, reason: ReasonCode = .capturedSecret
  ) throws -> ShredReceipt {
    let plan = try plan(tenant, target)
    let answer = try control(
      .shred(
        TenantName(tenant)!, target, reason: reason, token: Array(plan.token.utf8)),
      uid: plan.needsApproval ? 2 : 1, isApprover: plan.needsApproval)
    guard case .shredded(let receipt) = answer else { throw StoreError.corrupt }
    return receipt
  }

  /// The same on this thread, so that a broken variant concerns this test only.
  func shredHere(
    _ tenant: String, _ target: ShredTarget, variant: String?
  ) throws -> ShredReceipt {
    let (name, shared) = (TenantName(tenant)!, store.shared)
    let control = ControlPlane(shared: shared)
    let actor = Actor(uid: 1, socketName: nil, isApprover: false)
    return try TestHooks.$taskVariant.withValue(variant) {
      let survey = Result { () throws(StoreError) in
        Survey.shred(
          try PlanSurvey.survey(target, tenant: store.tenant(named: name)!, shared: shared))
      }
      guard
        case .plan(let plan) = try control.perform(
          .planShred(name, target), actor: actor, survey: survey),
        case .shredded(let receipt) = try control.perform(
          .shred(name, target, reason: .other, token: Array(plan.token.utf8)), actor: actor,
          survey: survey)
      else { throw StoreError.corrupt }
      return receipt
    }
  }

  /// What `lethed check` finds; the store is closed.
  func check() throws -> CheckReport {
    try EventStore.check(path: dataPath, holders: Self.holders(directory)) { [clock] in clock.now }
  }
}

extension ControlAct {
  static func planShredSubject(_ tenant: TenantName, subject: [UInt8]) -> ControlAct {
    .planShred(tenant, .subjects([subject]))
  }

  static func shredSubject(
    _ tenant: TenantName, subject: [UInt8], reason: ReasonCode, token: [UInt8]
  ) -> ControlAct { .shred(tenant, .subjects([subject]), reason: reason, token: token) }

  static func planShredTenant(_ tenant: TenantName) -> ControlAct { .planShred(tenant, .tenant) }

  static func shredTenant(
    _ tenant: TenantName, reason: ReasonCode, token: [UInt8]
  ) -> ControlAct { .shred(tenant, .tenant, reason: reason, token: token) }

  static func shred(
    _ tenant: TenantName, _ target: ShredTarget, reason: ReasonCode, token: [UInt8]
  ) -> ControlAct { .shred(tenant, target, ShredRequest(reason: reason), token: token) }
}

/// A clock that stands still until it is set.
final class TestClock: Sendable {
  private let milliseconds = Mutex<Int64>(1_795_500_000_000)

  var now: Int64 { milliseconds.withLock { $0 } }

  func advance(_ count: Int64) { milliseconds.withLock { $0 += count } }
}

/// An event to be appended.
struct TestEvent {
  var stream = "orders"
  var type = "order.placed"
  var subjects: [String] = ["u-1"]
  var data = "payload"
  var expectation = Expectation.any
  var group: UInt32?
  var className = ""
  var id = ""
  var source = ""
  var attributes: [(String, String)] = []
  var skipsErased = false

  func add(to batch: AppendBatch, _ tenant: TenantNumber) {
    let body = EventBodyWriter(in: &batch.bytes)
    let streamRange = body.append(.stream, Array(stream.utf8).span, in: &batch.bytes)
    body.append(.type, Array(type.utf8).span, in: &batch.bytes)
    var ranges = InlineArray<4, ByteRange>(repeating: .none)
    for (index, subject) in subjects.enumerated() {
      ranges[index] = body.append(.dataSubject, Array(subject.utf8).span, in: &batch.bytes)
    }
    let idRange =
      id.isEmpty ? .none : body.append(.id, Array(id.utf8).span, in: &batch.bytes)
    let sourceRange =
      source.isEmpty ? .none : body.append(.source, Array(source.utf8).span, in: &batch.bytes)
    for (name, value) in attributes {
      body.appendAttribute(
        name: Array(name.utf8).span, value: Array(value.utf8).span, in: &batch.bytes)
    }
    let place = body.finish(data: Array(data.utf8).span, in: &batch.bytes)
    let classRange = ByteRange(offset: batch.bytes.count, count: className.utf8.count)
    batch.bytes.append(contentsOf: className.utf8)
    var request = AppendRequest(
      tenant: tenant, ticket: 0, group: group ?? UInt32(1_000 + batch.requests.count),
      expectation: expectation, body: place, stream: streamRange, subjects: ranges,
      subjectCount: UInt8(subjects.count), className: classRange)
    (request.id, request.source, request.skipsErased) = (idRange, sourceRange, skipsErased)
    batch.requests.append(request)
  }
}

/// An event as it was read.
struct ReadBack: Equatable {
  let event: ReadEvent
  let data: String?
  let subjects: [String]

  init(_ event: ReadEvent, _ body: Span<UInt8>) {
    self.event = event
    guard let reader = EventBodyReader(body) else {
      (data, subjects) = (nil, [])
      return
    }
    data = String(decoding: body.extracting(reader.data).array, as: UTF8.self)
    var found: [String] = []
    reader.forEachField(in: body) { tag, place in
      if tag == BodyField.dataSubject.rawValue {
        found.append(String(decoding: body.extracting(place).array, as: UTF8.self))
      }
    }
    subjects = found
  }
}
