import Dispatch
import EventModel

/// Counts beforehand what shreds would destroy, so that the writer does not stand still meanwhile.
///
/// A person may have millions of events. The writer's thread only asks whether what was found is
/// still true (``ShredSurvey/isStillTrue(of:)``).
final class Surveyor: Sendable {
  private let shared: SharedEngine
  private let bundles = BundleDesk()
  private let thread = DispatchQueue(label: "lethe.survey", qos: .utility)
  private let underWay = DispatchGroup()

  init(shared: SharedEngine) { self.shared = shared }

  /// Hands `work` on with its survey; at once when it needs none.
  func prepare(_ work: ControlWork, _ handOn: @escaping @Sendable (ControlWork) -> Void) {
    switch work.act {
    case .planShred(let tenant, let target), .shred(let tenant, let target, _, _):
      thread.async(group: underWay) { [shared] in
        var work = work
        work.survey = Result { () throws(StoreError) in
          guard let number = shared.withState({ $0.tenantsByName[tenant] }) else {
            throw .noTenant
          }
          return .shred(try PlanSurvey.survey(target, tenant: number, shared: shared))
        }
        handOn(work)
      }
    case .plan(.approve(let number, _)), .plan(.carryOut(let number)):
      thread.async(group: underWay) { [shared] in
        var work = work
        work.survey = Result { () throws(StoreError) in
          guard let plan = shared.plans.plan(number), let target = plan.target else {
            throw .noPlan
          }
          return .shred(
            try PlanSurvey.survey(
              target, tenant: plan.tenant, isDue: plan.state == .waiting, shared: shared))
        }
        handOn(work)
      }
    case .retention(let tenant, .set(let request, .dryRun)):
      thread.async(group: underWay) { [shared] in
        var work = work
        work.survey = Result { () throws(StoreError) in
          guard let number = shared.withState({ $0.tenantsByName[tenant] }) else {
            throw .noTenant
          }
          return .retention(
            try RetentionSurvey.survey(request, tenant: number, shared: shared))
        }
        handOn(work)
      }
    case .accessLog(let tenant, let after, let limit):
      thread.async(group: underWay) { [shared] in
        var work = work
        work.survey = Result { () throws(StoreError) in
          guard let number = shared.withState({ $0.tenantsByName[tenant] }) else {
            throw .noTenant
          }
          try shared.accessLog.flush(shared.clock())
          return .accessPage(
            try shared.accessLog.page(number, after: after, limit: limit, shared))
        }
        handOn(work)
      }
    case .hold(.export(let id, let isPermitted, let after, let limit)):
      thread.async(group: underWay) { [shared] in
        var work = work
        work.survey = Result { () throws(StoreError) in
          .held(
            try HoldExport.read(
              id, isPermitted: isPermitted, after: after, limit: limit, shared))
        }
        handOn(work)
      }
    case .incident(let request):
      thread.async(group: underWay) { [shared] in
        var work = work
        work.survey = Result { () throws(StoreError) in
          .incident(try IncidentSurvey.survey(request, shared))
        }
        handOn(work)
      }
    case .expire, .hourly, .retentionStatus:
      thread.async(group: underWay) { [shared] in
        var work = work
        work.survey = Result { () throws(StoreError) in
          .expiry(try ExpirySurvey.survey(shared, now: shared.clock()))
        }
        handOn(work)
      }
    case .bundle(let act):
      thread.async(group: underWay) { [shared, bundles] in
        var work = work
        work.survey = Result { () throws(StoreError) in
          .bundle(try bundles.perform(act, shared))
        }
        handOn(work)
      }
    default: handOn(work)
    }
  }

  /// Waits for the surveys that are under way.
  func wait() { underWay.wait() }
}
