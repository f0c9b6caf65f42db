import CLinux
import EventModel

/// An event that is to be appended, before the daemon has seen it.
package struct EventDraft: Hashable, Sendable {
  package var stream: [UInt8] = []
  package var type: [UInt8] = []
  /// Persons; none means that the event is impersonal, which must be said.
  package var subjects: [[UInt8]] = []
  package var isImpersonal = false
  /// Always sent, so that a retry can be told from a second event.
  package var id: [UInt8] = EventDraft.newID()
  package var source: [UInt8]?
  package var contextSubject: [UInt8]?
  package var time: [UInt8]?
  package var contentType: [UInt8]?
  package var schema: [UInt8]?
  package var className: [UInt8]?
  package var expectation: [UInt8]?
  package var attributes: [(name: [UInt8], value: [UInt8])] = []
  package var data: [UInt8] = []

  package init() {}

  /// A new UUID of version 7 as text.
  package static func newID() -> [UInt8] {
    var random = SystemRandomNumberGenerator()
    var uuid: [UInt8] = []
    EventUUID.append(
      milliseconds: linux_wall_clock_milliseconds(), random: (random.next(), random.next()),
      to: &uuid)
    var text: [UInt8] = []
    EventUUID.appendText(uuid.span, to: &text)
    return text
  }

  /// `EVENT.APPEND` for this event.
  package var appendRequest: Request {
    var request = Request("EVENT.APPEND")
    request.append(stream)
    request.append(type)
    if let expectation { request.append("EXPECT", expectation) }
    request.append(contentsOf: options)
    return request
  }

  /// Everything behind the type; the payload is last.
  package var options: Request {
    var request = Request()
    for subject in subjects { request.append("DATASUBJECT", subject) }
    if isImpersonal { request.append("IMPERSONAL") }
    request.append("ID", id)
    if let source { request.append("SOURCE", source) }
    if let contextSubject { request.append("CESUBJECT", contextSubject) }
    if let time { request.append("TIME", time) }
    if let contentType { request.append("CONTENT", contentType) }
    if let schema { request.append("SCHEMA", schema) }
    if let className { request.append("CLASS", className) }
    for attribute in attributes {
      request.append("ATTR")
      request.append(attribute.name)
      request.append(attribute.value)
    }
    request.append("DATA", data)
    return request
  }

  /// `EVENT.BATCH` for events that are stored together or not at all; neighbours in the same
  /// stream with the same expectation share a `STREAM` clause.
  package static func batchRequest(_ drafts: [EventDraft]) -> Request {
    var request = Request("EVENT.BATCH")
    var previous: EventDraft?
    for draft in drafts {
      if previous?.stream != draft.stream || draft.expectation != nil {
        request.append("STREAM", draft.stream)
        if let expectation = draft.expectation { request.append("EXPECT", expectation) }
      }
      request.append("EVENT", draft.type)
      request.append(contentsOf: draft.options)
      previous = draft
    }
    return request
  }

  package static func == (left: EventDraft, right: EventDraft) -> Bool {
    left.appendRequest == right.appendRequest
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(appendRequest) }
}
