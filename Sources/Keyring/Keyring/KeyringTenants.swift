package import EventModel
import Sodium
import Storage

/// A tenant's opened node in memory.
final class LoadedTenant {
  let node: TenantNode
  let keys: TenantKeys
  var stamp: UInt64 = 0

  init(_ number: TenantNumber, _ node: consuming TenantNode) {
    keys = TenantKeys(number, node)
    self.node = node
  }
}

/// The tenants used lately, at most ``max``; their secrets are wiped when they leave.
struct LoadedTenants {
  static let max = 1_024
  private var tenants: [TenantNumber: LoadedTenant] = [:]
  private var clock: UInt64 = 0

  mutating func find(_ number: TenantNumber) -> LoadedTenant? {
    guard let found = tenants[number] else { return nil }
    clock += 1
    found.stamp = clock
    return found
  }

  mutating func insert(_ number: TenantNumber, _ tenant: LoadedTenant) {
    if tenants.count >= Self.max {
      // Lets go of the older half at once, so that the search is paid once in 512 loads.
      let middle = tenants.values.map(\.stamp).sorted()[Self.max / 2]
      tenants = tenants.filter { $0.value.stamp > middle }
    }
    clock += 1
    tenant.stamp = clock
    tenants[number] = tenant
  }

  mutating func remove(_ number: TenantNumber) { tenants[number] = nil }

  mutating func removeAll() { tenants.removeAll() }
}

extension Keyring {
  /// Makes a tenant with fresh secrets and one class, `default`.
  @discardableResult
  package func createTenant(
    _ name: TenantName, retention: Retention, now: Int64, actor: LedgerEntry.Actor
  ) throws(KeyringError) -> TenantNumber {
    guard !tenants.contains(where: { $0.name == name }) else { throw .tenantExists }
    guard tenants.count < Limits.tenantsMax else { throw .tooManyTenants }
    let number = TenantNumber(rawValue: top.nextTenant)
    let node = TenantNode(name: name, retention: retention, createdMilliseconds: now)
    guard let summary = TenantSummary(number, node) else { throw .corrupt }
    let entry = LedgerEntry(
      timeMilliseconds: now, act: .tenantCreated, actor: actor, tenant: number)
    try add(entry: entry) { (top, writer, transaction) throws(KeyringError) in
      var root = top.tenants
      try KeyArray.tenants.edit(
        &root, [UInt64(number.rawValue)], &writer, in: &transaction
      ) { (leaf, child, _, writer, transaction) throws(KeyringError) in
        var reference = NodeReference()
        try writer.write(
          node.plain.bytes, at: &reference, .tenant, tenant: number.rawValue, in: &transaction)
        leaf.set(child, to: reference.bytes.bytes)
      }
      top.setTenants(root)
      top.nextTenant = number.rawValue + 1
    }
    tenants.append(summary)
    return number
  }

  /// Suspends a tenant or lets it go on.
  package func setSuspended(
    _ number: TenantNumber, _ isSuspended: Bool, now: Int64, actor: LedgerEntry.Actor
  ) throws(KeyringError) {
    let entry = LedgerEntry(
      timeMilliseconds: now, act: isSuspended ? .tenantSuspended : .tenantResumed, actor: actor,
      tenant: number)
    try edit(number, entry: entry) { $0.isSuspended = isSuspended }
  }

  /// True when a tenant of this number was made and is gone.
  package func hadTenant(_ number: TenantNumber) -> Bool {
    number.rawValue > 0 && number.rawValue < top.nextTenant
      && !tenants.contains { $0.number == number }
  }

  /// Makes ids of the client's a duty of every event of a tenant, or no longer.
  package func setDemandsIDs(
    _ number: TenantNumber, _ demandsIDs: Bool, now: Int64, actor: LedgerEntry.Actor
  ) throws(KeyringError) {
    let entry = LedgerEntry(
      timeMilliseconds: now, act: demandsIDs ? .idsRequired : .idsOptional, actor: actor,
      tenant: number)
    try edit(number, entry: entry) { $0.demandsIDs = demandsIDs }
  }

  /// Changes one tenant's node and writes the ledger's line in one transaction.
  func edit(
    _ number: TenantNumber, entry: LedgerEntry,
    _ body: (inout TenantNode) throws(KeyringError) -> Void
  ) throws(KeyringError) {
    try add(entry: entry) { (top, writer, transaction) throws(KeyringError) in
      try Self.editTenants([number], &top, &writer, in: &transaction) {
        (_, node, _, _) throws(KeyringError) in
        try body(&node)
      }
    }
    loaded.remove(number)
    try reloadSummary(number)
  }

  /// The tenant's secrets; read again after a rotation.
  package func tenantKeys(_ number: TenantNumber) throws(KeyringError) -> TenantKeys {
    try load(number).keys
  }

  /// The tenant's node, from memory or from the tables.
  func load(_ number: TenantNumber) throws(KeyringError) -> LoadedTenant {
    if let found = loaded.find(number) { return found }
    let tenant = try tables.read { (view) throws(KeyringError) -> LoadedTenant in
      let entry = try KeyArray.tenants.entry(
        UInt64(number.rawValue), top.tenants, reader, in: view)
      guard let entry else { throw .unknownTenant }
      return LoadedTenant(
        number,
        try Self.openTenant(
          NodeReference(copying: entry.bytes), number.rawValue, reader, in: view))
    }
    loaded.insert(number, tenant)
    return tenant
  }

  /// Reads every tenant's summary.
  func loadTenants() throws(KeyringError) {
    var found: [TenantSummary] = []
    try tables.read { (view) throws(KeyringError) in
      try KeyArray.tenants.forEach(top.tenants, reader, in: view) {
        (number, entry) throws(KeyringError) in
        let node = try Self.openTenant(
          NodeReference(copying: entry), UInt32(number), reader, in: view)
        guard let summary = TenantSummary(TenantNumber(rawValue: UInt32(number)), node) else {
          throw .corrupt
        }
        found.append(summary)
      }
    }
    tenants = found
  }

  /// Lets `body` change the nodes of tenants (ascending by number) and writes them and their paths.
  static func editTenants(
    _ numbers: [TenantNumber], _ top: inout TopNode, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction,
    _ body: (
      TenantNumber, inout TenantNode, inout NodeWriter, inout KeyringTransaction
    ) throws(KeyringError) -> Void
  ) throws(KeyringError) {
    var root = top.tenants
    let places = numbers.map { UInt64($0.rawValue) }
    try KeyArray.tenants.edit(&root, places[...], &writer, in: &transaction) {
      (leaf, child, number, writer, transaction) throws(KeyringError) in
      guard leaf.contains(child) else { throw .unknownTenant }
      var reference = NodeReference(copying: leaf.entry(child))
      let tenant = UInt32(number)
      var node = try openTenant(reference, tenant, writer.reader, in: transaction)
      try body(TenantNumber(rawValue: tenant), &node, &writer, &transaction)
      try writer.write(
        node.plain.bytes, at: &reference, .tenant, tenant: tenant, in: &transaction)
      leaf.set(child, to: reference.bytes.bytes)
    }
    top.setTenants(root)
  }

  static func openTenant(
    _ reference: borrowing NodeReference, _ tenant: UInt32, _ reader: NodeReader,
    in source: borrowing some NodeSource & ~Copyable
  ) throws(KeyringError) -> TenantNode {
    guard
      let node = TenantNode(try reader.open(reference, .tenant, tenant: tenant, in: source))
    else { throw .corrupt }
    return node
  }

  func reloadSummary(_ number: TenantNumber) throws(KeyringError) {
    guard let index = tenants.firstIndex(where: { $0.number == number }),
      let summary = TenantSummary(number, try load(number).node)
    else { return }
    tenants[index] = summary
  }
}
