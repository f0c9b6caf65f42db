/// Base64 with padding (RFC 4648, section 4).
package enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  package static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let count = min(3, bytes.count - start)
      var group: UInt32 = 0
      for index in 0..<3 {
        group = group << 8 | (index < count ? UInt32(bytes[start + index]) : 0)
      }
      for index in 0..<4 {
        let digit = alphabet[Int(group >> UInt32(18 - 6 * index) & 63)]
        text.append(index <= count ? digit : 0x3D)
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Returns nil for anything that ``encode(_:)`` would not have written.
  package static func decode(_ text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count % 4 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 4 * 3)
    for start in stride(from: 0, to: digits.count, by: 4) {
      let isLast = start + 4 == digits.count
      var padding = 0
      var group: UInt32 = 0
      for index in start..<(start + 4) {
        if isLast, digits[index] == 0x3D, index >= start + 2 {
          padding += 1
          group <<= 6
          continue
        }
        guard padding == 0, let value = value(of: digits[index]) else { return nil }
        group = group << 6 | value
      }
      // Bits that no byte has must be zero, so that each text has one reading and one writing.
      if padding > 0, group & (padding == 1 ? 0xFF : 0xFFFF) != 0 { return nil }
      for index in 0..<(3 - padding) {
        bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(16 - 8 * index)))
      }
    }
    return bytes
  }

  private static func value(of digit: UInt8) -> UInt32? {
    switch digit {
    case 0x41...0x5A: UInt32(digit - 0x41)
    case 0x61...0x7A: UInt32(digit - 0x61 + 26)
    case 0x30...0x39: UInt32(digit - 0x30 + 52)
    case 0x2B: 62
    case 0x2F: 63
    default: nil
    }
  }
}
