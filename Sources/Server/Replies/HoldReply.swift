import EventModel
import EventStore
import RESP

extension ControlReply {
  /// What was answered about holds.
  static func append(_ answer: HoldAnswer, _ encoder: ReplyEncoder, to bytes: inout [UInt8]) {
    switch answer {
    case .released: encoder.simple("OK", to: &bytes)
    case .hold(let detail): append(detail, nil, encoder, to: &bytes)
    case .plan(let detail, let token): append(detail, token, encoder, to: &bytes)
    case .export(let found): append(found, encoder, to: &bytes)
    case .holds(let details):
      encoder.array(details.count, to: &bytes)
      for detail in details { append(detail, nil, encoder, to: &bytes) }
    }
  }

  private static func append(
    _ export: HoldExport, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    encoder.map(2, to: &bytes)
    encoder.bulk("next", to: &bytes)
    if let next = export.next {
      encoder.integer(next, to: &bytes)
    } else {
      encoder.null(to: &bytes)
    }
    encoder.bulk("events", to: &bytes)
    encoder.array(export.events.count, to: &bytes)
    for found in export.events {
      var json: [UInt8] = []
      CloudEvent.append(found.event, body: found.body.span, tenant: export.tenant, to: &json)
      encoder.bulk(json.span, to: &bytes)
    }
  }

  private static func append(
    _ detail: HoldDetail, _ token: String?, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    var map = MapReply(encoder: encoder)
    map.add("id", detail.id.text)
    map.add("tenant", detail.tenant?.text ?? "")
    map.add("scope", detail.scope)
    if !detail.className.isEmpty {
      map.add("name", String(decoding: detail.className, as: UTF8.self))
    }
    map.add("reason", detail.reason.text)
    map.add("review", String(Timestamp.text(Int64(detail.reviewDay) * 86_400_000).prefix(10)))
    map.add("overdue", isTrue: detail.isOverdue)
    map.add("set", Timestamp.text(detail.setMilliseconds))
    if let ends = detail.endsMilliseconds { map.add("ends", Timestamp.text(ends)) }
    if let token { map.add("confirm", token) }
    map.append(to: &bytes)
  }
}
