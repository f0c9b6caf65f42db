package import EventModel

/// Why a line is no event; shown with the line's number and without anything of its content.
package enum EventLineFailure: Error, Hashable, Sendable {
  case notJSON(JSONFailure)
  case notAnObject
  /// A name that means nothing here; perhaps one letter away from `datasubject`.
  case unknownName
  case wrongType(name: String)
  case missing(name: String)
  /// Neither `"datasubject"` nor `"impersonal":true`, or both.
  case person
  case payload
  /// The line was read from a store and its payload is gone.
  case notLive

  package var text: String {
    switch self {
    case .notJSON(let failure): "no JSON at byte \(failure.offset) (\(failure.reason))"
    case .notAnObject: "not a JSON object"
    case .unknownName: "a member that events do not have; `lethe append --help` lists them"
    case .wrongType(let name): "\"\(name)\" has the wrong type"
    case .missing(let name): "\"\(name)\" is missing"
    case .person: "say \"datasubject\" or \"impersonal\":true, and not both"
    case .payload: "say one of \"data\", \"data_text\" and \"data_base64\""
    case .notLive: "its \"state\" is not \"live\", so there is no payload"
    }
  }
}

/// Reads an event from a line of NDJSON, in the form that `lethe read --json` writes.
///
/// `data` holds JSON, `data_text` any other text, `data_base64` bytes. The daemon's own facts
/// (position, version, stored) are passed over, so that what was read can be appended again.
package enum EventLine {
  /// `stream` and `type` are used where the line names none.
  package static func parse(
    _ line: [UInt8], stream: String?, type: String?
  ) throws(EventLineFailure) -> EventDraft {
    let value: JSONValue
    do { value = try JSONParser.parse(line) } catch { throw .notJSON(error) }
    guard case .object(let members) = value else { throw .notAnObject }
    var draft = EventDraft()
    draft.stream = Array((stream ?? "").utf8)
    draft.type = Array((type ?? "").utf8)
    var payloads = 0
    for member in members where member.value != .null {
      if try setPayload(member, of: &draft) {
        payloads += 1
      } else if try !setPerson(member, of: &draft) {
        try setOption(member, of: &draft)
      }
    }
    if draft.stream.isEmpty { throw .missing(name: "stream") }
    if draft.type.isEmpty { throw .missing(name: "type") }
    guard draft.subjects.isEmpty == draft.isImpersonal else { throw .person }
    guard payloads == 1 else { throw .payload }
    return draft
  }

  private static func text(_ member: JSONMember) throws(EventLineFailure) -> [UInt8] {
    guard let text = member.value.string else { throw .wrongType(name: member.name) }
    return Array(text.utf8)
  }

  private static func setPayload(
    _ member: JSONMember, of draft: inout EventDraft
  ) throws(EventLineFailure) -> Bool {
    switch member.name {
    case "data": draft.data = member.value.bytes
    case "data_text": draft.data = try text(member)
    case "data_base64":
      guard let bytes = member.value.string.flatMap(Base64.decode) else {
        throw .wrongType(name: member.name)
      }
      draft.data = bytes
    default: return false
    }
    return true
  }

  private static func setPerson(
    _ member: JSONMember, of draft: inout EventDraft
  ) throws(EventLineFailure) -> Bool {
    switch (member.name, member.value) {
    case ("datasubject", .string(let person)): draft.subjects = [Array(person.utf8)]
    case ("datasubject", .array(let persons)):
      for person in persons {
        guard let text = person.string else { throw .wrongType(name: member.name) }
        draft.subjects.append(Array(text.utf8))
      }
    case ("impersonal", .boolean(let value)): draft.isImpersonal = value
    case ("datasubject", _), ("impersonal", _): throw .wrongType(name: member.name)
    default: return false
    }
    return true
  }

  private static func setOption(
    _ member: JSONMember, of draft: inout EventDraft
  ) throws(EventLineFailure) {
    switch member.name {
    case "stream": draft.stream = try text(member)
    case "type": draft.type = try text(member)
    case "id": draft.id = try text(member)
    case "source": draft.source = try text(member)
    case "cesubject": draft.contextSubject = try text(member)
    case "time": draft.time = try text(member)
    case "content": draft.contentType = try text(member)
    case "schema": draft.schema = try text(member)
    case "class": draft.className = try text(member)
    case "expect":
      if case .number(let number) = member.value {
        draft.expectation = Array(number.utf8)
      } else {
        draft.expectation = try text(member)
      }
    case "attrs":
      guard case .object(let attributes) = member.value else {
        throw .wrongType(name: member.name)
      }
      for attribute in attributes {
        draft.attributes.append(
          (Array(attribute.name.utf8), try text(JSONMember("attrs", attribute.value))))
      }
    case "state":
      guard member.value == .string("live") else { throw .notLive }
    case "position", "version", "stored": break
    default: throw .unknownName
    }
  }
}
