import EventModel
import Keyring
import Storage

// When one user is not enough.

extension ControlPlane {
  private static let dayMilliseconds: Int64 = 86_400_000

  /// True when a second user must approve: whole tenants, and whatever makes more than
  /// ``Limits/unapprovedSubjectsMax`` persons or a hundredth of the tenant's events in a day.
  ///
  /// Counted is what the ledger has of the last 24 hours and what waits since then. Small tenants have
  /// ``Limits/unapprovedEventsMax`` free: a hundredth of theirs is less than one person's events.
  func needsApproval(
    _ survey: PlanSurvey, _ plan: ShredPlan, now: Int64
  ) throws(StoreError) -> Bool {
    switch survey.target {
    case .tenant, .offboarding: return true
    case .subjects, .events, .stream, .period: break
    }
    #if DEBUG
      if TestHooks.isVariant("approval-per-plan") { return plan.subjectCount > 100 }
    #endif
    var subjects = plan.subjectCount
    var events = plan.eventCount + plan.restrictedEventCount
    for waiting in shared.plans.open(survey.tenant)
    where waiting.state == .waiting && now - waiting.confirmedMilliseconds < Self.dayMilliseconds {
      subjects += waiting.plan.subjectCount
      events += waiting.plan.eventCount + waiting.plan.restrictedEventCount
    }
    let tenant = survey.tenant
    let total = try shared.withState { (state) throws(StoreError) -> UInt64 in
      var next = state.keyring.nextLedgerIndex
      while next > 1 {
        let first = next > 64 ? next - 64 : 1
        let lines = try StoreError.translating { () throws(KeyringError) in
          try state.keyring.ledgerEntries(from: first, limit: Int(next - first))
        }
        for (_, line) in lines.reversed() {
          guard now - line.timeMilliseconds < Self.dayMilliseconds else { return total(state) }
          guard line.tenant == tenant, line.act.isShred else { continue }
          subjects += line.subjectCount
          events += line.count
        }
        next = first
      }
      return total(state)
    }
    func total(_ state: EngineState) -> UInt64 { state.tenants[tenant]?.committed.position ?? 0 }
    return subjects > Limits.unapprovedSubjectsMax
      || events > max(Limits.unapprovedEventsMax, total / Limits.unapprovedShare)
  }
}

extension LedgerEntry.Act {
  /// True for what somebody had erased of a tenant.
  fileprivate var isShred: Bool {
    switch self {
    case .subjectShredded, .eventsShredded, .streamShredded, .periodShredded: true
    default: false
    }
  }
}
