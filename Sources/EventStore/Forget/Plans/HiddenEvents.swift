import EventModel
import Keyring

/// What waiting plans hide of a tenant though its keys bear no mark: single events, periods, all of it.
struct HiddenEvents: Equatable {
  /// What a plan for the whole tenant leaves of it.
  enum Access {
    case all
    /// It takes no events, and is read.
    case reading
    case none
  }

  private(set) var access = Access.all
  private var positions: Set<UInt64> = []
  private var periods: [Removal.Periods] = []

  /// What the plans hide of a tenant.
  init(_ plans: [StoredPlan]) {
    for plan in plans {
      switch (plan.target, plan.state) {
      // The one who asks may suspend it, too: so the end of its intake needs no second user.
      case (.offboarding, _): if access == .all { access = .reading }
      case (.tenant, .waiting): access = .none
      case (.events(let found), .waiting): positions.formUnion(found)
      default: break
      }
      if plan.state == .waiting { periods += plan.periods }
    }
  }

  var isEmpty: Bool { positions.isEmpty && periods.isEmpty }

  /// True when the event is not to be shown.
  func contains(_ routing: Routing) -> Bool {
    positions.contains(routing.position)
      || periods.contains {
        $0.classNumber == routing.classNumber && $0.range.contains(routing.period.index)
      }
  }
}

extension EngineState {
  /// Takes over what the open plans hide.
  func apply(_ plans: PlanBook) {
    var byTenant: [TenantNumber: [StoredPlan]] = [:]
    for plan in plans.all where plan.state.isOpen {
      byTenant[plan.tenant, default: []].append(plan)
    }
    for tenant in tenants.values { tenant.hidden = HiddenEvents(byTenant[tenant.number] ?? []) }
  }
}
