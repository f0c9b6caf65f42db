import CSodium

/// A fixed number of equally long secrets in one locked, guarded block, addressed by index.
///
/// For caches of many keys, where one ``SecretBytes`` each would cost an object.
@safe
package struct SecretTable: ~Copyable, @unchecked Sendable {
  private let base: UnsafeMutablePointer<UInt8>
  /// How many secrets fit.
  package let count: Int
  /// Bytes of each.
  package let width: Int
  /// False when the system refused to lock the memory.
  package let isLocked: Bool

  package init(count: Int, width: Int) {
    precondition(SodiumLibrary.isReady, "libsodium could not start")
    guard let block = unsafe sodium_malloc(count * width) else {
      preconditionFailure("no memory for secrets")
    }
    isLocked = unsafe sodium_mlock(block, count * width) == 0
    unsafe sodium_memzero(block, count * width)
    unsafe base = block.bindMemory(to: UInt8.self, capacity: count * width)
    self.count = count
    self.width = width
  }

  deinit { unsafe sodium_free(base) }

  /// The secret at `index`.
  @_lifetime(borrow self)
  package borrowing func bytes(at index: Int) -> Span<UInt8> {
    precondition(index >= 0 && index < count, "no such secret")
    let span = unsafe Span(_unsafeStart: UnsafePointer(base) + index * width, count: width)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// The secret at `index`, to be written.
  @_lifetime(&self)
  package mutating func mutableBytes(at index: Int) -> MutableSpan<UInt8> {
    precondition(index >= 0 && index < count, "no such secret")
    let span = unsafe MutableSpan(_unsafeStart: base + index * width, count: width)
    return unsafe _overrideLifetime(span, mutating: &self)
  }

  /// Overwrites the secret at `index` with zeroes.
  package mutating func wipe(at index: Int) {
    precondition(index >= 0 && index < count, "no such secret")
    unsafe sodium_memzero(base + index * width, width)
  }

  /// Overwrites all of them.
  package mutating func wipeAll() { unsafe sodium_memzero(base, count * width) }
}
