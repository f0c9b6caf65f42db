package import EventModel

/// Why a line cannot be imported; said with the line's number and without anything of its content.
package enum CloudEventFailure: Error, Hashable, Sendable {
  case notJSON(JSONFailure.Reason)
  case notAnObject
  /// `specversion` is not "1.0".
  case version
  case missing(name: String)
  case wrongType(name: String)
  /// No stream is named where `--stream-from` looks for it.
  case stream
  /// No person is named, and the type is not said to be impersonal.
  case person
  /// An extension is a list or an object.
  case extensionType
  /// Both `data` and `data_base64`, or data that are not what `datacontenttype` says.
  case payload

  package var text: String {
    switch self {
    case .notJSON(let reason): "no JSON (\(reason))"
    case .notAnObject: "not a JSON object"
    case .version: "\"specversion\" is not \"1.0\""
    case .missing(let name): "\"\(name)\" is missing"
    case .wrongType(let name): "\"\(name)\" has the wrong type"
    case .stream: "no stream: say --stream-from or --stream"
    case .person: "no \"datasubject\", and its type is not among --impersonal-types"
    case .extensionType: "an extension is neither text nor number nor boolean"
    case .payload: "say one of \"data\" and \"data_base64\""
    }
  }
}

/// What a CloudEvent becomes in a store.
package struct CloudEventMapping: Hashable, Sendable {
  /// Where a stream's name comes from.
  package enum StreamOrigin: Hashable, Sendable {
    case subject, source, type
    /// The extension of this name.
    case attribute(String)
    /// The same for all events.
    case fixed(String)
  }

  package var stream = StreamOrigin.attribute("stream")
  /// The extension that names the person; others are this name with 2, 3 and 4 behind it.
  package var person = "datasubject"
  /// Types whose events are about nobody, unless they name a person.
  package var impersonalTypes: Set<String> = []
  /// True when events of every type may be about nobody.
  package var areAllImpersonal = false

  package init() {}
}

/// Reads CloudEvents 1.0 in the JSON format, one a line.
package enum CloudEvent {
  /// What a line is.
  package enum Line: Hashable, Sendable {
    case event(EventDraft)
    /// The marker of an erased or restricted event: nothing is left to store.
    case marker
    /// Not an event, but what a feed sends to show that it lives.
    case heartbeat
  }

  /// What a store says as the source of events that came without one.
  package static let ownSource = "urn:lethe:"

  /// Reads one line; EventSourcingDB's `{"type":"event","payload":{..}}` is unwrapped.
  package static func parse(
    _ line: [UInt8], _ mapping: CloudEventMapping
  ) throws(CloudEventFailure) -> Line {
    let members = try self.members(line)
    let names = Dictionary(
      members.map { ($0.member.name, $0.member.value) }, uniquingKeysWith: { first, _ in first })
    if names["specversion"] == nil, let type = names["type"]?.string {
      if type == "heartbeat" { return .heartbeat }
      if type == "event", let payload = members.first(where: { $0.member.name == "payload" }) {
        guard case .object = payload.member.value else { throw .wrongType(name: "payload") }
        return try parse(Array(line[payload.range]), mapping)
      }
    }
    guard names["specversion"] == .string("1.0") else { throw .version }
    // The facts of the store that it was exported from.
    let isExport = names["storedtime"] != nil && names["state"] != nil
    if isExport, names["state"] != .string("live") { return .marker }
    var reader = CloudEventReader(line: line, mapping: mapping, isExport: isExport)
    for (member, range) in members where member.value != .null || member.name == "data" {
      try reader.take(member, range)
    }
    return .event(try reader.finished())
  }

  /// Where an exported event stands: its position, or with `isFeed` false its version.
  package static func place(inLine line: [UInt8], isFeed: Bool) -> UInt64? {
    guard let value = try? JSONParser.parse(line) else { return nil }
    switch value[isFeed ? "position" : "sequence"] {
    case .string(let text), .number(let text): return UInt64(text)
    default: return nil
    }
  }

  private static func members(
    _ line: [UInt8]
  ) throws(CloudEventFailure) -> [(member: JSONMember, range: Range<Int>)] {
    let members: [(member: JSONMember, range: Range<Int>)]?
    do { members = try JSONParser.members(line) } catch { throw .notJSON(error.reason) }
    guard let members else { throw .notAnObject }
    return members
  }
}

/// Collects the members of one event.
private struct CloudEventReader {
  let line: [UInt8]
  let mapping: CloudEventMapping
  let isExport: Bool
  private var draft = EventDraft()
  private var persons: [String: [UInt8]] = [:]
  private var names: [String: String] = [:]
  private var json: (value: JSONValue, range: Range<Int>)?
  private var base64: String?

  init(line: [UInt8], mapping: CloudEventMapping, isExport: Bool) {
    (self.line, self.mapping, self.isExport) = (line, mapping, isExport)
  }

  mutating func take(
    _ member: JSONMember, _ range: Range<Int>
  ) throws(CloudEventFailure) {
    switch member.name {
    case "specversion": return
    case "data": json = (member.value, range)
    case "data_base64": base64 = try text(member)
    case "id", "source", "type", "subject", "time", "datacontenttype", "dataschema":
      names[member.name] = try text(member)
    case "storedtime", "state", "position", "sequence", "stream":
      if !isExport || member.name == "stream" { try takeExtension(member) }
    default: try takeExtension(member)
    }
  }

  private mutating func takeExtension(_ member: JSONMember) throws(CloudEventFailure) {
    let value: String
    switch member.value {
    case .string(let text), .number(let text): value = text
    case .boolean(let isTrue): value = isTrue ? "true" : "false"
    default: throw .extensionType
    }
    let isPerson = ["", "2", "3", "4"].contains { member.name == mapping.person + $0 }
    if isPerson {
      persons[member.name] = Array(value.utf8)
    } else if mapping.stream == .attribute(member.name) {
      names["stream"] = value
    } else if !(isExport && member.name == "stream") {
      draft.attributes.append((Array(member.name.utf8), Array(value.utf8)))
    }
  }

  private func text(_ member: JSONMember) throws(CloudEventFailure) -> String {
    guard let text = member.value.string else { throw .wrongType(name: member.name) }
    return text
  }

  private func required(_ name: String) throws(CloudEventFailure) -> String {
    guard let text = names[name], !text.isEmpty else { throw .missing(name: name) }
    return text
  }

  func finished() throws(CloudEventFailure) -> EventDraft {
    var draft = self.draft
    func bytes(_ name: String) -> [UInt8]? { names[name].map { Array($0.utf8) } }
    let (source, type) = (try required("source"), try required("type"))
    draft.id = Array(try required("id").utf8)
    // What the store made up for an event without a source is no source.
    draft.source = source.hasPrefix(CloudEvent.ownSource) ? nil : Array(source.utf8)
    draft.type = Array(type.utf8)
    draft.contextSubject = bytes("subject")
    draft.time = bytes("time")
    draft.contentType = bytes("datacontenttype")
    draft.schema = bytes("dataschema")
    draft.data = try payload()
    draft.stream = try stream()
    draft.subjects = try subjects()
    if draft.subjects.isEmpty {
      guard mapping.areAllImpersonal || mapping.impersonalTypes.contains(type) else {
        throw .person
      }
      draft.isImpersonal = true
    }
    return draft
  }

  private func subjects() throws(CloudEventFailure) -> [[UInt8]] {
    var names = ["", "2", "3", "4"].map { mapping.person + $0 }
    if mapping.person == "subject" { names = [] }
    var found = names.compactMap { persons[$0] }
    if mapping.person == "subject", let subject = self.names["subject"] {
      found = [Array(subject.utf8)]
    }
    return found
  }

  private func stream() throws(CloudEventFailure) -> [UInt8] {
    let name: String? =
      switch mapping.stream {
      case .subject: names["subject"]
      case .source: names["source"]
      case .type: names["type"]
      case .attribute: names["stream"]
      case .fixed(let name): name
      }
    guard let name, !name.isEmpty else { throw .stream }
    return Array(name.utf8)
  }

  /// The payload's bytes: JSON as it was written, text of other media types without its quotes.
  private func payload() throws(CloudEventFailure) -> [UInt8] {
    switch (json, base64) {
    case (nil, nil): return []
    case (nil, let text?):
      guard let bytes = Base64.decode(text) else { throw .wrongType(name: "data_base64") }
      return bytes
    case (let json?, nil):
      let mediaType = names["datacontenttype"]
      // A store writes a text without a media type as a string, as CloudEvents must.
      if case .string(let text) = json.value,
        isExport && mediaType == nil || !Self.isJSON(mediaType)
      {
        return Array(text.utf8)
      }
      return Array(line[json.range])
    default: throw .payload
    }
  }

  /// True for what CloudEvents calls a JSON media type; nothing said means JSON.
  private static func isJSON(_ mediaType: String?) -> Bool {
    guard let mediaType else { return true }
    let essence = mediaType.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
    return essence.hasSuffix("/json") || essence.hasSuffix("+json")
  }
}
