/// UUIDs of version 7 for events that came without an id (RFC 9562, section 5.7).
package enum EventUUID {
  /// Bytes of the text form.
  package static let textBytes = 36

  /// Appends 16 bytes: the time in milliseconds, then `random` under version and variant bits.
  package static func append(
    milliseconds: Int64, random: (UInt64, UInt64), to bytes: inout [UInt8]
  ) {
    let time = UInt64(max(0, milliseconds)) & 0xFFFF_FFFF_FFFF
    let high = time << 16 | 0x7000 | random.0 & 0x0FFF
    let low = 0x8000_0000_0000_0000 | random.1 & 0x3FFF_FFFF_FFFF_FFFF
    bytes.append(addingCapacity: 16) { output in
      for shift in stride(from: 56, through: 0, by: -8) {
        output.append(UInt8(truncatingIfNeeded: high >> UInt64(shift)))
      }
      for shift in stride(from: 56, through: 0, by: -8) {
        output.append(UInt8(truncatingIfNeeded: low >> UInt64(shift)))
      }
    }
  }

  /// Appends the text form (8-4-4-4-12 hexadecimal digits) of 16 bytes.
  package static func appendText(_ uuid: Span<UInt8>, to bytes: inout [UInt8]) {
    bytes.append(addingCapacity: textBytes) { output in appendText(uuid, to: &output) }
  }

  /// Appends the text form (8-4-4-4-12 hexadecimal digits) of 16 bytes.
  @_lifetime(output: copy output)
  package static func appendText(_ uuid: Span<UInt8>, to output: inout OutputSpan<UInt8>) {
    precondition(uuid.count == 16, "a UUID has 16 bytes")
    for index in 0..<16 {
      if index == 4 || index == 6 || index == 8 || index == 10 { output.append(0x2D) }
      output.append(hexDigit(uuid[index] >> 4))
      output.append(hexDigit(uuid[index] & 15))
    }
  }

  private static func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? 0x30 + value : 0x61 + value - 10
  }
}
