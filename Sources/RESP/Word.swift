/// A command's or an option's name: at most 16 ASCII bytes, compared without case and without
/// allocation.
package struct Word: Hashable, Sendable {
  package static let bytesMax = 16

  private let high: UInt64
  private let low: UInt64

  /// Nil when `bytes` are none or more than ``bytesMax``.
  package init?(_ bytes: Span<UInt8>) {
    guard !bytes.isEmpty, bytes.count <= Self.bytesMax else { return nil }
    var (high, low): (UInt64, UInt64) = (0, 0)
    for index in bytes.indices {
      high = high << 8 | low >> 56
      low = low << 8 | UInt64(Self.upper(bytes[index]))
    }
    (self.high, self.low) = (high, low)
  }

  private static func upper(_ byte: UInt8) -> UInt8 {
    (0x61...0x7A).contains(byte) ? byte - 32 : byte
  }

  /// The name in upper case; for answers about commands, since only known names get there.
  package var text: String {
    var bytes: [UInt8] = []
    for shift in stride(from: 120, through: 0, by: -8) {
      let half = shift >= 64 ? high >> UInt64(shift - 64) : low >> UInt64(shift)
      let byte = UInt8(truncatingIfNeeded: half)
      if byte != 0 { bytes.append(byte) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension Word: ExpressibleByStringLiteral {
  /// For names in the code; longer ones are a mistake in it.
  package init(stringLiteral name: String) {
    guard let word = Word(Array(name.utf8).span) else {
      preconditionFailure("a word has 1 to 16 bytes")
    }
    self = word
  }
}
