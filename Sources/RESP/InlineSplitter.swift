import EventModel

/// Splits an inline command into its arguments (Redis: sdssplitargs).
enum InlineSplitter {
  /// Appends the arguments' bytes to `bytes` and their places to `ranges`; returns false when
  /// quotes do not close or are not followed by a blank.
  ///
  /// In double quotes `\n \r \t \b \a`, `\xHH` and `\` before any other byte are escapes; in single
  /// quotes only `\'`.
  static func split(
    _ line: Span<UInt8>, into bytes: inout [UInt8], _ ranges: inout [ByteRange]
  ) -> Bool {
    var index = 0
    while true {
      while index < line.count, isBlank(line[index]) { index += 1 }
      guard index < line.count else { return true }
      let start = bytes.count
      while index < line.count, !isBlank(line[index]) {
        switch line[index] {
        case 0x22, 0x27:
          guard let next = quoted(line, from: index, into: &bytes) else { return false }
          guard next == line.count || isBlank(line[next]) else { return false }
          index = next
        default:
          bytes.append(line[index])
          index += 1
        }
      }
      ranges.append(ByteRange(offset: start, count: bytes.count - start))
    }
  }

  /// Reads a quoted part from its opening quote on; returns the place after the closing one.
  private static func quoted(
    _ line: Span<UInt8>, from start: Int, into bytes: inout [UInt8]
  ) -> Int? {
    let quote = line[start]
    var index = start + 1
    while index < line.count {
      let byte = line[index]
      if byte == quote { return index + 1 }
      guard byte == 0x5C, index + 1 < line.count else {
        bytes.append(byte)
        index += 1
        continue
      }
      let next = line[index + 1]
      if quote == 0x27 {
        bytes.append(next == 0x27 ? next : byte)
        index += next == 0x27 ? 2 : 1
      } else if next == 0x78, index + 3 < line.count, let high = hex(line[index + 2]),
        let low = hex(line[index + 3])
      {
        bytes.append(high << 4 | low)
        index += 4
      } else {
        bytes.append(escaped(next))
        index += 2
      }
    }
    return nil
  }

  private static func escaped(_ byte: UInt8) -> UInt8 {
    switch byte {
    case 0x6E: 0x0A
    case 0x72: 0x0D
    case 0x74: 0x09
    case 0x62: 0x08
    case 0x61: 0x07
    default: byte
    }
  }

  private static func hex(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte) || byte == 0
  }
}
