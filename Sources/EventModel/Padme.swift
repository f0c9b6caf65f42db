/// Padding that hides lengths for at most 12 % (Padme; Nikitin et al., PETS 2019).
package enum Padme {
  /// The smallest padded length: short events look alike.
  package static let bytesMin = 128

  /// The padded length of `count` bytes: at least ``bytesMin``, else rounded up so that only the
  /// top log2(log2 n) + 1 bits vary.
  package static func paddedBytes(_ count: Int) -> Int {
    guard count > bytesMin else { return bytesMin }
    let exponent = Int.bitWidth - 1 - count.leadingZeroBitCount
    let significant = Int.bitWidth - exponent.leadingZeroBitCount
    let mask = (1 << (exponent - significant)) - 1
    return (count + mask) & ~mask
  }
}
