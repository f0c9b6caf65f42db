import EventModel
import EventStore
import RESP

/// What is answered about confirmed plans.
extension ControlReply {
  static func append(_ plan: PlanDetail, _ encoder: ReplyEncoder, to bytes: inout [UInt8]) {
    var map = MapReply(encoder: encoder)
    map.add("plan", UInt64(plan.number))
    map.add("tenant", plan.tenant?.text ?? "")
    map.add("what", plan.kind.word)
    map.add("state", plan.state.word)
    map.add("reason", plan.request.reason.rawValue)
    map.add("ticket", String(decoding: plan.request.ticket, as: UTF8.self))
    add(plan.plan, to: &map)
    map.add("requested-by", plan.requestedBy)
    map.add("approved-by", plan.approvedBy ?? "")
    map.add("confirmed", Timestamp.text(plan.confirmedMilliseconds))
    map.add(
      plan.state == .approval ? "lapses" : "due", Timestamp.text(plan.dueMilliseconds))
    map.add("finished", plan.finishedMilliseconds.map(Timestamp.text) ?? "")
    map.add("answer-by", plan.request.dueDay.map { Timestamp.dayText(Int64($0)) } ?? "")
    map.add("days-left", plan.daysLeft.map(String.init) ?? "")
    map.add("obstacle", plan.obstacle.map { CommandError($0).word.rawValue } ?? "")
    map.append(to: &bytes)
  }
}

extension PlanKind {
  var word: String {
    switch self {
    case .subjects: "datasubject"
    case .events: "events"
    case .stream: "stream"
    case .period: "period"
    case .tenant: "tenant"
    case .offboarding: "offboarding"
    }
  }
}

extension PlanState {
  fileprivate var word: String {
    switch self {
    case .approval: "needs-approval"
    case .waiting: "waiting"
    case .done: "done"
    case .cancelled: "cancelled"
    case .lapsed: "lapsed"
    }
  }
}
