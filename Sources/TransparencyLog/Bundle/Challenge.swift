import EventModel

/// Which records an auditor wants to see: positions that nobody knew before the auditor's seed.
package struct Challenge: Hashable, Sendable {
  /// `[A-Za-z0-9-]`, 1 to 64.
  package let seed: String
  /// Records of each log, at most.
  package let count: Int

  /// Records of each log that can be asked for.
  package static let countMax = 1_000

  /// Nil when seed or count cannot be one.
  package init?(seed: String, count: Int) {
    guard (1...64).contains(seed.utf8.count), (1...Self.countMax).contains(count),
      seed.utf8.allSatisfy({
        (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
          || $0 == 0x2D
      })
    else { return nil }
    self.seed = seed
    self.count = count
  }

  /// The positions of a log of `size` events, ascending; some may fall together.
  ///
  /// For i from 0: the first 8 bytes of SHA-256("lethe.sample" | 0 | seed | 0 | origin | 0 | i u32)
  /// modulo the size, plus 1.
  package func positions(of origin: LogOrigin, size: UInt64) -> [UInt64] {
    guard size > 0 else { return [] }
    let start = Array("lethe.sample\0\(seed)\0\(origin.text)\0".utf8)
    let found = (0..<count).map { index in
      var message = start
      message.appendBigEndian(UInt64(index), bytes: 4)
      return Hash256.sha256(message.span).bytes.span.bigEndian(at: 0, bytes: 8) % size + 1
    }
    return Set(found).sorted()
  }
}
