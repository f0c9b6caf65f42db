import CLinux
import EventModel
import EventStore
import Keyring
import Sodium
import TransparencyLog

/// Nanoseconds of each step of sealing one event, beside the budget of the design (1.5 µs an event
/// with a 300-byte body).
///
/// Best of five rounds each; run by `Tools/bench crypto`.
@main
enum CryptoBench {
  static let rounds = 5
  static let iterations = 100_000
  static let bodyBytes = 300

  static func main() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if arguments.count == 4, arguments[0] == "erasure", let tenants = Int(arguments[2]),
      let persons = Int(arguments[3]), persons > 10_000
    {
      try ErasureBench.run(folder: arguments[1], tenants: tenants)
      return try ShredBench.run(folder: arguments[1], persons: [10_000, persons])
    }
    guard arguments.first == "crypto" else {
      print("usage: lethe-bench crypto | erasure FOLDER TENANTS PERSONS")
      return
    }
    print(
      "crypto, nanoseconds an event of \(bodyBytes) bytes (budget 1,500; AES: \(SodiumLibrary.hasAES256GCM))"
    )
    var record = [UInt8](repeating: 7, count: bodyBytes + 128)
    let key = SecretBytes.random(count: 32)
    let shortKey = SecretBytes.random(count: 16)
    let tenant = TenantID(bytes: Random.bytes(16))
    var output = SecretBytes(zeroes: 64)
    let leaf = SecretBytes.random(count: 32)
    var positions = PositionTree(seed: key)
    var total = 0.0

    total += measure("event key and commitment (BLAKE2b)") { index in
      var span = output.mutableBytes
      EventKeys.eventKey(
        into: &span, base: key.bytes, leaf: leaf.bytes, nonce: record.span.extracting(2..<18),
        tenant: tenant, position: UInt64(index))
    }
    total += measure("position leaf (a sixteenth of a keystream)") { index in
      _ = positions.leaf(UInt64(index)).count
    }
    let chacha = measure("ChaCha20-Poly1305-IETF") { _ in
      var span = record.mutableSpan
      SingleUseAEAD.seal(
        &span, body: 112..<(112 + bodyBytes), authenticated: 0..<112, key: key.bytes,
        suite: .chaCha20Poly1305)
    }
    var aes = chacha
    if SodiumLibrary.hasAES256GCM {
      aes = measure("AES-256-GCM, new key each") { _ in
        var span = record.mutableSpan
        SingleUseAEAD.seal(
          &span, body: 112..<(112 + bodyBytes), authenticated: 0..<112, key: key.bytes,
          suite: .aes256GCM)
      }
    }
    total += measure("two masks (HChaCha20)") { _ in
      var span = record.mutableSpan
      ChaCha20.mask(&span, at: 18..<40, nonceAt: 2, key: key.bytes)
      ChaCha20.mask(&span, at: 48..<80, nonceAt: 2, key: key.bytes)
    }
    total += measure("three name and routing tags (SipHash)") { _ in
      _ = SipHash.tag64(record.span.extracting(0..<40), key: shortKey.bytes)
      _ = SipHash.tag128(record.span.extracting(0..<20), key: shortKey.bytes)
      _ = SipHash.tag128(record.span.extracting(0..<20), key: shortKey.bytes)
    }
    total += measure("record hash and Merkle leaf (SHA-256)") { index in
      let hash = RecordHash.sha256(record.span)
      _ = LeafHash(position: UInt64(index), recordHash: hash)
    }
    row("sum with ChaCha20-Poly1305", total + chacha)
    row("sum with AES-256-GCM", total + aes)
  }

  private static func measure(_ name: String, _ body: (Int) -> Void) -> Double {
    var best = Double.infinity
    for _ in 0..<rounds {
      let start = linux_monotonic_nanoseconds()
      for index in 0..<iterations { body(index) }
      best = min(best, Double(linux_monotonic_nanoseconds() - start) / Double(iterations))
    }
    row(name, best)
    return best
  }

  private static func row(_ name: String, _ nanoseconds: Double) {
    let padding = String(repeating: " ", count: max(1, 46 - name.count))
    print("  \(name)\(padding)\(Int(nanoseconds.rounded()))")
  }
}
