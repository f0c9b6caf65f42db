import EventModel

/// Numbers as the protocol writes them.
package enum DecimalNumber {
  /// The number in `bytes`, or nil: an optional `-`, then digits without leading zeroes, nothing
  /// else, within 64 bits (Redis: string2ll).
  package static func parse(_ bytes: Span<UInt8>) -> Int64? {
    guard !bytes.isEmpty, bytes.count <= 20 else { return nil }
    let isNegative = bytes[0] == 0x2D
    let start = isNegative ? 1 : 0
    guard start < bytes.count else { return nil }
    if bytes[start] == 0x30 { return bytes.count == 1 ? 0 : nil }
    var value: Int64 = 0
    for index in start..<bytes.count {
      guard (0x30...0x39).contains(bytes[index]) else { return nil }
      let digit = Int64(bytes[index] - 0x30)
      let (tens, isTooBig) = value.multipliedReportingOverflow(by: 10)
      guard !isTooBig else { return nil }
      // Below zero, since the smallest number has no positive counterpart.
      let (sum, isBeyond) = tens.subtractingReportingOverflow(digit)
      guard !isBeyond else { return nil }
      value = sum
    }
    if isNegative { return value }
    return value == .min ? nil : -value
  }

  /// The same for numbers that are not negative.
  package static func parseUnsigned(_ bytes: Span<UInt8>) -> UInt64? {
    guard !bytes.isEmpty, bytes.count <= 20 else { return nil }
    if bytes[0] == 0x30 { return bytes.count == 1 ? 0 : nil }
    var value: UInt64 = 0
    for index in bytes.indices {
      guard (0x30...0x39).contains(bytes[index]) else { return nil }
      let (tens, isTooBig) = value.multipliedReportingOverflow(by: 10)
      let (sum, isBeyond) = tens.addingReportingOverflow(UInt64(bytes[index] - 0x30))
      guard !isTooBig, !isBeyond else { return nil }
      value = sum
    }
    return value
  }

  /// Appends the number's digits.
  package static func append(_ number: Int64, to bytes: inout [UInt8]) {
    if number < 0 { bytes.append(0x2D) }
    append(number.magnitude, to: &bytes)
  }

  /// Appends the number's digits.
  package static func append(_ number: UInt64, to bytes: inout [UInt8]) {
    if number < 10 {
      bytes.append(0x30 + UInt8(truncatingIfNeeded: number))
      return
    }
    bytes.append(addingCapacity: 20) { output in append(number, to: &output) }
  }

  /// Appends twenty digits, zeroes first.
  @_lifetime(output: copy output)
  package static func appendPadded(_ number: UInt64, to output: inout OutputSpan<UInt8>) {
    var digits = InlineArray<20, UInt8>(repeating: 0x30)
    var (rest, index) = (number, 19)
    while rest > 0 {
      digits[index] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
      index -= 1
    }
    output.append(copying: digits.span)
  }

  /// Appends the number's digits, at most 20.
  @_lifetime(output: copy output)
  package static func append(_ number: UInt64, to output: inout OutputSpan<UInt8>) {
    if number < 10 { return output.append(0x30 + UInt8(truncatingIfNeeded: number)) }
    // From the last digit to the first: divisions by a constant are multiplications.
    var digits = InlineArray<20, UInt8>(repeating: 0)
    var (rest, first) = (number, 20)
    while rest > 0 {
      first -= 1
      digits[first] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    output.append(copying: digits.span.extracting(first..<20))
  }
}
