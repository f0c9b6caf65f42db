import Crypto
import EventModel

/// 32 bytes of SHA-256, as four numbers, so that a hash needs no object of its own.
package struct Hash256: Hashable, Sendable {
  private var word0: UInt64
  private var word1: UInt64
  private var word2: UInt64
  private var word3: UInt64

  /// Reads the 32 bytes of `bytes` at `offset`.
  package init(_ bytes: Span<UInt8>, at offset: Int = 0) {
    word0 = bytes.bigEndian(at: offset, bytes: 8)
    word1 = bytes.bigEndian(at: offset + 8, bytes: 8)
    word2 = bytes.bigEndian(at: offset + 16, bytes: 8)
    word3 = bytes.bigEndian(at: offset + 24, bytes: 8)
  }

  /// What no message hashes to that anybody knows: a place without a hash.
  package static let zero = Hash256([UInt8](repeating: 0, count: 32).span)

  /// Hashes `message` (swift-crypto: libsodium's SHA-256 is three to four times slower).
  package static func sha256(_ message: Span<UInt8>) -> Hash256 {
    var hasher = SHA256()
    unsafe message.withUnsafeBytes { unsafe hasher.update(bufferPointer: $0) }
    return unsafe hasher.finalize().withUnsafeBytes { digest in
      unsafe Hash256(Span(_unsafeElements: digest.bindMemory(to: UInt8.self)))
    }
  }

  /// Writes the 32 bytes at `offset`.
  package func write(to bytes: inout MutableSpan<UInt8>, at offset: Int) {
    bytes.setBigEndian(word0, at: offset, bytes: 8)
    bytes.setBigEndian(word1, at: offset + 8, bytes: 8)
    bytes.setBigEndian(word2, at: offset + 16, bytes: 8)
    bytes.setBigEndian(word3, at: offset + 24, bytes: 8)
  }

  /// The 32 bytes.
  package var bytes: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 32)
    var span = bytes.mutableSpan
    write(to: &span, at: 0)
    return bytes
  }
}

/// SHA-256 of what comes piece by piece.
package struct RunningHash: Sendable {
  private var hasher = SHA256()

  package init() {}

  /// Adds the next bytes.
  package mutating func add(_ bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBytes { unsafe hasher.update(bufferPointer: $0) }
  }

  /// The hash of all that was added so far.
  package var hash: Hash256 {
    unsafe hasher.finalize().withUnsafeBytes { digest in
      unsafe Hash256(Span(_unsafeElements: digest.bindMemory(to: UInt8.self)))
    }
  }
}
