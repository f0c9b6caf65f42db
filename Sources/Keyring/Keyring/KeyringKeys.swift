package import EventModel
package import Sodium
import Storage

/// A key that is wanted for a name.
package struct NewKey: Hashable, Sendable {
  package let tenant: TenantNumber
  /// A subject or a stream.
  package let kind: NameKind
  /// The name's tag under the tenant's map key (Docs/Format.md, section 4.1).
  package let tag: Tag128

  package init(tenant: TenantNumber, kind: NameKind, tag: Tag128) {
    precondition(kind == .subject || kind == .stream, "marks have no keys")
    self.tenant = tenant
    self.kind = kind
    self.tag = tag
  }
}

/// A key of the key array.
package struct KeyEntry: ~Copyable {
  /// 32 bytes.
  package let key: SecretBytes
  package let kind: NameKind
  /// What must not be done with it.
  package let marks: KeyMarks
  /// Of a stream: a version that was given out, whatever its records still say.
  package let versionMin: UInt64
  /// Of a key that ends by itself: the first UTC day, as days since 1970, on which it may; else 0.
  package let untilDay: UInt16

  init?(_ entry: Span<UInt8>) {
    let flags = entry[KeyLeafEntry.flagsAt]
    guard let kind = NameKind(rawValue: flags & KeyLeafEntry.kindMask) else { return nil }
    key = SecretBytes(copying: entry.extracting(0..<32))
    self.kind = kind
    versionMin = entry.bigEndian(
      at: KeyLeafEntry.versionAt, bytes: KeyLeafEntry.versionBytes)
    untilDay = UInt16(entry.bigEndian(at: KeyLeafEntry.untilDayAt, bytes: 2))
    marks = KeyMarks(rawValue: flags & ~KeyLeafEntry.kindMask)
  }
}

extension Keyring {
  /// What the tenant's map has for a tag, or nil.
  package func entry(
    _ tenant: TenantNumber, tag: Tag128
  ) throws(KeyringError) -> MapEntry? {
    let node = try load(tenant)
    return try tables.read { (view) throws(KeyringError) -> MapEntry? in
      try NameMap(tenant: tenant.rawValue).find(MapTag(tag), node.node.map, reader, in: view)
    }
  }

  /// The key in a slot, or nil when it was destroyed.
  ///
  /// A slot that was never given out is `.slotBeyondEnd`: the keyring is older than the log.
  package func key(
    _ tenant: TenantNumber, _ slot: Slot
  ) throws(KeyringError) -> KeyEntry? {
    let node = try load(tenant)
    guard slot.rawValue > 0, slot.rawValue < node.node.nextSlot else { throw .slotBeyondEnd }
    var found: SecretBytes?
    try tables.read { (view) throws(KeyringError) in
      found = try KeyArray.keys(of: tenant.rawValue).entry(
        slot.rawValue, node.node.keys, reader, in: view)
    }
    guard let found else { return nil }
    guard let entry = KeyEntry(found.bytes) else { throw .corrupt }
    return entry
  }

  /// Makes a random key for every name that has none, in one commit; answers the slots in the
  /// order asked.
  ///
  /// A name that has a key keeps it. The root does not change; a crash before the commit leaves
  /// nothing, one after it leaves keys that no event needs, which is harmless.
  @discardableResult
  package func addKeys(_ wanted: [NewKey]) throws(KeyringError) -> [Slot] {
    guard !wanted.isEmpty else { return [] }
    var byTenant: [TenantNumber: [Int]] = [:]
    for (index, key) in wanted.enumerated() { byTenant[key.tenant, default: []].append(index) }
    let numbers = byTenant.keys.sorted()
    var slots = [Slot](repeating: Slot(rawValue: 0), count: wanted.count)
    try add { (top, writer, transaction) throws(KeyringError) in
      try Self.editTenants(numbers, &top, &writer, in: &transaction) {
        (tenant, node, writer, transaction) throws(KeyringError) in
        try Self.addKeys(
          wanted, byTenant[tenant] ?? [], &slots, tenant.rawValue, &node, reader, &writer,
          in: &transaction)
      }
    }
    for number in numbers { loaded.remove(number) }
    return slots
  }

  /// Makes a key for every bucket that has none.
  package func ensureBuckets(_ buckets: [Bucket]) throws(KeyringError) {
    var missing: [UInt64] = []
    for bucket in Set(buckets).sorted() where try bucketKey(bucket) == nil {
      missing.append(UInt64(bucket.number))
    }
    guard !missing.isEmpty else { return }
    try add { (top, writer, transaction) throws(KeyringError) in
      var root = top.buckets
      try KeyArray.buckets.edit(&root, missing[...], &writer, in: &transaction) {
        leaf, child, _, _, _ in
        leaf.set(child, to: KeyLeafEntry.fresh(flags: KeyLeafEntry.bucket).bytes)
      }
      top.setBuckets(root)
    }
  }

  /// The key of a bucket's postings, or nil when it was not made or was destroyed.
  package func bucketKey(_ bucket: Bucket) throws(KeyringError) -> SecretBytes? {
    var found: SecretBytes?
    try tables.read { (view) throws(KeyringError) in
      found = try KeyArray.buckets.entry(UInt64(bucket.number), top.buckets, reader, in: view)
    }
    guard let found else { return nil }
    return SecretBytes(copying: found.bytes.extracting(0..<32))
  }
}

extension Keyring {
  /// A slot has 40 bits on the disk.
  private static let slotsEnd: UInt64 = 1 << 40

  /// Adds the keys of one tenant: `indices` into `wanted`.
  private static func addKeys(
    _ wanted: [NewKey], _ indices: [Int], _ slots: inout [Slot], _ tenant: UInt32,
    _ node: inout TenantNode, _ lookups: NodeReader, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    let map = NameMap(tenant: tenant)
    let array = KeyArray.keys(of: tenant)
    let oldKeys = node.keys
    var mapRoot = node.map
    let first = node.nextSlot
    var made: [NewKey] = []
    var known: [Tag128: Slot] = [:]
    for index in indices {
      let tag = wanted[index].tag
      if known[tag] == nil {
        let entry = try map.find(MapTag(tag), mapRoot, lookups, in: transaction)
        // A name whose key is gone gets a new one; rotations leave no such name behind.
        if let entry, try array.entry(entry.slot.rawValue, oldKeys, lookups, in: transaction) != nil
        {
          known[tag] = entry.slot
        } else {
          known[tag] = Slot(rawValue: first + UInt64(made.count))
          made.append(wanted[index])
        }
      }
      slots[index] = known[tag] ?? Slot(rawValue: 0)
    }
    guard !made.isEmpty else { return }
    let end = first + UInt64(made.count)
    guard end < slotsEnd else { throw .tenantFull }
    let mapKey = SecretBytes(copying: node.mapKey)
    var keyRoot = node.keys
    try array.edit(
      &keyRoot, Array(first..<end)[...], &writer, in: &transaction
    ) { leaf, child, slot, _, _ in
      let key = made[Int(slot - first)]
      leaf.set(child, to: newEntry(key, mapKey).bytes)
    }
    let edits = made.indices.map { index in
      NameMap.Edit(
        tag: MapTag(made[index].tag),
        entry: MapEntry(
          slot: Slot(rawValue: first + UInt64(index)), kind: made[index].kind, untilDay: 0))
    }
    try map.edit(
      &mapRoot, edits.sorted { $0.tag < $1.tag }, &writer, in: &transaction)
    #if DEBUG
      if TestHooks.isVariant("rebalance") {
        try copyToSibling(end - 1, &keyRoot, tenant, &writer, in: &transaction)
      }
    #endif
    node.setKeys(keyRoot)
    node.setMap(mapRoot)
    node.nextSlot = end
  }

  /// Random, never derived: what can be derived from a key that survives cannot be destroyed.
  private static func newEntry(_ key: NewKey, _ mapKey: borrowing SecretBytes) -> SecretBytes {
    #if DEBUG
      if TestHooks.isVariant("derive") { return derivedEntry(key, mapKey) }
    #endif
    return KeyLeafEntry.fresh(flags: key.kind.rawValue)
  }
}
