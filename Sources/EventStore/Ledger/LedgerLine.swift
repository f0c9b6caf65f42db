package import EventModel
import Keyring

/// A line of the ledger as those see it who may.
package struct LedgerLine: Sendable {
  /// From 1, without gaps.
  package let index: UInt64
  package let entry: LedgerEntry
  /// Nil when the line concerns no tenant, or one that is gone.
  package let tenant: TenantName?

  /// What came of the act: a reason, `done`, or the act's own number.
  package var result: String {
    if entry.act == .refused {
      return LedgerEntry.Refusal(rawValue: entry.result)?.text ?? String(entry.result)
    }
    if entry.result == 0 { return "done" }
    let reasons = ReasonCode.allCases
    guard entry.act.hasReason, entry.result <= reasons.count else { return String(entry.result) }
    return reasons[Int(entry.result) - 1].rawValue
  }
}

extension LedgerEntry.Act {
  /// True when its result is the code of a reason.
  fileprivate var hasReason: Bool {
    switch self {
    case .subjectShredded, .eventsShredded, .streamShredded, .periodShredded, .tenantShredded: true
    default: false
    }
  }
}

extension EventStore {
  /// Lines are read so many at a time, so that appends get the lock in between.
  private static let ledgerPage = 256

  /// At most `limit` lines behind the index `after` that concern permitted tenants, oldest first.
  ///
  /// Blocks; never call it on an event loop.
  package func ledger(
    after: UInt64, limit: Int, _ isPermitted: PlanPermission
  ) throws(StoreError) -> [LedgerLine] {
    var found: [LedgerLine] = []
    var after = after
    while found.count < limit {
      let from = after
      let lines = try shared.withState { (state) throws(StoreError) -> [LedgerLine] in
        try StoreError.translating { () throws(KeyringError) in
          try state.keyring.ledgerEntries(from: from + 1, limit: Self.ledgerPage)
        }.map { line in
          LedgerLine(
            index: line.index, entry: line.entry, tenant: state.tenants[line.entry.tenant]?.name)
        }
      }
      guard let last = lines.last else { return found }
      found += lines.filter { isPermitted($0.tenant) }.prefix(limit - found.count)
      after = last.index
    }
    return found
  }
}
