import EventModel

/// JSON as it is written and checked here (RFC 8259), without a tree.
enum JSONText {
  /// Values within values; deeper data is not embedded but written as text.
  static let depthMax = 512

  /// True when the bytes are UTF-8.
  static func isUTF8(_ bytes: Span<UInt8>) -> Bool {
    do {
      _ = try UTF8Span(validating: bytes)
      return true
    } catch {
      return false
    }
  }

  /// How many bytes a text has as a JSON string, at most, without its quotation marks.
  static func escapedCount(_ text: Span<UInt8>) -> Int {
    var count = text.count
    var index = text.jsonEscape(from: 0)
    while index < text.count {
      count += escapeBytesMax - 1
      index = text.jsonEscape(from: index + 1)
    }
    return count
  }

  private static let escapeBytesMax = 6

  /// Appends UTF-8 text as a JSON string.
  @_lifetime(json: copy json)
  static func appendString(_ text: Span<UInt8>, to json: inout OutputSpan<UInt8>) {
    json.append(0x22)
    var start = 0
    var index = text.jsonEscape(from: 0)
    while index < text.count {
      json.append(copying: text.extracting(start..<index))
      appendEscape(text[index], to: &json)
      start = index + 1
      index = text.jsonEscape(from: start)
    }
    json.append(copying: text.extracting(start..<text.count))
    json.append(0x22)
  }

  @_lifetime(json: copy json)
  private static func appendEscape(_ byte: UInt8, to json: inout OutputSpan<UInt8>) {
    json.append(0x5C)
    switch byte {
    case 0x08: json.append(0x62)
    case 0x09: json.append(0x74)
    case 0x0A: json.append(0x6E)
    case 0x0C: json.append(0x66)
    case 0x0D: json.append(0x72)
    case 0x22, 0x5C: json.append(byte)
    default:
      json.append("u00")
      json.append(0x30 + byte >> 4)
      json.append(byte & 15 < 10 ? 0x30 + byte & 15 : 0x57 + byte & 15)
    }
  }

  /// Bytes of Base64 without its quotation marks.
  static func base64Count(_ count: Int) -> Int { (count + 2) / 3 * 4 }

  /// Appends any bytes as a JSON string of Base64 (RFC 4648, section 4).
  @_lifetime(json: copy json)
  static func appendBase64(_ bytes: Span<UInt8>, to json: inout OutputSpan<UInt8>) {
    json.append(0x22)
    var index = 0
    while index < bytes.count {
      let rest = bytes.count - index
      let value =
        UInt32(bytes[index]) << 16 | (rest > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
        | (rest > 2 ? UInt32(bytes[index + 2]) : 0)
      json.append(base64Digit(value >> 18))
      json.append(base64Digit(value >> 12 & 63))
      json.append(rest > 1 ? base64Digit(value >> 6 & 63) : 0x3D)
      json.append(rest > 2 ? base64Digit(value & 63) : 0x3D)
      index += 3
    }
    json.append(0x22)
  }

  private static func base64Digit(_ value: UInt32) -> UInt8 {
    let value = UInt8(truncatingIfNeeded: value)
    return switch value {
    case 0..<26: 0x41 + value
    case 26..<52: 0x61 + value - 26
    case 52..<62: 0x30 + value - 52
    case 62: 0x2B
    default: 0x2F
    }
  }

  /// Appends a valid JSON text without the blanks and line ends between its tokens.
  @_lifetime(json: copy json)
  static func appendCompact(_ text: Span<UInt8>, to json: inout OutputSpan<UInt8>) {
    var start = 0
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte == 0x22 {
        index = stringEnd(text, from: index + 1)
      } else if JSONCheck.isBlank(byte) {
        json.append(copying: text.extracting(start..<index))
        start = index + 1
      }
      index += 1
    }
    json.append(copying: text.extracting(start..<text.count))
  }

  /// Where the quotation mark is that ends a string.
  private static func stringEnd(_ text: Span<UInt8>, from start: Int) -> Int {
    var index = text.jsonEscape(from: start)
    while index < text.count, text[index] != 0x22 {
      // What a backslash stands in front of ends nothing.
      index = text.jsonEscape(from: min(index + 2, text.count))
    }
    return index
  }
}
