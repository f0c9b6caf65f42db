import EventModel
import EventStore
import RESP

extension ControlReply {
  /// What was answered about retention classes.
  static func append(
    _ answer: RetentionAnswer, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    switch answer {
    case .done(let detail): append(detail, encoder, to: &bytes)
    case .classes(let details):
      encoder.array(details.count, to: &bytes)
      for detail in details { append(detail, encoder, to: &bytes) }
    case .plan(let plan): append(plan, encoder, to: &bytes)
    }
  }

  private static func append(
    _ detail: RetentionDetail, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    let policy = detail.policy
    var map = MapReply(encoder: encoder)
    map.add("class", String(decoding: detail.name, as: UTF8.self))
    map.add("max", policy.retention.text)
    map.add("min", Retention(unit: policy.unit, periods: policy.minimumPeriods).text)
    map.add("purpose", String(decoding: policy.purpose, as: UTF8.self))
    map.add("mode", policy.mode == .compliance ? "compliance" : "governance")
    map.add("onrequest", policy.onRequest == .restrict ? "restrict" : "erase")
    map.add("types", detail.types.map { String(decoding: $0, as: UTF8.self) })
    if let from = detail.maximumFromMilliseconds {
      map.add("max-of-events-from", Timestamp.text(from))
      map.add("max-of-older", policy.retention(of: 0).text)
    }
    if let next = policy.shortening {
      map.add("next-max", Retention(unit: policy.unit, periods: next.periods).text)
      map.add("next-max-in-force", Timestamp.text(next.inForceMilliseconds))
    }
    map.append(to: &bytes)
  }

  private static func append(
    _ plan: RetentionPlan, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    var map = MapReply(encoder: encoder)
    map.add("class", String(decoding: plan.name, as: UTF8.self))
    map.add("events-ending-earlier", plan.eventCount)
    let approval =
      switch plan.weight {
      case .plain: "not-needed"
      case .shortensMaximum: "or-wait"
      case .shortensMinimum: "needed"
      }
    map.add("approval", approval)
    if plan.inForceMilliseconds > 0 {
      map.add("in-force", Timestamp.text(plan.inForceMilliseconds))
    }
    map.add("confirm", plan.token)
    map.append(to: &bytes)
  }
}
