import CSodium

/// The kernel's randomness (`randombytes_buf`, a getrandom call each): ask once per batch.
package enum Random {
  /// Fills `bytes`.
  package static func fill(_ bytes: inout MutableSpan<UInt8>) {
    precondition(SodiumLibrary.isReady, "libsodium could not start")
    unsafe bytes.withUnsafeMutableBufferPointer { buffer in
      if let start = buffer.baseAddress { unsafe randombytes_buf(start, buffer.count) }
    }
  }

  /// `count` random bytes that are not secret (identifiers, nonces, salts).
  package static func bytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var span = bytes.mutableSpan
    fill(&span)
    return bytes
  }

  /// A random number that is not secret.
  package static func uint64() -> UInt64 {
    bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}
