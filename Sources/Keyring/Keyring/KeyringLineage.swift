package import EventModel
import Sodium

extension Keyring {
  /// Begins a new lineage and a new generation of every tenant, and writes into the ledger behind which
  /// position.
  ///
  /// The events restored may be older than the newest that were acknowledged. Positions behind them are
  /// given out again, but never under the same keys, and cursors of the lineage before are refused.
  /// `storedThrough` is when a tenant's newest event was stored, in milliseconds since 1970.
  /// Answers where the ledger has it of each tenant; the plan's hash is random, so that rows of erased
  /// positions can name it.
  @discardableResult
  package func beginLineages(
    behind positions: [TenantNumber: UInt64], storedThrough: [TenantNumber: Int64], now: Int64,
    actor: LedgerEntry.Actor
  ) throws(KeyringError) -> [TenantNumber: (index: UInt64, planHash: [UInt8])] {
    let numbers = tenants.map(\.number).sorted()
    var noted: [TenantNumber: (index: UInt64, planHash: [UInt8])] = [:]
    try add { (top, writer, transaction) throws(KeyringError) in
      if !numbers.isEmpty {
        try Self.editTenants(numbers, &top, &writer, in: &transaction) {
          (tenant, node, writer, transaction) throws(KeyringError) in
          try node.beginLineage()
          let start = GenerationStart(
            cause: .restored, milliseconds: now, storedThrough: max(now, storedThrough[tenant] ?? 0)
          )
          try Self.beginGeneration(
            start, tenant.rawValue, &node, &writer, in: &transaction)
        }
      }
      for number in numbers {
        let hash = Random.bytes(32)
        noted[number] = (top.nextLedgerIndex, hash)
        let entry = LedgerEntry(
          timeMilliseconds: now, act: .lineageBegun, actor: actor, tenant: number,
          planHash: hash, count: positions[number] ?? 0)
        try Self.append(entry, to: &top, key: ledgerKey, store: id, in: &transaction)
      }
    }
    loaded.removeAll()
    return noted
  }

  /// True when a holder has a newer root than these tables: a rotation was under way, whose keyring this
  /// is not.
  package func isRotationUnfinished() throws(KeyringError) -> Bool {
    for holder in holders.present where try holder.epochs().contains(where: { $0 > epoch }) {
      return true
    }
    return false
  }
}
