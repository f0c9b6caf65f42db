import EventModel
import Keyring
import Sodium

/// A confirmed plan, as documents of the store keep it (Docs/Format.md, section 4.7).
///
/// While it is open it holds tags of names and positions; when it is finished these are forgotten in
/// the rotation that finishes it, and its counts stay.
struct StoredPlan: Sendable {
  /// Documents of one plan, at most.
  static let partBits = 10
  static let numberMax: UInt32 = 1 << (28 - UInt32(partBits)) - 1

  let number: UInt32
  let tenant: TenantNumber
  let kind: PlanKind
  var state: PlanState
  let request: ShredRequest
  var plan: ShredPlan
  let requestedBy: LedgerEntry.Actor
  var approvedBy: LedgerEntry.Actor?
  let confirmedMilliseconds: Int64
  var dueMilliseconds: Int64
  var finishedMilliseconds: Int64 = 0
  /// Nil once it is finished.
  var target: PlanTarget?
  /// Keys that are condemned because of it.
  var condemned: [Slot] = []
  /// Periods that are hidden because of it.
  var periods: [Removal.Periods] = []

  /// The plan without what must be forgotten.
  func finished(_ state: PlanState, now: Int64) -> StoredPlan {
    var plan = self
    plan.state = state
    plan.finishedMilliseconds = now
    (plan.target, plan.condemned, plan.periods) = (nil, [], [])
    return plan
  }

  static func id(_ number: UInt32, part: Int) -> DocumentID {
    DocumentID(.plan, number << UInt32(partBits) | UInt32(part))
  }

  /// The plan's documents; nil when it is too large.
  var documents: [DocumentID: Document]? {
    var bytes: [UInt8] = []
    let body = encoded
    bytes.appendBigEndian(UInt64(body.count), bytes: 4)
    bytes += body
    let starts = Array(stride(from: 0, to: bytes.count, by: Document.bytesMax))
    guard starts.count <= 1 << Self.partBits else { return nil }
    var documents: [DocumentID: Document] = [:]
    for (part, start) in starts.enumerated() {
      let end = min(start + Document.bytesMax, bytes.count)
      documents[Self.id(number, part: part)] = Document(
        copying: bytes.span.extracting(start..<end))
    }
    return documents
  }

  /// What takes the place of `old` in a rotation: this plan, or nothing.
  static func edits(of old: StoredPlan, to new: StoredPlan?) -> [DocumentEdit] {
    var documents: [DocumentID: Document?] = [:]
    for id in (old.documents ?? [:]).keys { documents.updateValue(nil, forKey: id) }
    for (id, document) in new?.documents ?? [:] { documents.updateValue(document, forKey: id) }
    return documents.map { DocumentEdit(tenant: nil, id: $0.key, document: $0.value) }
  }
}

// MARK: the format

extension StoredPlan {
  private static let absent: UInt32 = .max

  private var encoded: [UInt8] {
    var writer = PlanWriter()
    writer.append(1, bytes: 1)
    writer.append(kind.rawValue, bytes: 1)
    writer.append(state.rawValue, bytes: 1)
    writer.append(request.reason.ledgerResult, bytes: 1)
    writer.append(tenant.rawValue, bytes: 4)
    writer.append(text: request.ticket)
    writer.append(request.receivedDay ?? Self.absent, bytes: 4)
    writer.bytes += plan.hash
    for count in [
      plan.eventCount, plan.sharedEventCount, plan.impersonalEventCount, plan.erasedEventCount,
      plan.ownStreamCount, plan.sharedStreamCount, plan.keyCount, plan.subjectCount,
      plan.restrictedEventCount, UInt64(plan.restrictedUntilDay), plan.heldEventCount,
    ] { writer.append(count, bytes: 8) }
    for time in [confirmedMilliseconds, dueMilliseconds, finishedMilliseconds] {
      writer.append(time, bytes: 8)
    }
    Self.append(requestedBy, to: &writer)
    writer.append(approvedBy == nil ? 0 : 1, bytes: 1)
    if let approvedBy { Self.append(approvedBy, to: &writer) }
    writer.append(target == nil ? 0 : 1, bytes: 1)
    guard let target else { return writer.bytes }
    writer.append(target)
    writer.append(condemned.count, bytes: 4)
    for slot in condemned { writer.append(slot.rawValue, bytes: 5) }
    writer.append(periods.count, bytes: 1)
    for period in periods {
      writer.append(period.classNumber.rawValue, bytes: 1)
      writer.append(period.range.lowerBound, bytes: 4)
      writer.append(period.range.upperBound, bytes: 4)
    }
    return writer.bytes
  }

  private static func append(_ actor: LedgerEntry.Actor, to writer: inout PlanWriter) {
    var (kind, owner, socket): (UInt8, UInt32, [UInt8]) = (0, 0, [])
    switch actor {
    case .daemon: break
    case .uid(let uid): (kind, owner) = (1, uid)
    case .socket(let name, let uid): (kind, owner, socket) = (2, uid, Array(name.prefix(32)))
    }
    writer.append(kind, bytes: 1)
    writer.append(owner, bytes: 4)
    writer.append(text: socket)
  }

  private static func actor(_ reader: inout PlanReader) -> LedgerEntry.Actor? {
    guard let kind = reader.number(1), let uid = reader.number(4), let name = reader.text() else {
      return nil
    }
    return switch kind {
    case 0: .daemon
    case 1: .uid(UInt32(uid))
    case 2: .socket(name: name, uid: UInt32(uid))
    default: nil
    }
  }

  /// Reads the parts of a plan, in order; nil when they are none.
  init?(number: UInt32, parts: [[UInt8]]) {
    let bytes = parts.flatMap(\.self)
    guard bytes.count >= 4 else { return nil }
    let count = Int(bytes.span.bigEndian(at: 0, bytes: 4))
    guard count <= bytes.count - 4 else { return nil }
    self.init(number: number, PlanReader(Array(bytes[4..<(4 + count)])))
  }

  private init?(number: UInt32, _ source: PlanReader) {
    var reader = source
    guard reader.number(1) == 1,
      let kind = reader.number(1).flatMap({ PlanKind(rawValue: UInt8($0)) }),
      let state = reader.number(1).flatMap({ PlanState(rawValue: UInt8($0)) }),
      let reason = reader.number(1).flatMap({ ReasonCode(ledgerResult: UInt8($0)) }),
      let tenant = reader.number(4), let ticket = reader.text(), let received = reader.number(4),
      let hash = reader.raw(32), let plan = ShredPlan(&reader, hash: hash, kind),
      let confirmed = reader.number(8), let due = reader.number(8), let finished = reader.number(8),
      let requestedBy = Self.actor(&reader), let isApproved = reader.number(1)
    else { return nil }
    self.number = number
    self.tenant = TenantNumber(rawValue: UInt32(tenant))
    (self.kind, self.state, self.plan) = (kind, state, plan)
    request = ShredRequest(
      reason: reason, ticket: ticket,
      receivedDay: UInt32(received) == Self.absent ? nil : UInt32(received))
    confirmedMilliseconds = Int64(bitPattern: confirmed)
    dueMilliseconds = Int64(bitPattern: due)
    finishedMilliseconds = Int64(bitPattern: finished)
    self.requestedBy = requestedBy
    if isApproved == 1 {
      guard let actor = Self.actor(&reader) else { return nil }
      approvedBy = actor
    }
    guard let hasTarget = reader.number(1) else { return nil }
    guard hasTarget == 1 else { return }
    guard let target = reader.target(), let slots = reader.number(4) else { return nil }
    self.target = target
    for _ in 0..<slots {
      guard let slot = reader.number(5) else { return nil }
      condemned.append(Slot(rawValue: slot))
    }
    guard let count = reader.number(1) else { return nil }
    for _ in 0..<count {
      guard let number = reader.number(1), let start = reader.number(4), let end = reader.number(4),
        start <= end
      else { return nil }
      periods.append(
        Removal.Periods(
          classNumber: ClassNumber(rawValue: UInt8(number)), range: UInt32(start)..<UInt32(end)))
    }
  }
}

extension ReasonCode {
  init?(ledgerResult: UInt8) {
    let place = Int(ledgerResult) - 1
    guard Self.allCases.indices.contains(place) else { return nil }
    self = Self.allCases[place]
  }
}

extension ShredPlan {
  fileprivate init?(_ reader: inout PlanReader, hash: [UInt8], _ kind: PlanKind) {
    var counts: [UInt64] = []
    for _ in 0..<11 {
      guard let count = reader.number(8) else { return nil }
      counts.append(count)
    }
    self.init(
      token: "", hash: hash, eventCount: counts[0], sharedEventCount: counts[1],
      impersonalEventCount: counts[2], erasedEventCount: counts[3], ownStreamCount: counts[4],
      sharedStreamCount: counts[5], keyCount: counts[6], subjectCount: counts[7])
    restrictedEventCount = counts[8]
    restrictedUntilDay = UInt16(clamping: counts[9])
    heldEventCount = counts[10]
  }
}
