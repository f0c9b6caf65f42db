import EventModel
import Keyring
import Storage

/// How long confirmed shreds of a tenant wait, by their kinds; a document of the tenant.
package struct Grace: Hashable, Sendable {
  /// In minutes.
  private var minutes: [PlanKind: UInt32] = [.tenant: 7 * 24 * 60, .offboarding: 7 * 24 * 60]

  package init() {}

  /// How long a shred of the kind waits.
  package func milliseconds(_ kind: PlanKind) -> Int64 { Int64(minutes[kind] ?? 0) * 60_000 }

  mutating func set(_ kind: PlanKind, milliseconds: Int64) {
    minutes[kind] = UInt32(clamping: milliseconds / 60_000)
  }

  static let id = DocumentID(.settings, 0)

  /// `version u8 = 1 | minutes u32 of each kind, in the order of their numbers`.
  var document: Document {
    var writer = PlanWriter()
    writer.append(1, bytes: 1)
    for kind in PlanKind.allCases { writer.append(minutes[kind] ?? 0, bytes: 4) }
    return Document(copying: writer.bytes.span)
  }

  init?(_ document: Document) {
    var reader = PlanReader(document.withBytes { $0.array })
    guard reader.number(1) == 1 else { return nil }
    for kind in PlanKind.allCases {
      guard let count = reader.number(4) else { return nil }
      minutes[kind] = UInt32(count)
    }
  }
}

extension ControlPlane {
  /// What the tenant grants.
  func grace(_ tenant: TenantNumber) throws(StoreError) -> Grace {
    try shared.withState { (state) throws(StoreError) in try state.grace(tenant) }
  }

  /// Changes what the tenant grants; plans that wait keep their time.
  func setGrace(
    _ tenant: TenantNumber, _ kind: PlanKind, _ milliseconds: Int64, _ actor: Actor
  ) throws(StoreError) -> ControlAnswer {
    try shared.withState { (state) throws(StoreError) in
      if let failure = state.failure { throw failure }
      var grace = try state.grace(tenant)
      grace.set(kind, milliseconds: milliseconds)
      let entry = LedgerEntry(
        timeMilliseconds: shared.clock(), act: .graceSet, actor: actor.ledgerActor, tenant: tenant,
        result: kind.rawValue, count: UInt64(milliseconds / 60_000))
      try StoreError.translating { () throws(KeyringError) in
        try state.keyring.setDocuments(
          tenant: tenant, [Grace.id: grace.document], entry: entry)
      }
    }
    return .done
  }
}

extension EngineState {
  func grace(_ tenant: TenantNumber) throws(StoreError) -> Grace {
    let document = try StoreError.translating { () throws(KeyringError) in
      try keyring.document(tenant: tenant, Grace.id)
    }
    guard let document else { return Grace() }
    guard let grace = Grace(document) else { throw .corrupt }
    return grace
  }
}
