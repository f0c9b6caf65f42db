package import EventModel

/// Positions that one act erased, as a bundle tells them (Docs/Format.md, section 8.3).
package struct ErasedRange: Hashable, Sendable {
  package let tenant: TenantNumber
  /// The act's entry in the ledger.
  package let ledgerIndex: UInt64
  package let positions: ClosedRange<UInt64>

  package init(tenant: TenantNumber, ledgerIndex: UInt64, positions: ClosedRange<UInt64>) {
    self.tenant = tenant
    self.ledgerIndex = ledgerIndex
    self.positions = positions
  }

  /// What a range takes.
  package static let bytes = 32

  /// Appends `tenant number u32 | zero 4 | ledger index u64 | first u64 | last u64`.
  package func encode(to bytes: inout [UInt8]) {
    bytes.appendBigEndian(UInt64(tenant.rawValue), bytes: 4)
    bytes += [0, 0, 0, 0]
    bytes.appendBigEndian(ledgerIndex, bytes: 8)
    bytes.appendBigEndian(positions.lowerBound, bytes: 8)
    bytes.appendBigEndian(positions.upperBound, bytes: 8)
  }

  /// Reads a range at `offset`; nil when it is none.
  package init?(_ row: Span<UInt8>, at offset: Int) {
    guard row.count >= offset + Self.bytes, row.bigEndian(at: offset + 4, bytes: 4) == 0 else {
      return nil
    }
    let first = row.bigEndian(at: offset + 16, bytes: 8)
    let last = row.bigEndian(at: offset + 24, bytes: 8)
    guard first >= 1, first <= last, last <= Limits.positionMax else { return nil }
    self.init(
      tenant: TenantNumber(rawValue: UInt32(row.bigEndian(at: offset, bytes: 4))),
      ledgerIndex: row.bigEndian(at: offset + 8, bytes: 8), positions: first...last)
  }
}
