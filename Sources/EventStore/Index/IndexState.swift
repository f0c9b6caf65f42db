import EventModel
import Sodium
import Storage
package import TransparencyLog

/// How far the flushed index reaches; compared with the log at start.
package struct FlushState: Hashable, Sendable {
  /// Every record up to this one is in the index.
  package let sequence: UInt64
  /// That record's hash; when the log has another, the index belongs to another log.
  package let recordHash: RecordHash

  package init(sequence: UInt64, recordHash: RecordHash) {
    self.sequence = sequence
    self.recordHash = recordHash
  }
}

/// The table `state` (Docs/Format.md, section 6): entries under labels that only the index key gives.
struct IndexState {
  private static let context = KeyDerivation.Context("LT1.index.state")
  private static let flushBytes = 64
  private static let format: UInt8 = 2
  static let tenantBytes = 1_600

  static func put(
    _ state: FlushState, indexKey: SealingKey, in transaction: inout IndexTransaction
  ) throws(StorageError) {
    var plain = [UInt8](repeating: 0, count: flushBytes)
    var span = plain.mutableSpan
    span[0] = format
    span.setBigEndian(state.sequence, at: 8, bytes: 8)
    state.recordHash.hash.write(to: &span, at: 16)
    try put(plain, flushLabel(indexKey), indexKey, in: &transaction)
  }

  /// Pads a tenant's state, which has at most ``tenantBytes``.
  static func put(
    _ state: [UInt8], of tenant: TenantNumber, indexKey: SealingKey,
    in transaction: inout IndexTransaction
  ) throws(StorageError) {
    precondition(state.count <= tenantBytes, "a tenant's state is too long")
    let plain = state + repeatElement(0, count: tenantBytes - state.count)
    try put(plain, tenantLabel(tenant, indexKey), indexKey, in: &transaction)
  }

  static func flushState(
    indexKey: SealingKey, in view: borrowing IndexView
  ) throws(StorageError) -> FlushState? {
    guard let plain = try open(flushLabel(indexKey), flushBytes, indexKey, in: view) else {
      return nil
    }
    guard plain[0] == format else { throw .corrupt }
    return FlushState(
      sequence: plain.span.bigEndian(at: 8, bytes: 8),
      recordHash: RecordHash(Hash256(plain.span, at: 16)))
  }

  static func tenantState(
    _ tenant: TenantNumber, indexKey: SealingKey, in view: borrowing IndexView
  ) throws(StorageError) -> [UInt8]? {
    try open(tenantLabel(tenant, indexKey), tenantBytes, indexKey, in: view)
  }

  private static func put(
    _ plain: [UInt8], _ label: [UInt8], _ key: SealingKey,
    in transaction: inout IndexTransaction
  ) throws(StorageError) {
    let sealed = key.seal(plain.span, context: context, label: label.span)
    try transaction.put(sealed.span, for: label.span, in: .state)
  }

  private static func open(
    _ label: [UInt8], _ count: Int, _ key: SealingKey, in view: borrowing IndexView
  ) throws(StorageError) -> [UInt8]? {
    guard let sealed = try view.value(label.span, in: .state) else { return nil }
    guard let plain = key.open(sealed, context: context, label: label.span), plain.count == count
    else { throw .corrupt }
    return plain
  }

  private static func flushLabel(_ key: SealingKey) -> [UInt8] { key.label([0]) }

  private static func tenantLabel(_ tenant: TenantNumber, _ key: SealingKey) -> [UInt8] {
    key.label([1] + UInt64(tenant.rawValue).bigEndianBytes.suffix(4))
  }
}
