package import EventModel
import Sodium
package import Storage
package import TransparencyLog

/// The table `tiles` (Docs/Format.md, section 6): the hashes of tenants' logs, 256 in each entry.
///
/// All entries are of one size, under labels that only the index key gives. A tile that is not full is
/// written anew at each flush that adds to it.
extension EventIndex {
  private static let tileContext = KeyDerivation.Context("LT1.index.tile")
  private static let tileBytes = TileID.hashesMax * 32

  /// A tile of a tenant's log; behind the hashes that it has, zeroes.
  ///
  /// Throws `.corrupt` when it is not there or does not open.
  package func tile(_ id: TileID, of tenant: TenantNumber) throws(StorageError) -> [Hash256] {
    let label = tileLabel(id, tenant)
    return try tables.read { (view: borrowing IndexView) throws(StorageError) in
      guard let sealed = try view.value(label.span, in: .tiles),
        let plain = indexKey.open(sealed, context: Self.tileContext, label: label.span),
        plain.count == Self.tileBytes
      else { throw .corrupt }
      return (0..<TileID.hashesMax).map { Hash256(plain.span, at: 32 * $0) }
    }
  }

  /// Adds what a log grew by to its tiles.
  func write(
    _ tail: LogTail, of tenant: TenantNumber, in transaction: inout IndexTransaction
  ) throws(StorageError) {
    let most = UInt64(TileID.hashesMax)
    for (level, added) in tail.levels.enumerated() where !added.isEmpty {
      let first = tail.first(level: level)
      var hashes: [Hash256] = []
      if first % most > 0 {
        let begun = TileID(level: level, number: first / most)
        hashes += try self.begun(begun, of: tenant).prefix(Int(first % most))
      }
      hashes += added
      var number = first / most
      for start in stride(from: 0, to: hashes.count, by: TileID.hashesMax) {
        let end = min(start + TileID.hashesMax, hashes.count)
        try put(hashes[start..<end], TileID(level: level, number: number), tenant, &transaction)
        number += 1
      }
    }
  }

  /// The tile that a log goes on in; of a damaged one zeroes, which no proof takes for hashes.
  ///
  /// A derived tile must not keep from the disk what was appended; once `index/` is deleted, it is built
  /// anew.
  private func begun(
    _ id: TileID, of tenant: TenantNumber
  ) throws(StorageError) -> [Hash256] {
    do { return try tile(id, of: tenant) } catch {
      guard error == .corrupt else { throw error }
      return Array(repeating: .zero, count: TileID.hashesMax)
    }
  }

  private func put(
    _ hashes: ArraySlice<Hash256>, _ id: TileID, _ tenant: TenantNumber,
    _ transaction: inout IndexTransaction
  ) throws(StorageError) {
    var plain = [UInt8](repeating: 0, count: Self.tileBytes)
    var span = plain.mutableSpan
    for (place, hash) in hashes.enumerated() { hash.write(to: &span, at: 32 * place) }
    let label = tileLabel(id, tenant)
    let sealed = indexKey.seal(plain.span, context: Self.tileContext, label: label.span)
    try transaction.put(sealed.span, for: label.span, in: .tiles)
  }

  private func tileLabel(_ id: TileID, _ tenant: TenantNumber) -> [UInt8] {
    indexKey.label(
      [2] + UInt64(tenant.rawValue).bigEndianBytes.suffix(4) + [UInt8(id.level)]
        + id.number.bigEndianBytes)
  }
}
