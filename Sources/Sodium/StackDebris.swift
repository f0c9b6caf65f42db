import CSodium

/// What functions that have returned leave on a thread's stack: halves of keys and states of ciphers.
///
/// The compiler spills registers where it likes, and libsodium does not wipe all that it computes in.
package enum StackDebris {
  /// Deeper than anything that handles keys calls.
  private static let bytes = 1 << 15

  /// Overwrites it; to be called where keys have been used, before an answer is given.
  @inline(never)
  package static func wipe() { sodium_stackzero(bytes) }
}
