import Glibc

/// SplitMix64: a stream of numbers from a seed, the same on every machine.
struct SplitMix {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  /// A generator for one event of one lane.
  init(seed: UInt64, lane: Int, event: UInt64) {
    state = Self.mixed(seed ^ Self.mixed(UInt64(lane) &+ 0x9E37) &+ event &* 0xD1B5_4A32_D192_ED03)
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mixed(state)
  }

  /// A number below `bound`.
  mutating func below(_ bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// From 0 up to, but not including, 1.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Draws ranks from 0 on, the first ones most often: 1 / (rank + 1)^exponent.
///
/// Rejection-inversion (Hörmann and Derflinger, 1996): no tables, whatever the count. An exponent
/// of 0 draws uniformly.
struct Zipf {
  let count: Int
  private let exponent: Double
  private let upperArea: Double
  private let areaRange: Double
  private let shortcut: Double

  init(count: Int, exponent: Double) {
    self.count = count
    self.exponent = exponent
    upperArea = Self.area(Double(count) + 0.5, exponent)
    areaRange = Self.area(1.5, exponent) - 1 - upperArea
    shortcut =
      2 - Self.inverse(Self.area(2.5, exponent) - Self.height(2, exponent), exponent)
  }

  func draw(_ random: inout SplitMix) -> Int {
    guard count > 1 else { return 0 }
    guard exponent > 0 else { return random.below(count) }
    while true {
      let area = upperArea + random.unit() * areaRange
      let x = Self.inverse(area, exponent)
      let rank = min(max((x + 0.5).rounded(.down), 1), Double(count))
      if rank - x <= shortcut
        || area >= Self.area(rank + 0.5, exponent) - Self.height(rank, exponent)
      {
        return Int(rank) - 1
      }
    }
  }

  private static func height(_ x: Double, _ exponent: Double) -> Double { pow(x, -exponent) }

  /// The area below the curve from 1 to `x`.
  private static func area(_ x: Double, _ exponent: Double) -> Double {
    abs(exponent - 1) < 1e-9 ? log(x) : (pow(x, 1 - exponent) - 1) / (1 - exponent)
  }

  private static func inverse(_ area: Double, _ exponent: Double) -> Double {
    abs(exponent - 1) < 1e-9 ? exp(area) : pow(1 + area * (1 - exponent), 1 / (1 - exponent))
  }
}
