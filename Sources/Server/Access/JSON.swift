/// A JSON value (RFC 8259), for the access file.
enum JSON: Hashable, Sendable {
  case null
  case boolean(Bool)
  /// Whole numbers only; nothing else has a meaning here.
  case integer(Int64)
  case text(String)
  case array([JSON])
  /// In the file's order, without repeated names.
  case object([Member])

  struct Member: Hashable, Sendable {
    let name: String
    let value: JSON
  }

  /// Where and why a text is not JSON; the file's owner corrects it.
  struct Failure: Error, Hashable, Sendable {
    let line: Int
    let reason: String
  }

  /// Reads one value with nothing but blanks around it.
  init(parsing bytes: [UInt8]) throws(Failure) {
    var reader = JSONReader(bytes: bytes)
    self = try reader.value(depth: 0)
    try reader.end()
  }
}

/// Walks over a text once; lists lie in one another at most ``depthMax`` deep.
private struct JSONReader {
  static let depthMax = 8

  let bytes: [UInt8]
  var index = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func value(depth: Int) throws(JSON.Failure) -> JSON {
    guard depth <= Self.depthMax else { throw failure("too deep") }
    skipBlanks()
    guard index < bytes.count else { throw failure("unexpected end") }
    switch bytes[index] {
    case 0x7B: return try object(depth: depth)
    case 0x5B: return try array(depth: depth)
    case 0x22: return .text(try string())
    case 0x2D, 0x30...0x39: return .integer(try integer())
    case 0x74: return try word("true", .boolean(true))
    case 0x66: return try word("false", .boolean(false))
    case 0x6E: return try word("null", .null)
    default: throw failure("unexpected character")
    }
  }

  mutating func end() throws(JSON.Failure) {
    skipBlanks()
    guard index == bytes.count else { throw failure("something behind the end") }
  }

  private mutating func object(depth: Int) throws(JSON.Failure) -> JSON {
    index += 1
    var members: [JSON.Member] = []
    if take(0x7D) { return .object(members) }
    repeat {
      skipBlanks()
      guard index < bytes.count, bytes[index] == 0x22 else { throw failure("a name is missing") }
      let name = try string()
      guard !members.contains(where: { $0.name == name }) else {
        throw failure("a name appears twice")
      }
      guard take(0x3A) else { throw failure("':' is missing") }
      members.append(JSON.Member(name: name, value: try value(depth: depth + 1)))
    } while take(0x2C)
    guard take(0x7D) else { throw failure("',' or '}' is missing") }
    return .object(members)
  }

  private mutating func array(depth: Int) throws(JSON.Failure) -> JSON {
    index += 1
    var items: [JSON] = []
    if take(0x5D) { return .array(items) }
    repeat { items.append(try value(depth: depth + 1)) } while take(0x2C)
    guard take(0x5D) else { throw failure("',' or ']' is missing") }
    return .array(items)
  }

  private mutating func string() throws(JSON.Failure) -> String {
    index += 1
    var text: [UInt8] = []
    while index < bytes.count, bytes[index] != 0x22 {
      guard bytes[index] >= 0x20 else { throw failure("control character in a string") }
      if bytes[index] == 0x5C {
        index += 1
        guard index < bytes.count, let escaped = Self.escapes[bytes[index]] else {
          throw failure("escapes other than \\\" \\\\ \\/ \\n \\r \\t are not used here")
        }
        text.append(escaped)
      } else {
        text.append(bytes[index])
      }
      index += 1
    }
    guard index < bytes.count, let string = String(validating: text, as: UTF8.self) else {
      throw failure("a string does not end, or is not UTF-8")
    }
    index += 1
    return string
  }

  private static let escapes: [UInt8: UInt8] = [
    0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x6E: 0x0A, 0x72: 0x0D, 0x74: 0x09,
  ]

  private mutating func integer() throws(JSON.Failure) -> Int64 {
    let start = index
    while index < bytes.count, bytes[index] == 0x2D || (0x30...0x39).contains(bytes[index]) {
      index += 1
    }
    let isFraction = index < bytes.count && [0x2E, 0x65, 0x45].contains(bytes[index])
    let digits = String(decoding: bytes[start..<index], as: UTF8.self)
    guard !isFraction, let number = Int64(digits) else { throw failure("not a whole number") }
    return number
  }

  private mutating func word(_ word: String, _ value: JSON) throws(JSON.Failure) -> JSON {
    guard bytes[index...].starts(with: word.utf8) else { throw failure("unexpected word") }
    index += word.utf8.count
    return value
  }

  /// Steps over blanks and over `byte`, if it comes next.
  private mutating func take(_ byte: UInt8) -> Bool {
    skipBlanks()
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    return true
  }

  private mutating func skipBlanks() {
    while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
  }

  private func failure(_ reason: String) -> JSON.Failure {
    JSON.Failure(line: 1 + bytes[..<index].count { $0 == 0x0A }, reason: reason)
  }
}
