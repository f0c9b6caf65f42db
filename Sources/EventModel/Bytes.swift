// The copies and loads below are the only unsafe code of this module: byte by byte they cost 225 ns
// for 300 bytes, as one block 27 ns, and every event passes them several times.

extension [UInt8] {
  /// Appends what a span shows.
  package mutating func appendSpan(_ span: Span<UInt8>) {
    unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }

  /// Appends `count` low bytes of `value`, most significant first.
  package mutating func appendBigEndian(_ value: UInt64, bytes count: Int) {
    for index in stride(from: count - 1, through: 0, by: -1) {
      append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index)))
    }
  }
}

extension Span<UInt8> {
  /// The number in `count` bytes from `offset`, most significant first.
  package func bigEndian(at offset: Int, bytes count: Int) -> UInt64 {
    if count > 0, count <= 8, offset >= 0, offset + 8 <= self.count {
      let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
      return UInt64(bigEndian: word) >> UInt64(64 - 8 * count)
    }
    var value: UInt64 = 0
    for index in offset..<(offset + count) { value = value << 8 | UInt64(self[index]) }
    return value
  }

  /// The first byte from `start` on that a string of JSON cannot have as it is (a control
  /// character, `"` or `\`), or ``count``.
  package func jsonEscape(from start: Int) -> Int {
    precondition(start >= 0)
    var index = start
    // Eight at once: a byte's highest bit marks it, and the lowest mark is always a true one.
    let (ones, highs): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
    while index + 8 <= count {
      let loaded = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
      let word = UInt64(littleEndian: loaded)
      let (quote, backslash) = (word ^ ones &* 0x22, word ^ ones &* 0x5C)
      let marks =
        ((word &- ones &* 0x20) & ~word | (quote &- ones) & ~quote
          | (backslash &- ones) & ~backslash) & highs
      if marks != 0 { return index + marks.trailingZeroBitCount >> 3 }
      index += 8
    }
    while index < count {
      let byte = self[index]
      if byte < 0x20 || byte == 0x22 || byte == 0x5C { break }
      index += 1
    }
    return index
  }

  /// A copy of the bytes, which must not be secret.
  package var array: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendSpan(self)
    return bytes
  }
}

extension Sequence<UInt8> {
  /// Two small digits a byte.
  package var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}

extension [UInt8] {
  /// Reads ``Swift/Sequence/hexadecimal``; nil for anything that it does not write.
  package init?(hexadecimal text: String) {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { return nil }
    self = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = Self.value(ofDigit: digits[index]),
        let low = Self.value(ofDigit: digits[index + 1])
      else { return nil }
      append(high << 4 | low)
    }
  }

  private static func value(ofDigit digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x61...0x66: digit - 0x61 + 10
    default: nil
    }
  }
}

extension MutableSpan<UInt8> {
  /// Writes `count` low bytes of `value` at `offset`, most significant first.
  @_lifetime(self: copy self)
  package mutating func setBigEndian(_ value: UInt64, at offset: Int, bytes count: Int) {
    precondition(count > 0 && count <= 8 && offset >= 0 && offset + count <= self.count)
    var shifted = (value << UInt64(64 - 8 * count)).bigEndian
    unsafe withUnsafeMutableBufferPointer { target in
      unsafe Swift.withUnsafeBytes(of: &shifted) { bytes in
        guard let from = bytes.baseAddress, let to = target.baseAddress else { return }
        unsafe UnsafeMutableRawPointer(to + offset).copyMemory(from: from, byteCount: count)
      }
    }
  }

  /// Copies `source` to `offset`.
  @_lifetime(self: copy self)
  package mutating func set(_ source: Span<UInt8>, at offset: Int) {
    precondition(offset >= 0 && offset + source.count <= count, "the target is too short")
    unsafe withUnsafeMutableBufferPointer { target in
      unsafe source.withUnsafeBufferPointer { bytes in
        guard let from = bytes.baseAddress, let to = target.baseAddress else { return }
        unsafe UnsafeMutableRawPointer(to + offset).copyMemory(from: from, byteCount: bytes.count)
      }
    }
  }
}

extension OutputSpan<UInt8> {
  /// Appends what a span shows, as one block.
  @_lifetime(self: copy self)
  package mutating func append(copying span: Span<UInt8>) {
    precondition(span.count <= freeCapacity, "the output is too short")
    unsafe withUnsafeMutableBufferPointer { target, count in
      unsafe span.withUnsafeBufferPointer { source in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        unsafe UnsafeMutableRawPointer(to + count).copyMemory(from: from, byteCount: source.count)
        count += source.count
      }
    }
  }

  /// Appends `count` low bytes of `value`, most significant first.
  @_lifetime(self: copy self)
  package mutating func appendBigEndian(_ value: UInt64, bytes count: Int) {
    precondition(count > 0 && count <= 8 && count <= freeCapacity, "the output is too short")
    var shifted = (value << UInt64(64 - 8 * count)).bigEndian
    unsafe withUnsafeMutableBufferPointer { target, used in
      unsafe Swift.withUnsafeBytes(of: &shifted) { bytes in
        guard let from = bytes.baseAddress, let to = target.baseAddress else { return }
        unsafe UnsafeMutableRawPointer(to + used).copyMemory(from: from, byteCount: count)
        used += count
      }
    }
  }

  /// Appends a text that stands in the program.
  @_lifetime(self: copy self)
  package mutating func append(_ text: StaticString) {
    precondition(text.utf8CodeUnitCount <= freeCapacity, "the output is too short")
    unsafe withUnsafeMutableBufferPointer { target, count in
      guard let to = target.baseAddress else { return }
      unsafe UnsafeMutableRawPointer(to + count).copyMemory(
        from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
      count += text.utf8CodeUnitCount
    }
  }
}

extension UInt64 {
  /// Eight bytes, most significant first.
  package var bigEndianBytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendBigEndian(self, bytes: 8)
    return bytes
  }
}
