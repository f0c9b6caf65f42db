import EventModel
import Keyring

// What a tenant's administrators say about its evidence.

extension ControlPlane {
  /// Changes what a tenant wants of its evidence; `result` and `count` are the ledger's.
  func setEvidence(
    _ tenant: TenantNumber, _ actor: Actor, act: LedgerEntry.Act = .evidenceSet, result: UInt8,
    count: UInt64,
    _ change: (inout EvidenceSettings) -> Void
  ) throws(StoreError) -> ControlAnswer {
    let isStrict = try shared.withState { (state) throws(StoreError) -> Bool in
      if let failure = state.failure { throw failure }
      var settings = try state.evidenceSettings(tenant)
      change(&settings)
      let entry = LedgerEntry(
        timeMilliseconds: shared.clock(), act: act, actor: actor.ledgerActor,
        tenant: tenant, result: result, count: count)
      try StoreError.translating { () throws(KeyringError) in
        try state.keyring.setDocuments(
          tenant: tenant, [EvidenceSettings.id: settings.document], entry: entry)
      }
      return settings.isStrict
    }
    shared.accessLog.setStrict(tenant, isStrict)
    return .done
  }
}
