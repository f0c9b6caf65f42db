/// JSON that has exactly one spelling, so that it can be signed (RFC 8785).
///
/// Members are sorted by the UTF-16 code units of their names, there is no white space, strings are
/// escaped as little as JSON allows, and numbers are written as ECMAScript writes them.
package enum CanonicalJSON: Hashable, Sendable {
  case null
  case bool(Bool)
  /// A finite number.
  ///
  /// Whole numbers are exact up to ``integerMax``.
  case number(Double)
  case string(String)
  case array([CanonicalJSON])
  /// Members in any order; no name twice.
  case object([Member])
  /// What was encoded before.
  case encoded([UInt8])

  /// A member of an object.
  package struct Member: Hashable, Sendable {
    package let name: String
    package let value: CanonicalJSON

    package init(_ name: String, _ value: CanonicalJSON) {
      self.name = name
      self.value = value
    }
  }

  /// Up to here every whole number has a spelling of its own.
  package static let integerMax: UInt64 = 1 << 53

  /// A whole number.
  package static func integer(_ value: UInt64) -> CanonicalJSON {
    precondition(value <= integerMax, "JSON cannot tell larger numbers apart")
    return .number(Double(value))
  }

  /// The text as UTF-8.
  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return bytes
  }
}

extension CanonicalJSON: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(arrayLiteral elements: CanonicalJSON...) { self = .array(elements) }
  package init(dictionaryLiteral members: (String, CanonicalJSON)...) {
    self = .object(members.map { Member($0.0, $0.1) })
  }
}

extension CanonicalJSON {
  private func append(to bytes: inout [UInt8]) {
    switch self {
    case .null: bytes += "null".utf8
    case .bool(let value): bytes += (value ? "true" : "false").utf8
    case .number(let value): Self.append(value, to: &bytes)
    case .string(let text): Self.append(text, to: &bytes)
    case .encoded(let found): bytes += found
    case .array(let values):
      bytes.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        value.append(to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let members):
      bytes.append(UInt8(ascii: "{"))
      var last: Member?
      for member in members.sorted(by: { Self.isBefore($0.name, $1.name) }) {
        if let last {
          precondition(Self.isBefore(last.name, member.name), "an object has a name only once")
          bytes.append(UInt8(ascii: ","))
        }
        Self.append(member.name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        member.value.append(to: &bytes)
        last = member
      }
      bytes.append(UInt8(ascii: "}"))
    }
  }

  /// Section 3.2.3: by UTF-16, in which a character beyond the first plane comes before some within.
  private static func isBefore(_ left: String, _ right: String) -> Bool {
    left.utf16.lexicographicallyPrecedes(right.utf16)
  }

  /// Section 3.2.2.2.
  private static func append(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case 0x08: bytes += #"\b"#.utf8
      case 0x09: bytes += #"\t"#.utf8
      case 0x0A: bytes += #"\n"#.utf8
      case 0x0C: bytes += #"\f"#.utf8
      case 0x0D: bytes += #"\r"#.utf8
      case 0x22: bytes += #"\""#.utf8
      case 0x5C: bytes += #"\\"#.utf8
      case 0..<0x20:
        bytes += #"\u00"#.utf8
        bytes.append(digits[Int(byte >> 4)])
        bytes.append(digits[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private static let digits = Array("0123456789abcdef".utf8)

  /// Section 3.2.2.3: the fewest digits that read back as the number, laid out as
  /// `Number::toString` of ECMAScript does.
  private static func append(_ value: Double, to bytes: inout [UInt8]) {
    precondition(value.isFinite, "JSON has no infinity")
    guard value != 0 else { return bytes.append(UInt8(ascii: "0")) }
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    let (digits, point) = decimal(value.magnitude)
    let zero = UInt8(ascii: "0")
    switch point {
    case digits.count...21:
      bytes += digits
      bytes += repeatElement(zero, count: point - digits.count)
    case 1...21:
      bytes += digits[..<point]
      bytes.append(UInt8(ascii: "."))
      bytes += digits[point...]
    case -5...0:
      bytes += "0.".utf8
      bytes += repeatElement(zero, count: -point)
      bytes += digits
    default:
      bytes.append(digits[0])
      if digits.count > 1 {
        bytes.append(UInt8(ascii: "."))
        bytes += digits[1...]
      }
      bytes += (point > 0 ? "e+" : "e-").utf8
      bytes += String(abs(point - 1)).utf8
    }
  }

  /// The digits of a positive number and where its point stands: 0.digits times ten to `point`.
  ///
  /// Swift finds the same digits as ECMAScript: the shortest, and of these the nearest.
  private static func decimal(_ value: Double) -> (digits: [UInt8], point: Int) {
    var digits: [UInt8] = []
    var point: Int?
    var exponent = 0
    let text = Array(value.description.utf8)
    for (index, byte) in text.enumerated() {
      if byte == UInt8(ascii: ".") {
        point = digits.count
      } else if byte == UInt8(ascii: "e") {
        exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
        break
      } else {
        digits.append(byte)
      }
    }
    var place = (point ?? digits.count) + exponent
    while digits.first == UInt8(ascii: "0") {
      digits.removeFirst()
      place -= 1
    }
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    return (digits, place)
  }
}
