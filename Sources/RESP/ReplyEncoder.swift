import EventModel

/// Which of the two protocols a connection speaks.
package enum ProtocolVersion: Int, Sendable {
  case resp2 = 2
  case resp3 = 3
}

/// Appends replies to a buffer, in RESP2 or RESP3.
package struct ReplyEncoder: Sendable {
  package var version: ProtocolVersion

  package init(version: ProtocolVersion) { self.version = version }

  /// `+text`; the text has no line end.
  package func simple(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(0x2B)
    bytes.append(contentsOf: text.utf8)
    end(&bytes)
  }

  /// `-text`, whose first word is the code; line ends become blanks.
  package func error(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(0x2D)
    for byte in text.utf8 { bytes.append(byte == 0x0D || byte == 0x0A ? 0x20 : byte) }
    end(&bytes)
  }

  /// `:number`.
  package func integer(_ number: Int64, to bytes: inout [UInt8]) {
    bytes.append(0x3A)
    DecimalNumber.append(number, to: &bytes)
    end(&bytes)
  }

  /// Numbers above 2^63 do not exist here: positions and versions have 48 bits.
  package func integer(_ number: UInt64, to bytes: inout [UInt8]) {
    integer(Int64(clamping: number), to: &bytes)
  }

  /// `$length` and the bytes.
  package func bulk(_ value: Span<UInt8>, to bytes: inout [UInt8]) {
    header(0x24, value.count, to: &bytes)
    bytes.appendSpan(value)
    end(&bytes)
  }

  /// `$length` and the text.
  package func bulk(_ text: String, to bytes: inout [UInt8]) {
    header(0x24, text.utf8.count, to: &bytes)
    bytes.append(contentsOf: text.utf8)
    end(&bytes)
  }

  /// The header of a bulk whose `count` bytes the caller appends, before ``end(_:)``.
  package func bulkHeader(_ count: Int, to bytes: inout [UInt8]) {
    header(0x24, count, to: &bytes)
  }

  /// The end of a line or of a bulk.
  package func end(_ bytes: inout [UInt8]) {
    bytes.append(0x0D)
    bytes.append(0x0A)
  }

  /// `$-1`, or `_` in RESP3.
  package func null(to bytes: inout [UInt8]) {
    if version == .resp3 {
      bytes.append(contentsOf: [0x5F, 0x0D, 0x0A])
    } else {
      bytes.append(contentsOf: [0x24, 0x2D, 0x31, 0x0D, 0x0A])
    }
  }

  /// `*-1`, or `_` in RESP3: no answer where a list or map would be.
  package func nullArray(to bytes: inout [UInt8]) {
    if version == .resp3 { return null(to: &bytes) }
    bytes.append(contentsOf: [0x2A, 0x2D, 0x31, 0x0D, 0x0A])
  }

  /// `#t` or `#f`; in RESP2 1 or 0.
  package func boolean(_ value: Bool, to bytes: inout [UInt8]) {
    if version == .resp3 {
      bytes.append(contentsOf: [0x23, value ? 0x74 : 0x66, 0x0D, 0x0A])
    } else {
      integer(Int64(value ? 1 : 0), to: &bytes)
    }
  }

  /// The header of a list of `count` replies.
  package func array(_ count: Int, to bytes: inout [UInt8]) {
    header(0x2A, count, to: &bytes)
  }

  /// The header of a map of `count` pairs; in RESP2 a flat list of twice as many.
  package func map(_ count: Int, to bytes: inout [UInt8]) {
    if version == .resp3 {
      header(0x25, count, to: &bytes)
    } else {
      header(0x2A, 2 * count, to: &bytes)
    }
  }

  private func header(_ type: UInt8, _ count: Int, to bytes: inout [UInt8]) {
    bytes.append(addingCapacity: 24) { output in
      output.append(type)
      DecimalNumber.append(UInt64(count), to: &output)
      output.append("\r\n")
    }
  }
}

// The same into memory that was reserved, for replies of many parts: a list that must ask for room and
// count its references at each of thirty parts costs more than the parts.

extension ReplyEncoder {
  /// Most bytes that a bulk, list, map or number has beside its content.
  package static let partBytes = 24

  /// `$length` and the bytes.
  @_lifetime(output: copy output)
  package func bulk(_ value: Span<UInt8>, to output: inout OutputSpan<UInt8>) {
    output.append(0x24)
    DecimalNumber.append(UInt64(value.count), to: &output)
    output.append("\r\n")
    output.append(copying: value)
    output.append("\r\n")
  }

  /// `$-1`, or `_` in RESP3.
  @_lifetime(output: copy output)
  package func null(to output: inout OutputSpan<UInt8>) {
    output.append(version == .resp3 ? "_\r\n" : "$-1\r\n")
  }

  /// The header of a list of `count` replies.
  @_lifetime(output: copy output)
  package func array(_ count: Int, to output: inout OutputSpan<UInt8>) {
    output.append(0x2A)
    DecimalNumber.append(UInt64(count), to: &output)
    output.append("\r\n")
  }

  /// The header of a map of `count` pairs; in RESP2 a flat list of twice as many.
  @_lifetime(output: copy output)
  package func map(_ count: Int, to output: inout OutputSpan<UInt8>) {
    output.append(version == .resp3 ? 0x25 : 0x2A)
    DecimalNumber.append(UInt64(version == .resp3 ? count : 2 * count), to: &output)
    output.append("\r\n")
  }
}
