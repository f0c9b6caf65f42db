import EventModel
import Keyring
import Storage

/// What a person can demand short of erasure.
package enum PersonDemand: Sendable {
  /// Their events are neither shown nor added to (GDPR, article 18).
  case restriction
  /// Nothing is added about them; what is there is shown (article 21).
  case objection

  fileprivate var marks: KeyMarks { self == .restriction ? .restricted : .objected }
  fileprivate var act: LedgerEntry.Act {
    self == .restriction ? .subjectRestricted : .subjectObjected
  }
}

// How persons are restricted.

extension ControlPlane {
  /// Marks a person's keys, and the person, so that no other class gives them a key without it.
  ///
  /// Order: marks and ledger in one commit -> memory emptied -> reads that began before have ended ->
  /// return. Who objects need not be known yet.
  func restrict(
    _ tenant: TenantNumber, _ subject: [UInt8], _ demand: PersonDemand, _ actor: Actor
  ) throws(StoreError) -> ControlAnswer {
    var restriction = KeyRestriction()
    let person = try person(tenant, subject)
    guard demand == .objection || !person.slots.isEmpty else { throw .noSubject }
    restriction.persons[person.mark] = (person.entry?.marks ?? []).union(demand.marks)
    restriction.slots = person.slots.mapValues { $0.union(demand.marks) }
    try restrict(
      tenant, restriction,
      LedgerEntry(
        timeMilliseconds: shared.clock(), act: demand.act, actor: actor.ledgerActor, tenant: tenant,
        count: UInt64(person.slots.count)))
    return .done
  }

  /// Lifts what the person demanded, not what a shred of theirs demands.
  func unrestrict(
    _ tenant: TenantNumber, _ subject: [UInt8], _ actor: Actor
  ) throws(StoreError) -> ControlAnswer {
    let person = try person(tenant, subject)
    let lifted: KeyMarks = [.restricted, .objected]
    guard !person.marks.isDisjoint(with: lifted) else { throw .noSubject }
    var part = Removal.Part()
    part.slotMarks = person.slots.mapValues { $0.subtracting(lifted) }
    part.replaceMark(of: person, with: person.entry?.marks.subtracting(lifted) ?? [])
    var removal = Removal()
    removal.parts[tenant] = part
    _ = try rotate(
      removal, .subjectUnrestricted, tenant, actor, plan: nil, reason: nil, now: shared.clock())
    return .done
  }

  func person(
    _ number: TenantNumber, _ subject: [UInt8]
  ) throws(StoreError) -> PersonKeys {
    try shared.withState { (state) throws(StoreError) in
      guard let tenant = state.tenants[number] else { throw .noTenant }
      return try PersonKeys(subject.span, tenant, state)
    }
  }

  /// Marks keys in one commit and lets go of what was read or derived without the marks.
  ///
  /// `documents` are those of the plan of this number, which demands it.
  func restrict(
    _ tenant: TenantNumber, _ restriction: KeyRestriction, documents: [DocumentID: Document] = [:],
    _ entry: LedgerEntry, plan: UInt32? = nil
  ) throws(StoreError) {
    defer { shared.raiseBarrier(for: tenant) }
    try shared.withState { (state) throws(StoreError) in
      if let failure = state.failure { throw failure }
      do throws(KeyringError) {
        try state.keyring.restrict(tenant, restriction, documents: documents, entry: entry)
        if let plan { try shared.plans.reload(plan, state.keyring) }
        state.apply(shared.plans)
      } catch {
        state.forgetKeys()
        let failure = StoreError(error)
        if failure == .ioFailure { state.failure = .readOnly }
        throw failure
      }
      #if DEBUG
        if TestHooks.isVariant("restriction-cached") { return }
      #endif
      state.forgetKeys()
    }
    shared.waitForReads()
  }
}

extension Removal.Part {
  /// Lets the person's mark say `marks`, or takes it out when it would say nothing.
  mutating func replaceMark(of person: PersonKeys, with marks: KeyMarks) {
    guard let entry = person.entry else { return }
    guard entry.untilDay > 0 || !marks.isEmpty else { return tags.append(person.mark) }
    self.marks.append(Removal.Mark(tag: person.mark, untilDay: entry.untilDay, marks: marks))
  }
}
