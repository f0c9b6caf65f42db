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
    output.appendBigEndian(hexDigits(uuid.bigEndian(at: 0, bytes: 4)), bytes: 8)
    for offset in stride(from: 4, through: 8, by: 4) {
      let digits = hexDigits(uuid.bigEndian(at: offset, bytes: 4))
      output.append(0x2D)
      output.appendBigEndian(digits >> 32, bytes: 4)
      output.append(0x2D)
      output.appendBigEndian(digits, bytes: 4)
    }
    output.appendBigEndian(hexDigits(uuid.bigEndian(at: 12, bytes: 4)), bytes: 8)
  }

  /// Eight hexadecimal digits of 32 bits, the first in the highest byte.
  private static func hexDigits(_ value: UInt64) -> UInt64 {
    var nibbles = (value & 0xFFFF_0000) << 16 | value & 0xFFFF
    nibbles = (nibbles & 0x0000_FF00_0000_FF00) << 8 | nibbles & 0x0000_00FF_0000_00FF
    nibbles = (nibbles & 0x00F0_00F0_00F0_00F0) << 4 | nibbles & 0x000F_000F_000F_000F
    let letters = (nibbles &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
  }
}
