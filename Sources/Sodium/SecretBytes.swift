import CSodium

/// A secret with one owner: locked memory, wiped at the end of its scope.
///
/// Being noncopyable it cannot be printed, encoded, put into an array or captured by accident, and
/// its bytes cannot outlive it. There is no `==`; see ``isEqual(to:)``.
@safe
package struct SecretBytes: ~Copyable, @unchecked Sendable {
  private let base: UnsafeMutableRawPointer
  private let sizeClass: Int
  /// Length in bytes, at most ``SecretArena/secretBytesMax``.
  package let count: Int

  /// A secret of zeroes to be filled.
  package init(zeroes count: Int) {
    sizeClass = SecretArena.sizeClass(count)
    unsafe base = SecretArena.take(sizeClass)
    self.count = count
  }

  /// Takes over a copy of `bytes`; the caller wipes its own.
  package init(copying bytes: Span<UInt8>) {
    self.init(zeroes: bytes.count)
    unsafe bytes.withUnsafeBufferPointer { source in
      if let start = source.baseAddress, source.count > 0 {
        unsafe base.copyMemory(from: start, byteCount: source.count)
      }
    }
  }

  /// Fresh randomness from the kernel (`randombytes_buf`).
  package static func random(count: Int) -> SecretBytes {
    let secret = SecretBytes(zeroes: count)
    unsafe randombytes_buf(secret.base, count)
    return secret
  }

  deinit { unsafe SecretArena.give(base, sizeClass) }

  /// The secret, readable for as long as `self` is borrowed.
  package var bytes: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get {
      let start = unsafe UnsafePointer(base.assumingMemoryBound(to: UInt8.self))
      let span = unsafe Span(_unsafeStart: start, count: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The secret, writable for as long as `self` is.
  package var mutableBytes: MutableSpan<UInt8> {
    @_lifetime(&self)
    mutating get {
      let start = unsafe base.assumingMemoryBound(to: UInt8.self)
      let span = unsafe MutableSpan(_unsafeStart: start, count: count)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  /// A second, independent copy; ended and wiped on its own.
  package borrowing func copy() -> SecretBytes { SecretBytes(copying: bytes) }

  /// Compares in constant time (`sodium_memcmp`); false when the lengths differ.
  package borrowing func isEqual(to other: Span<UInt8>) -> Bool {
    guard other.count == count else { return false }
    return unsafe other.withUnsafeBufferPointer {
      unsafe sodium_memcmp(base, $0.baseAddress!, count) == 0
    }
  }
}
