import EventModel
import Keyring
import Storage

// How days of access logs are forgotten: their keys in the rotation of an expiry run, their blocks after it.

extension EngineState {
  /// The first day that a tenant's access log keeps; nil when no key of a day before it is left.
  func accessLogEnd(_ tenant: TenantNumber, now: Int64) throws(StoreError) -> UInt32? {
    guard let keys = try accessKeys(tenant) else { return nil }
    let today = Period(unit: .day, containing: now).index
    let days = UInt32(try evidenceSettings(tenant).accessDays)
    let end = today >= days ? today - days + 1 : 0
    return keys.isDue(before: end) ? end : nil
  }
}

extension AccessLog {
  /// What forgetting the days before `day` changes in the keyring, and which blocks go; nil when there is
  /// nothing to forget.
  func ending(
    _ tenant: TenantNumber, before day: UInt32, _ engine: SharedEngine
  ) throws(StoreError) -> (edit: DocumentEdit, blocks: Range<UInt64>)? {
    let found = try engine.withState {
      (state) throws(StoreError) -> (outer: SealingKey, keys: AccessKeys)? in
      guard let known = state.tenants[tenant], let keys = try state.accessKeys(tenant) else {
        return nil
      }
      return (AccessBlock.outerKey(mapKey: try known.open(state.keyring).keys.mapKey), keys)
    }
    guard let (outer, keys) = found else { return nil }
    let walk = AccessWalk(logTables, outer, firstNumber: keys.firstNumber)
    let first = try walk.firstNumber(from: day)
    let rest = keys.forgetting(before: day, firstNumber: first)
    return (
      DocumentEdit(tenant: tenant, id: AccessKeys.id, document: rest.document),
      keys.firstNumber..<first
    )
  }

  /// Takes blocks out whose keys are gone, some at a time; what cannot be taken out stays as noise.
  func remove(_ blocks: [TenantNumber: Range<UInt64>], _ engine: SharedEngine) {
    for (tenant, numbers) in blocks {
      let outer = try? engine.withState { (state) throws(StoreError) -> SealingKey? in
        guard let known = state.tenants[tenant] else { return nil }
        return AccessBlock.outerKey(mapKey: try known.open(state.keyring).keys.mapKey)
      }
      guard let outer else { continue }
      var rest = numbers
      while !rest.isEmpty {
        let some = rest.prefix(Self.removedAtOnce)
        rest = rest.dropFirst(Self.removedAtOnce)
        guard (try? logTables.removeAccess(some.map { AccessBlock.label($0, outer) })) != nil
        else { return }
      }
    }
  }

  private static let removedAtOnce = 512
}
