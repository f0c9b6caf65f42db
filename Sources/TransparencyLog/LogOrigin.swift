package import EventModel

/// The name of a log, the first line of its checkpoints.
///
/// A restore gives a tenant a new lineage, and so a new log: positions behind what was restored are
/// given twice.
package enum LogOrigin: Hashable, Sendable {
  /// What was done: one log of a store.
  case ledger(StoreID)
  /// A tenant's events.
  case tenant(StoreID, TenantID, lineage: UInt64)

  package var store: StoreID {
    switch self {
    case .ledger(let store), .tenant(let store, _, _): store
    }
  }

  /// `lethe/STORE/ledger` or `lethe/STORE/TENANT/LINEAGE`, the identities as 32 hexadecimal digits.
  package var text: String {
    switch self {
    case .ledger(let store): "lethe/\(store.bytes.hexadecimal)/ledger"
    case .tenant(let store, let tenant, let lineage):
      "lethe/\(store.bytes.hexadecimal)/\(tenant.bytes.hexadecimal)/\(lineage)"
    }
  }

  /// Reads ``text``; nil for anything else.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 3, parts[0] == "lethe",
      let store = [UInt8](hexadecimal: parts[1]).flatMap(StoreID.init(bytes:))
    else { return nil }
    if parts.count == 3, parts[2] == "ledger" {
      self = .ledger(store)
    } else if parts.count == 4, let tenant = [UInt8](hexadecimal: parts[2]), tenant.count == 16,
      let lineage = UInt64(parts[3]), String(lineage) == parts[3]
    {
      self = .tenant(store, TenantID(bytes: tenant), lineage: lineage)
    } else {
      return nil
    }
  }
}
