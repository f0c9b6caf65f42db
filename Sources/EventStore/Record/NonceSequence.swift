import EventModel
import Sodium

/// Nonces that never repeat: 16 fresh random bytes a commit, then counted up.
///
/// Fresh randomness for every commit, so that a virtual machine that was cloned or resumed from a
/// snapshot does not repeat them.
struct NonceSequence {
  private var high: UInt64
  private var low: UInt64

  /// Draws fresh randomness.
  init() {
    high = Random.uint64()
    low = Random.uint64()
  }

  /// Writes the next nonce, 16 bytes, at `offset`.
  mutating func next(into record: inout MutableSpan<UInt8>, at offset: Int) {
    record.setBigEndian(high, at: offset, bytes: 8)
    record.setBigEndian(low, at: offset + 8, bytes: 8)
    low &+= 1
    if low == 0 { high &+= 1 }
  }
}
