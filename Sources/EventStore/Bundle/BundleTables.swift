import EventModel
import Keyring
import Storage
import TransparencyLog

/// What the daemon states beside what can be recomputed: policies, holds and keys, without a name of a
/// tenant, stream or person.
extension BundleSession {
  static let tablesSchema = "lethe.tables/1"

  /// The tables in canonical JSON.
  func tables(_ shared: SharedEngine) throws(StoreError) -> [UInt8] {
    var tenants: [CanonicalJSON] = []
    for log in logs {
      // The lock is let go of between the tenants: 8,000 of them hold up nobody.
      tenants.append(
        try shared.withState { (state) throws(StoreError) in
          try Self.table(log.tenant, state, now: madeMilliseconds)
        })
    }
    let (keyring, epoch, isPending) = shared.withState { state in
      (
        state.keyring.holderReport.map(Self.table), state.keyring.epoch,
        state.keyring.isErasureUnconfirmed
      )
    }
    let tables: CanonicalJSON = [
      "schema": .string(Self.tablesSchema), "tenants": .array(tenants),
      "root": [
        "epoch": .integer(epoch), "erasure": .string(isPending ? "pending" : "complete"),
        "holders": .array(keyring),
      ],
    ]
    return tables.bytes
  }

  private static func table(_ holder: HolderStatus) -> CanonicalJSON {
    [
      "kind": holder.isRemote ? "remote" : "file", "present": .bool(holder.isPresent),
      "weakness": holder.medium.weakness.map { .string($0.rawValue) } ?? .null,
      "beside_data": .bool(holder.isOnDataFileSystem),
    ]
  }

  private static func table(
    _ number: TenantNumber, _ state: EngineState, now: Int64
  ) throws(StoreError) -> CanonicalJSON {
    guard let tenant = state.tenants[number] else { throw .bundleOutdated }
    let keys = try StoreError.translating { () throws(KeyringError) in
      try state.keyring.tenantKeys(number)
    }
    let holds = try state.storedHolds(number).filter { $0.holds(now) }
    return [
      "tenant": .integer(UInt64(number.rawValue)), "id": .string(tenant.id.bytes.hexadecimal),
      "generation": .integer(UInt64(keys.generation)),
      "state": .string(tenant.isSuspended ? "suspended" : "active"),
      "created": .time(tenant.createdMilliseconds),
      "classes": .array(keys.classes.map(table)), "holds": .array(holds.map(table)),
    ]
  }

  private static func table(_ found: RetentionClass) -> CanonicalJSON {
    let policy = found.policy
    return [
      "class": .integer(UInt64(found.number.rawValue)),
      "name": .string(String(decoding: found.name, as: UTF8.self)),
      "purpose": .string(String(decoding: policy.purpose, as: UTF8.self)),
      "unit": policy.unit == .day ? "day" : "hour",
      "maximum": .array(
        policy.steps.map {
          ["from": .integer(UInt64($0.from)), "periods": .integer(UInt64($0.periods))]
        }),
      "shortening": policy.shortening.map {
        [
          "periods": .integer(UInt64($0.periods)),
          "in_force": .integer(UInt64(clamping: $0.inForceMilliseconds)),
        ]
      } ?? .null,
      "minimum": .integer(UInt64(policy.minimumPeriods)),
      "mode": policy.mode == .compliance ? "compliance" : "governance",
      "onrequest": policy.onRequest == .restrict ? "restrict" : "erase",
    ]
  }

  private static func table(_ hold: StoredHold) -> CanonicalJSON {
    var (scope, number): (CanonicalJSON, CanonicalJSON) = ("tenant", .null)
    switch hold.scope {
    case .subject: scope = "datasubject"
    case .stream: scope = "stream"
    case .retentionClass(let found):
      (scope, number) = ("class", .integer(UInt64(found.rawValue)))
    case .tenant: break
    }
    return [
      "hold": .integer(UInt64(hold.number)), "scope": scope, "class": number,
      "reason": .string(hold.reason.text), "set": .time(hold.setMilliseconds),
      "ends": hold.endsMilliseconds == 0 ? .null : .time(hold.endsMilliseconds),
      "review": .string(Timestamp.dayText(Int64(hold.reviewDay))),
    ]
  }
}

extension SharedEngine {
  /// The lineage of a tenant's log: raised by restores only.
  func lineage(of number: TenantNumber) throws(StoreError) -> UInt64? {
    try withState { (state) throws(StoreError) in
      guard state.tenants[number] != nil else { return nil }
      let keys = try StoreError.translating { () throws(KeyringError) in
        try state.keyring.tenantKeys(number)
      }
      return UInt64(keys.lineage)
    }
  }
}
