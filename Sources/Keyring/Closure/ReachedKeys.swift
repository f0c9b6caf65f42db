package import EventModel
package import Sodium

/// Keys that an attacker reached, each with the tenant and the slot in which it was found.
///
/// The same slot may be here with several keys, and the same key in several slots: both are what a
/// broken key tree looks like.
package struct ReachedKeys: ~Copyable {
  private final class Chunk {
    static let count = 1_024
    var table = SecretTable(count: Chunk.count, width: 32)
  }

  private struct Place: Hashable {
    let tenant: TenantNumber
    let slot: Slot
  }

  private var chunks: [Chunk] = []
  private var places: [Place] = []
  /// By a hash of the key under a random key, so that no secret lies in a dictionary.
  private var indices: [UInt64: [Int]] = [:]
  private let hashKey = Random.bytes(16)

  package var count: Int { places.count }

  /// Whose the key at `index` is.
  package borrowing func tenant(at index: Int) -> TenantNumber { places[index].tenant }
  /// The slot of the key at `index`.
  package borrowing func slot(at index: Int) -> Slot { places[index].slot }

  /// A copy of the key at `index`, 32 bytes.
  package borrowing func key(at index: Int) -> SecretBytes {
    Self.copy(chunks[index / Chunk.count], index % Chunk.count)
  }

  /// True when these 32 bytes were found, wherever.
  package borrowing func contains(_ key: borrowing SecretBytes) -> Bool {
    find(key.bytes).contains { _ in true }
  }

  /// True when the key was found in this slot of this tenant.
  package borrowing func contains(
    _ key: borrowing SecretBytes, tenant: TenantNumber, slot: Slot
  ) -> Bool {
    find(key.bytes).contains { places[$0] == Place(tenant: tenant, slot: slot) }
  }

  mutating func insert(_ key: Span<UInt8>, tenant: TenantNumber, slot: Slot) {
    let place = Place(tenant: tenant, slot: slot)
    guard !find(key).contains(where: { places[$0] == place }) else { return }
    let index = places.count
    if index % Chunk.count == 0 { chunks.append(Chunk()) }
    Self.write(key, to: chunks[index / Chunk.count], index % Chunk.count)
    places.append(place)
    indices[hash(key), default: []].append(index)
  }

  private borrowing func find(_ key: Span<UInt8>) -> [Int] {
    (indices[hash(key)] ?? []).filter {
      Self.isEqual(chunks[$0 / Chunk.count], $0 % Chunk.count, key)
    }
  }

  private borrowing func hash(_ key: Span<UInt8>) -> UInt64 {
    SipHash.tag64(key, key: hashKey.span)
  }

  // A span cannot be taken out of a class's property; a borrowed table can be read.
  private static func copy(_ chunk: Chunk, _ index: Int) -> SecretBytes {
    func copy(_ table: borrowing SecretTable) -> SecretBytes {
      SecretBytes(copying: table.bytes(at: index))
    }
    return copy(chunk.table)
  }

  private static func isEqual(_ chunk: Chunk, _ index: Int, _ key: Span<UInt8>) -> Bool {
    copy(chunk, index).isEqual(to: key)
  }

  private static func write(_ key: Span<UInt8>, to chunk: Chunk, _ index: Int) {
    func write(_ table: inout SecretTable) {
      var bytes = table.mutableBytes(at: index)
      bytes.set(key, at: 0)
    }
    write(&chunk.table)
  }
}
