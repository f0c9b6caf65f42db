package import EventModel
package import RESP

extension JSONValue {
  /// A reply as JSON: maps become objects, text stays text, other bytes are Base64 text.
  package init(_ reply: Reply) {
    switch reply {
    case .null: self = .null
    case .boolean(let value): self = .boolean(value)
    case .integer(let number): self = .integer(number)
    case .double(let number): self = number.isFinite ? .number(String(number)) : .null
    case .bigNumber(let text), .simple(let text), .error(let text): self = .string(text)
    case .bulk(let bytes):
      self = .string(String(validating: bytes, as: UTF8.self) ?? Base64.encode(bytes))
    case .array(let items), .set(let items), .push(let items):
      self = .array(items.map { JSONValue($0) })
    case .map(let pairs):
      self = .object(pairs.map { JSONMember($0.key.text ?? "", JSONValue($0.value)) })
    }
  }

  /// An event as JSON, in the form that ``EventLine`` reads: the payload is `data` when it is
  /// JSON, else `data_text` or `data_base64`; absent members are left out.
  package init(event: Reply) {
    guard case .map(let pairs) = event else {
      self = JSONValue(event)
      return
    }
    var members: [JSONMember] = []
    for pair in pairs {
      guard let name = pair.key.text else { continue }
      switch (name, pair.value) {
      case ("data", .null): members.append(JSONMember("data", .null))
      case ("data", .bulk(let bytes)): members.append(Self.payload(bytes))
      case (_, .null): continue
      case (_, .array(let items)) where items.isEmpty: continue
      case (_, .map(let inner)) where inner.isEmpty: continue
      default: members.append(JSONMember(name, JSONValue(pair.value)))
      }
    }
    self = .object(members)
  }

  private static func payload(_ bytes: [UInt8]) -> JSONMember {
    if let value = try? JSONParser.parse(bytes) { return JSONMember("data", value) }
    if let text = String(validating: bytes, as: UTF8.self) {
      return JSONMember("data_text", .string(text))
    }
    return JSONMember("data_base64", .string(Base64.encode(bytes)))
  }
}
