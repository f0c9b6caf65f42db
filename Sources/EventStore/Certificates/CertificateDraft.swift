import EventModel
import Keyring

/// What an act tells for its certificate, beside what its plan and the removal say.
struct CertificateFacts: Sendable {
  /// The client's reference, checked: letters, digits and `-`.
  var ticket: String?
  /// When the request was received: RFC 3339 or a date.
  var received: String?
  /// When the person's events became unreadable; nil when only the destruction did that.
  var restrictedMilliseconds: Int64?
  /// Who asked, when it was not the one who confirmed.
  var requester: Actor?
  /// Events that are erased, of acts that have no plan.
  var eventCount: UInt64 = 0
  /// Events of the plan that stay until their minimum has passed, and that are held.
  var restrictedCount: UInt64 = 0
  var heldCount: UInt64 = 0
}

/// A certificate that is being begun: all that is known before the keys are destroyed.
struct CertificateDraft {
  let samples: CertificateSamples
  private var record: CertificateRecord
  private var sections = CertificateSections()
  private let removal: Removal

  /// Nil for acts that get no certificate.
  init?(
    _ act: LedgerEntry.Act, _ removal: Removal, _ tenant: TenantNumber, _ actor: Actor,
    plan: ShredPlan?, reason: ReasonCode?, facts: CertificateFacts, copies: CopyRegister,
    now: Int64,
    shared: SharedEngine
  ) throws(StoreError) {
    let staged = shared.erasures.takeStagedSamples()
    guard act.certificateKind != nil else { return nil }
    samples =
      if removal.tenants.isEmpty {
        try CertificateSamples(of: staged.filter { removal.parts[$0.key] != nil }, shared: shared)
      } else if let tenant = removal.tenants.first {
        try CertificateSamples(ofAll: tenant, shared: shared)
      } else { CertificateSamples() }
    self.removal = removal
    record = CertificateRecord(
      act: act, tenant: tenant, timeMilliseconds: now,
      eventCount: plan?.eventCount ?? facts.eventCount, text: [])
    record.sampled = UInt8(samples.count)
    record.openedBefore = UInt8(samples.count)
    let id = shared.withState { $0.tenants[tenant]?.id.bytes.hexadecimal }
    sections["tenant"] = id.map { .string($0) } ?? .null
    sections["request"] = [
      "reason": reason.map { .string($0.rawValue) } ?? .null,
      "ticket": facts.ticket.map { .string($0) } ?? .null,
      "received": facts.received.map { .string($0) } ?? .null,
    ]
    sections["approval"] = [
      "requested_by": .string((facts.requester ?? actor).certificateText),
      "confirmed_by": .string(actor.certificateText),
      "plan": plan.map { .string($0.hash.hexadecimal) } ?? .null,
    ]
    sections["restricted"] = facts.restrictedMilliseconds.map { .time($0) } ?? .null
    sections["backups"] = copies.text
    sections["backups_unlisted"] = .integer(copies.unlistedCount)
    sections["scope"] = Self.scope(plan, facts, removal)
  }

  private static func scope(
    _ plan: ShredPlan?, _ facts: CertificateFacts, _ removal: Removal
  ) -> CanonicalJSON {
    [
      "tenants": .integer(UInt64(Set(removal.parts.keys).union(removal.tenants).count)),
      "events": .integer(plan?.eventCount ?? facts.eventCount),
      "events_naming_others": .integer(plan?.sharedEventCount ?? 0),
      "events_impersonal": .integer(plan?.impersonalEventCount ?? 0),
      "events_erased_before": .integer(plan?.erasedEventCount ?? 0),
      "streams": .integer(plan?.ownStreamCount ?? 0),
      "streams_naming_others": .integer(plan?.sharedStreamCount ?? 0),
      "events_restricted": .integer(facts.restrictedCount),
      "events_held": .integer(facts.heldCount),
    ]
  }

  /// What the keyring keeps in the transaction that destroys the keys.
  func begun(_ destruction: Destruction) -> [UInt8] {
    var (record, sections) = (record, sections)
    let parts = removal.parts.values
    sections["destroyed"] = [
      "keys": .integer(UInt64(destruction.keysDestroyed)),
      "keys_of_persons_and_streams": .integer(UInt64(parts.reduce(0) { $0 + $1.slots.count })),
      "keys_of_events": .integer(
        UInt64(parts.reduce(0) { $0 + $1.positions.values.joined().count })),
      "keys_of_periods": .integer(
        UInt64(parts.reduce(0) { $0 + $1.periods.reduce(0) { $0 + $1.range.count } })),
      "keys_of_tenants": .integer(UInt64(removal.tenants.count)),
    ]
    record.epoch = destruction.epoch
    record.keyCount = UInt64(destruction.keysDestroyed)
    record.text = sections.bytes
    return record.bytes
  }
}

extension CanonicalJSON {
  /// A time as RFC 3339.
  static func time(_ milliseconds: Int64) -> CanonicalJSON { .string(Timestamp.text(milliseconds)) }
}

extension Actor {
  /// The actor as certificates name it: never a person's name.
  fileprivate var certificateText: String {
    if let socketName { "socket:\(socketName)" } else { "uid:\(uid)" }
  }
}
