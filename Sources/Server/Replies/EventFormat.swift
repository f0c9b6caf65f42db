import EventModel
import EventStore
import RESP

/// In which form events are answered (`FORMAT map|ce`).
enum EventFormat: Hashable, Sendable {
  /// A map of the protocol.
  case map
  /// CloudEvents 1.0 JSON, one text an event, of the tenant of this name.
  case cloudEvents(TenantName)

  /// Appends one event; `body` is empty when the event is not live.
  func append(
    _ event: ReadEvent, body: Span<UInt8>, stream: Span<UInt8>? = nil, _ encoder: ReplyEncoder,
    to bytes: inout [UInt8]
  ) {
    switch self {
    case .map: EventReply.append(event, body: body, stream: stream, encoder, to: &bytes)
    case .cloudEvents(let tenant):
      var json: [UInt8] = []
      CloudEvent.append(event, body: body, stream: stream, tenant: tenant, to: &json)
      encoder.bulk(json.span, to: &bytes)
    }
  }
}
