import EventModel

/// Says whether bytes are one JSON text (RFC 8259, strictly), without recursion and without memory
/// that grows with them.
///
/// Stricter than the grammar in one respect: half a surrogate pair (`"\ud800"`) is no text, and
/// parsers would refuse the whole event for it.
struct JSONCheck: ~Escapable {
  private let text: Span<UInt8>
  private var index = 0
  /// A bit for each open value: set for an object, clear for a list.
  private var kinds = InlineArray<8, UInt64>(repeating: 0)
  private var depth = 0

  static func isValid(_ text: Span<UInt8>) -> Bool {
    JSONText.isUTF8(text) && isValid(utf8: text)
  }

  /// The same for what is known to be UTF-8.
  static func isValid(utf8 text: Span<UInt8>) -> Bool {
    guard !text.isEmpty else { return false }
    var check = JSONCheck(text)
    return check.run()
  }

  static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  @_lifetime(copy text)
  private init(_ text: Span<UInt8>) { self.text = text }

  private var isInObject: Bool {
    kinds[(depth - 1) >> 6] >> UInt64((depth - 1) & 63) & 1 == 1
  }

  /// The byte at the index, or 0 (which begins nothing) at the end.
  private var byte: UInt8 { index < text.count ? text[index] : 0 }

  @_lifetime(self: copy self)
  private mutating func run() -> Bool {
    repeat {
      // A value begins here.
      skipBlanks()
      guard let isOpened = value() else { return false }
      if isOpened { continue }
      // A value ended: what follows within the values around it?
      var isNext = false
      while !isNext {
        skipBlanks()
        guard depth > 0 else { return index == text.count }
        switch byte {
        case 0x2C:
          index += 1
          if isInObject {
            guard name() else { return false }
          }
          isNext = true
        case 0x7D where isInObject, 0x5D where !isInObject:
          index += 1
          depth -= 1
        default: return false
        }
      }
    } while true
  }

  /// Reads a value; true when it is a list or object of which the first value comes next.
  @_lifetime(self: copy self)
  private mutating func value() -> Bool? {
    switch byte {
    case 0x7B, 0x5B: return open()
    case 0x22: return string() ? false : nil
    case 0x74: return word("true") ? false : nil
    case 0x66: return word("false") ? false : nil
    case 0x6E: return word("null") ? false : nil
    default: return number() ? false : nil
    }
  }

  @_lifetime(self: copy self)
  private mutating func open() -> Bool? {
    let isObject = byte == 0x7B
    index += 1
    skipBlanks()
    if byte == (isObject ? 0x7D : 0x5D) {
      index += 1
      return false
    }
    guard depth < JSONText.depthMax else { return nil }
    let bit = UInt64(1) << UInt64(depth & 63)
    kinds[depth >> 6] = isObject ? kinds[depth >> 6] | bit : kinds[depth >> 6] & ~bit
    depth += 1
    guard !isObject || name() else { return nil }
    return true
  }

  /// Reads `"name" :`.
  @_lifetime(self: copy self)
  private mutating func name() -> Bool {
    skipBlanks()
    guard byte == 0x22, string() else { return false }
    skipBlanks()
    guard byte == 0x3A else { return false }
    index += 1
    return true
  }

  @_lifetime(self: copy self)
  private mutating func skipBlanks() {
    while index < text.count, Self.isBlank(text[index]) { index += 1 }
  }

  @_lifetime(self: copy self)
  private mutating func word(_ word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    guard index + count <= text.count else { return false }
    var isSame = true
    let start = index
    var offset = 0
    for byte in "\(word)".utf8 {
      isSame = isSame && text[start + offset] == byte
      offset += 1
    }
    index += count
    return isSame
  }
}

extension JSONCheck {
  @_lifetime(self: copy self)
  private mutating func string() -> Bool {
    index += 1
    while true {
      index = text.jsonEscape(from: index)
      guard index < text.count else { return false }
      let byte = text[index]
      index += 1
      if byte == 0x22 { return true }
      if byte < 0x20 { return false }
      if byte == 0x5C {
        guard escape() else { return false }
      }
    }
  }

  @_lifetime(self: copy self)
  private mutating func escape() -> Bool {
    let kind = byte
    index += 1
    switch kind {
    case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: return true
    case 0x75:
      guard let unit = hexadecimal() else { return false }
      guard (0xD800...0xDFFF).contains(unit) else { return true }
      guard unit < 0xDC00, byte == 0x5C else { return false }
      index += 1
      guard byte == 0x75 else { return false }
      index += 1
      guard let second = hexadecimal() else { return false }
      return (0xDC00...0xDFFF).contains(second)
    default: return false
    }
  }

  @_lifetime(self: copy self)
  private mutating func hexadecimal() -> Int? {
    guard index + 4 <= text.count else { return nil }
    var value = 0
    for _ in 0..<4 {
      let byte = text[index]
      index += 1
      switch byte {
      case 0x30...0x39: value = value << 4 | Int(byte - 0x30)
      case 0x41...0x46: value = value << 4 | Int(byte - 0x37)
      case 0x61...0x66: value = value << 4 | Int(byte - 0x57)
      default: return nil
      }
    }
    return value
  }

  @_lifetime(self: copy self)
  private mutating func number() -> Bool {
    if byte == 0x2D { index += 1 }
    if byte == 0x30 {
      index += 1
    } else {
      guard digits() else { return false }
    }
    if byte == 0x2E {
      index += 1
      guard digits() else { return false }
    }
    guard byte == 0x65 || byte == 0x45 else { return true }
    index += 1
    if byte == 0x2B || byte == 0x2D { index += 1 }
    return digits()
  }

  @_lifetime(self: copy self)
  private mutating func digits() -> Bool {
    let start = index
    while index < text.count, (0x30...0x39).contains(text[index]) { index += 1 }
    return index > start
  }
}
