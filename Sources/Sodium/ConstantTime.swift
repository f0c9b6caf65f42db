import CSodium

/// Comparison of public values that an attacker chooses (tokens, commitments, MACs).
package enum ConstantTime {
  /// True when both have the same bytes; takes the same time wherever they differ.
  package static func areEqual(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    if left.count == 0 { return true }
    return unsafe left.withUnsafeBufferPointer { a in
      unsafe right.withUnsafeBufferPointer { b in
        unsafe sodium_memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0
      }
    }
  }
}
