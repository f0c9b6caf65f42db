/// Counts durations in buckets that are at most 1/32 of their value wide, so that any quantile is
/// right to three percent, in 16 KiB.
struct Histogram: Sendable {
  private static let subBits = 5
  private static let sub = 1 << subBits

  private var counts = [UInt64](repeating: 0, count: sub * (64 - subBits))
  private(set) var count: UInt64 = 0
  private(set) var max: UInt64 = 0

  mutating func add(_ value: UInt64, times: UInt64 = 1) {
    counts[Self.bucket(value)] += times
    count += times
    max = Swift.max(max, value)
  }

  mutating func add(_ other: Histogram) {
    for index in counts.indices { counts[index] += other.counts[index] }
    count += other.count
    max = Swift.max(max, other.max)
  }

  /// The value that so large a part of all does not exceed.
  func quantile(_ part: Double) -> UInt64 {
    let wanted = Swift.max(1, UInt64((Double(count) * part).rounded(.up)))
    var seen: UInt64 = 0
    for index in counts.indices {
      seen += counts[index]
      if seen >= wanted { return min(max, Self.upperBound(index)) }
    }
    return max
  }

  private static func bucket(_ value: UInt64) -> Int {
    guard value >= UInt64(sub) else { return Int(value) }
    let shift = 63 - value.leadingZeroBitCount - subBits
    return (shift + 1) * sub + Int(value >> UInt64(shift)) - sub
  }

  private static func upperBound(_ bucket: Int) -> UInt64 {
    guard bucket >= sub else { return UInt64(bucket) }
    let shift = UInt64(bucket / sub - 1)
    return ((UInt64(bucket % sub + sub) + 1) << shift) - 1
  }

  /// Quantiles of nanoseconds, as milliseconds.
  var text: String {
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999)]
      .map { "\($0.0) \(Self.milliseconds(quantile($0.1)))" }
      .joined(separator: "  ") + "  max \(Self.milliseconds(max)) ms"
  }

  static func milliseconds(_ nanoseconds: UInt64) -> String {
    let hundredths = nanoseconds / 10_000
    let rest = String(hundredths % 100)
    return "\(hundredths / 100).\(rest.count == 1 ? "0" + rest : rest)"
  }
}
