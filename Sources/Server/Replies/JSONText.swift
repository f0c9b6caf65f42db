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

  /// Appends UTF-8 text as a JSON string.
  static func appendString(_ text: Span<UInt8>, to json: inout [UInt8]) {
    json.append(0x22)
    var start = 0
    for index in text.indices {
      let byte = text[index]
      guard byte < 0x20 || byte == 0x22 || byte == 0x5C else { continue }
      json.appendSpan(text.extracting(start..<index))
      start = index + 1
      appendEscape(byte, to: &json)
    }
    json.appendSpan(text.extracting(start..<text.count))
    json.append(0x22)
  }

  private static func appendEscape(_ byte: UInt8, to json: inout [UInt8]) {
    json.append(0x5C)
    switch byte {
    case 0x08: json.append(0x62)
    case 0x09: json.append(0x74)
    case 0x0A: json.append(0x6E)
    case 0x0C: json.append(0x66)
    case 0x0D: json.append(0x72)
    case 0x22, 0x5C: json.append(byte)
    default:
      json.append(contentsOf: [0x75, 0x30, 0x30, 0x30 + byte >> 4])
      json.append(byte & 15 < 10 ? 0x30 + byte & 15 : 0x57 + byte & 15)
    }
  }

  /// Appends any bytes as a JSON string of Base64 (RFC 4648, section 4).
  static func appendBase64(_ bytes: Span<UInt8>, to json: inout [UInt8]) {
    let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    let digits = Array("\(alphabet)".utf8)
    json.append(0x22)
    json.reserveCapacity(json.count + (bytes.count + 2) / 3 * 4 + 1)
    var index = 0
    while index < bytes.count {
      let rest = bytes.count - index
      let value =
        UInt32(bytes[index]) << 16 | (rest > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
        | (rest > 2 ? UInt32(bytes[index + 2]) : 0)
      json.append(digits[Int(value >> 18)])
      json.append(digits[Int(value >> 12 & 63)])
      json.append(rest > 1 ? digits[Int(value >> 6 & 63)] : 0x3D)
      json.append(rest > 2 ? digits[Int(value & 63)] : 0x3D)
      index += 3
    }
    json.append(0x22)
  }

  /// Appends a valid JSON text without the blanks and line ends between its tokens.
  static func appendCompact(_ text: Span<UInt8>, to json: inout [UInt8]) {
    var start = 0
    var isInString = false
    var index = 0
    while index < text.count {
      let byte = text[index]
      if isInString {
        if byte == 0x5C { index += 1 }
        if byte == 0x22 { isInString = false }
      } else if byte == 0x22 {
        isInString = true
      } else if JSONCheck.isBlank(byte) {
        json.appendSpan(text.extracting(start..<index))
        start = index + 1
      }
      index += 1
    }
    json.appendSpan(text.extracting(start..<text.count))
  }
}
