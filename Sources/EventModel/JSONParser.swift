/// Why a text is no JSON that this program takes, and at which byte.
package struct JSONFailure: Error, Hashable, Sendable {
  /// What is wrong.
  package enum Reason: Hashable, Sendable {
    case unexpectedEnd, unexpectedByte, badNumber, badEscape, badUTF8, tooDeep, tooBig
    /// A name twice in one object: two readers could see two different events.
    case repeatedName
    /// Something behind the value.
    case trailingBytes
  }

  package let reason: Reason
  package let offset: Int
}

/// A strict reader of JSON (RFC 8259): no comments, no trailing commas, names only once, valid
/// UTF-8 without lone surrogates, bounded depth and size.
package struct JSONParser {
  /// Lists and objects within each other.
  package static let depthMax = 64
  /// Bytes of a text; more than the largest event with every byte escaped.
  package static let bytesMax = 8 << 20

  private let bytes: [UInt8]
  private var index = 0
  private var depth = 0
  /// Where the values of the outermost object's members stand.
  private var ranges: [Range<Int>] = []

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Reads one value and nothing else but blanks around it.
  package static func parse(_ bytes: [UInt8]) throws(JSONFailure) -> JSONValue {
    guard bytes.count <= bytesMax else { throw JSONFailure(reason: .tooBig, offset: bytesMax) }
    var parser = JSONParser(bytes)
    return try parser.wholeText()
  }

  /// Reads one object and says where each member's value stands in the text; nil for other values.
  ///
  /// So a value can be kept byte for byte as it was written.
  package static func members(
    _ bytes: [UInt8]
  ) throws(JSONFailure) -> [(member: JSONMember, range: Range<Int>)]? {
    guard bytes.count <= bytesMax else { throw JSONFailure(reason: .tooBig, offset: bytesMax) }
    var parser = JSONParser(bytes)
    let value = try parser.wholeText()
    guard case .object(let members) = value else { return nil }
    return Array(zip(members, parser.ranges)).map { (member: $0.0, range: $0.1) }
  }
}

extension JSONParser {
  private mutating func wholeText() throws(JSONFailure) -> JSONValue {
    skipBlanks()
    let value = try value()
    skipBlanks()
    guard index == bytes.count else { throw failure(.trailingBytes) }
    return value
  }

  private func failure(_ reason: JSONFailure.Reason) -> JSONFailure {
    JSONFailure(reason: reason, offset: index)
  }

  private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      index += 1
    }
  }

  private mutating func expect(_ byte: UInt8) throws(JSONFailure) {
    guard let found = next else { throw failure(.unexpectedEnd) }
    guard found == byte else { throw failure(.unexpectedByte) }
    index += 1
  }

  private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONFailure)
    -> JSONValue
  {
    for byte in text.description.utf8 { try expect(byte) }
    return value
  }

  private mutating func value() throws(JSONFailure) -> JSONValue {
    switch next {
    case nil: throw failure(.unexpectedEnd)
    case 0x6E: return try literal("null", .null)
    case 0x74: return try literal("true", .boolean(true))
    case 0x66: return try literal("false", .boolean(false))
    case 0x22: return .string(try string())
    case 0x5B:
      return try nested { (parser: inout JSONParser) throws(JSONFailure) in
        try parser.array()
      }
    case 0x7B:
      return try nested { (parser: inout JSONParser) throws(JSONFailure) in
        try parser.object()
      }
    default: return .number(try number())
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(JSONFailure) -> JSONValue
  ) throws(JSONFailure) -> JSONValue {
    depth += 1
    guard depth <= Self.depthMax else { throw failure(.tooDeep) }
    index += 1
    skipBlanks()
    let value = try body(&self)
    depth -= 1
    return value
  }

  private mutating func array() throws(JSONFailure) -> JSONValue {
    var items: [JSONValue] = []
    if next == 0x5D {
      index += 1
      return .array([])
    }
    while true {
      skipBlanks()
      items.append(try value())
      skipBlanks()
      if next == 0x2C {
        index += 1
        continue
      }
      try expect(0x5D)
      return .array(items)
    }
  }

  private mutating func object() throws(JSONFailure) -> JSONValue {
    var members: [JSONMember] = []
    var names: Set<String> = []
    if next == 0x7D {
      index += 1
      return .object([])
    }
    while true {
      skipBlanks()
      guard next == 0x22 else { throw failure(next == nil ? .unexpectedEnd : .unexpectedByte) }
      let name = try string()
      guard names.insert(name).inserted else { throw failure(.repeatedName) }
      skipBlanks()
      try expect(0x3A)
      skipBlanks()
      let start = index
      members.append(JSONMember(name, try value()))
      if depth == 1 { ranges.append(start..<index) }
      skipBlanks()
      if next == 0x2C {
        index += 1
        continue
      }
      try expect(0x7D)
      return .object(members)
    }
  }

  /// Reads `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`.
  private mutating func number() throws(JSONFailure) -> String {
    let start = index
    if next == 0x2D { index += 1 }
    guard let first = next, (0x30...0x39).contains(first) else {
      throw failure(index == start ? .unexpectedByte : .badNumber)
    }
    if first == 0x30 { index += 1 } else { skipDigits() }
    if next == 0x2E {
      index += 1
      try digits()
    }
    if next == 0x65 || next == 0x45 {
      index += 1
      if next == 0x2B || next == 0x2D { index += 1 }
      try digits()
    }
    return String(decoding: bytes[start..<index], as: UTF8.self)
  }

  private mutating func digits() throws(JSONFailure) {
    let start = index
    skipDigits()
    guard index > start else { throw failure(.badNumber) }
  }

  private mutating func skipDigits() {
    while let byte = next, (0x30...0x39).contains(byte) { index += 1 }
  }
}

extension JSONParser {
  private mutating func string() throws(JSONFailure) -> String {
    index += 1
    var text: [UInt8] = []
    while true {
      guard let byte = next else { throw failure(.unexpectedEnd) }
      switch byte {
      case 0x22:
        guard let valid = String(validating: text, as: UTF8.self) else { throw failure(.badUTF8) }
        index += 1
        return valid
      case 0x5C: try escape(into: &text)
      case 0..<0x20: throw failure(.unexpectedByte)
      default:
        text.append(byte)
        index += 1
      }
    }
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONFailure) {
    index += 1
    guard let byte = next else { throw failure(.unexpectedEnd) }
    index += 1
    switch byte {
    case 0x22, 0x5C, 0x2F: text.append(byte)
    case 0x62: text.append(0x08)
    case 0x66: text.append(0x0C)
    case 0x6E: text.append(0x0A)
    case 0x72: text.append(0x0D)
    case 0x74: text.append(0x09)
    case 0x75:
      guard let scalar = Unicode.Scalar(try codePoint()), let encoded = UTF8.encode(scalar) else {
        throw failure(.badEscape)
      }
      text.append(contentsOf: encoded)
    default: throw failure(.badEscape)
    }
  }

  /// The code point of `\uXXXX`, or of two of them that are a surrogate pair.
  private mutating func codePoint() throws(JSONFailure) -> UInt32 {
    let high = try hexadecimal()
    guard (0xD800..<0xDC00).contains(high) else { return high }
    guard next == 0x5C else { throw failure(.badEscape) }
    index += 1
    guard next == 0x75 else { throw failure(.badEscape) }
    index += 1
    let low = try hexadecimal()
    guard (0xDC00..<0xE000).contains(low) else { throw failure(.badEscape) }
    return 0x1_0000 + (high - 0xD800) << 10 + (low - 0xDC00)
  }

  private mutating func hexadecimal() throws(JSONFailure) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next else { throw failure(.unexpectedEnd) }
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
        throw failure(.badEscape)
      }
      value = value << 4 | UInt32(digit)
      index += 1
    }
    return value
  }
}
