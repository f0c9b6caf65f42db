package import EventModel
import Sodium
import Storage

extension Keyring {
  /// Destroys keys, so that no copy of the tables, past or future, opens what they sealed with
  /// today's root.
  ///
  /// Order: stage the new root on every holder (fsync, read back) -> commit the re-keyed paths, the
  /// top under the new root and the ledger -> open the top with the root read back -> erase the
  /// old root on every holder (fsync, read back) -> return. A crash before the commit leaves
  /// everything as it was and ``open(data:tables:holders:)`` takes the staged root back; after it,
  /// opening finishes the erasure.
  ///
  /// One holder that takes the new root is enough (else `.holdersUnavailable`, and nothing was
  /// destroyed). `.erasureUnconfirmed` means that the keys are gone from the tree but an old root may
  /// remain in a holder that is missing: ``confirmErasure(now:)`` ends that when it is back.
  ///
  /// `certificate` writes what is kept in the same transaction as the certificate that was begun.
  package func rotate(
    _ removal: Removal, entry: LedgerEntry, certificate: ((Destruction) -> [UInt8])? = nil
  ) throws(KeyringError) -> RotationReceipt {
    // Holders that are back get today's root before the next one. The ledger says so behind the act,
    // whose index is known to others by now.
    let isConfirmed = (try? tend()) ?? false
    let (old, index) = (epoch, nextLedgerIndex)
    #if DEBUG
      let fresh = TestHooks.isVariant("root-kept") ? root.copy() : SecretBytes.random(count: 32)
      if !TestHooks.isVariant("commit-before-stage") { try stage(old + 1, fresh) }
      if TestHooks.isVariant("erase-before-commit") { holders.erase(epoch: old) }
    #else
      let fresh = SecretBytes.random(count: 32)
      try stage(old + 1, fresh)
    #endif
    var writer = NodeWriter(store: id, mode: .withFreshKeys)
    do {
      try commit(
        &writer, epoch: old + 1, root: fresh, entry: entry, certificate: certificate,
        expecting: removal.parts.count * Self.partBytes
      ) { (top, writer, transaction) throws(KeyringError) in
        try Self.remove(
          removal, now: entry.timeMilliseconds, &top, &writer, in: &transaction)
      }
    } catch {
      // After an I/O failure nobody knows whether the commit is on the disk: both roots stay, and
      // opening decides.
      if case .storage(.ioFailure) = error {
        #if DEBUG
          if TestHooks.isVariant("io-error-ignored") {
            return receipt(writer, certificate == nil ? nil : index)
          }
        #endif
        throw error
      }
      holders.erase(epoch: old + 1)
      throw error
    }
    root = fresh
    try forget(removal)
    #if DEBUG
      if TestHooks.isVariant("commit-before-stage") { try stage(epoch, root) }
      if TestHooks.isVariant("ack-before-erase") {
        for entry in holders.table.entries { holders.table.confirm(entry.number, epoch) }
      }
    #endif
    let isSettled = try settle()
    if isConfirmed { try noteConfirmation(now: entry.timeMilliseconds) }
    guard isSettled else { throw .erasureUnconfirmed }
    return receipt(writer, certificate == nil ? nil : index)
  }

  private func receipt(_ writer: NodeWriter, _ certificate: UInt64?) -> RotationReceipt {
    RotationReceipt(
      epoch: epoch, keysDestroyed: writer.keysDestroyed, nodesWritten: writer.nodesWritten,
      bytesSealed: writer.bytesSealed, weaknesses: holders.weaknesses,
      holderCount: holders.table.entries.count,
      certificate: certificate.map { CertificateID(store: id, index: $0) })
  }

  /// True while an old root may still be in a holder.
  var isErasurePending: Bool { !holders.table.areAllConfirmed(epoch) }

  /// What a tenant's part of a removal is taken to need: its node, and the pages that it lies in anew.
  private static let partBytes = 8 << 10

  /// Erases what rotations could not erase while a holder was missing, and writes that into the ledger.
  ///
  /// Does nothing when nothing is pending; `.erasureUnconfirmed` as long as a holder is missing.
  package func confirmErasure(now: Int64) throws(KeyringError) {
    guard isErasurePending else { return }
    guard try settle() else { throw .erasureUnconfirmed }
    try noteConfirmation(now: now)
  }

  /// Notices holders that are gone and gives those that are back today's root.
  ///
  /// To be called now and then.
  package func tendHolders(now: Int64) throws(KeyringError) {
    if try tend() { try noteConfirmation(now: now) }
  }

  /// True when an erasure that was pending is confirmed now.
  private func tend() throws(KeyringError) -> Bool {
    holders.probe()
    guard holders.isOneMissing || isErasurePending else { return false }
    let wasPending = isErasurePending
    return try settle() && wasPending
  }

  private func noteConfirmation(now: Int64) throws(KeyringError) {
    try appendLedger(
      LedgerEntry(timeMilliseconds: now, act: .erasureConfirmed, actor: .daemon))
  }

  private func stage(_ epoch: UInt64, _ root: borrowing SecretBytes) throws(KeyringError) {
    do { try holders.stage(epoch: epoch, root: root.bytes) } catch {
      // Whatever was written is useless; the slot is overwritten again before it is used.
      holders.erase(epoch: epoch)
      throw error
    }
  }

  /// Gives every holder that is there today's root alone; true when all holders have it.
  ///
  /// The committed top must open with the root as each holder has it, before the old one goes.
  func settle() throws(KeyringError) -> Bool {
    let value = try tables.read { (view) throws(KeyringError) in try Self.topValue(view) }
    let (version, id) = (version, id)
    return try holders.settle(epoch: epoch, root: root, tables: tables) {
      (root) throws(KeyringError) -> Bool in
      guard let found = TopNode(value: value.span, root: root.bytes, store: id) else {
        return false
      }
      return found.version == version
    }
  }

  /// Lets go of everything that was opened before a rotation.
  private func forget(_ removal: Removal) throws(KeyringError) {
    loaded.removeAll()
    reader.cache?.removeAll()
    if !removal.tenants.isEmpty { tenants.removeAll { removal.tenants.contains($0.number) } }
  }
}

extension Keyring {
  private static func remove(
    _ removal: Removal, now: Int64, _ top: inout TopNode, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    if !removal.tenants.isEmpty {
      try removeTenants(removal.tenants.sorted(), &top, &writer, in: &transaction)
    }
    let parts = removal.parts.filter { !removal.tenants.contains($0.key) }
    let rewraps = removal.rewraps.subtracting(removal.tenants)
    let generations = removal.generations.filter { !removal.tenants.contains($0.key) }
    let changed = rewraps.union(parts.keys).union(generations.keys).sorted()
    if !changed.isEmpty {
      try editTenants(changed, &top, &writer, in: &transaction) {
        (tenant, node, writer, transaction) throws(KeyringError) in
        if let part = parts[tenant] {
          try remove(part, tenant.rawValue, &node, &writer, in: &transaction)
          try puncture(
            retired: part, tenant.rawValue, now: now, &node, &writer, in: &transaction)
        }
        if let start = generations[tenant] {
          try beginGeneration(start, tenant.rawValue, &node, &writer, in: &transaction)
        }
        if rewraps.contains(tenant) {
          try rewrap(tenant.rawValue, &node, &writer, in: &transaction)
        }
      }
    }
    if let mark = removal.expiry { top.lastExpiry = (mark.milliseconds, mark.eventCount) }
    if !removal.buckets.isEmpty {
      var root = top.buckets
      let months = removal.buckets.sorted().map { UInt64($0.number) }
      try KeyArray.buckets.edit(&root, months[...], &writer, in: &transaction) {
        (leaf, child, _, writer, _) in
        if leaf.contains(child) { writer.keysDestroyed += 1 }
        leaf.remove(child)
      }
      top.setBuckets(root)
    }
    let documents = removal.documents.filter { edit in
      edit.tenant.map { !removal.tenants.contains($0) } ?? true
    }
    try edit(documents, &top, &writer, in: &transaction)
  }

  /// Gives every node below a tenant's a fresh key; its own and its path get theirs in any case.
  private static func rewrap(
    _ tenant: UInt32, _ node: inout TenantNode, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    var keys = node.keys
    try KeyArray.keys(of: tenant).rewrap(&keys, &writer, in: &transaction)
    node.setKeys(keys)
    var map = node.map
    try NameMap(tenant: tenant).rewrap(&map, &writer, in: &transaction)
    node.setMap(map)
    var documents = node.documents
    try rewrapRetired(tenant, &documents, &writer, in: &transaction)
    try KeyArray.documents(of: tenant).rewrap(&documents, &writer, in: &transaction)
    node.setDocuments(documents)
    guard node.positions.height > 0 else { return }
    var positions = node.positions
    try PositionCover(tenant: tenant).rewrap(&positions, &writer, in: &transaction)
    node.setPositions(positions)
  }

  /// Takes out what goes of one tenant.
  private static func remove(
    _ part: Removal.Part, _ tenant: UInt32, _ node: inout TenantNode,
    _ writer: inout NodeWriter, in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    let slots = Set(part.slots.map(\.rawValue)).sorted()
    let dead = Set(slots)
    let touched = dead.union(part.versions.keys.map(\.rawValue))
      .union(part.slotMarks.keys.map(\.rawValue))
      .union(part.lapses.keys.map(\.rawValue)).sorted()
    guard touched.last ?? 0 < node.nextSlot else { throw .slotBeyondEnd }
    var keys = node.keys
    try KeyArray.keys(of: tenant).edit(&keys, touched[...], &writer, in: &transaction) {
      leaf, child, slot, writer, _ in
      guard leaf.contains(child) else { return }
      guard dead.contains(slot) else {
        note(part.versions[Slot(rawValue: slot)] ?? 0, in: &leaf, child)
        if let marks = part.slotMarks[Slot(rawValue: slot)] { setMarks(marks, in: &leaf, child) }
        if let lapse = part.lapses[Slot(rawValue: slot)] {
          setLapse(lapse.untilDay, in: &leaf, child)
        }
        return
      }
      writer.keysDestroyed += 1
      leaf.remove(child)
    }
    node.setKeys(keys)
    noteLapses(part, in: &node)

    var edits: [MapTag: MapEntry?] = [:]
    for tag in try tags(of: part, slots, tenant, node, writer.reader, in: transaction) {
      edits.updateValue(nil, forKey: tag)
    }
    for mark in part.marks {
      edits[MapTag(mark.tag)] = MapEntry(
        slot: Slot(rawValue: 0), kind: mark.kind, untilDay: mark.untilDay,
        position: mark.position)
    }
    for (slot, lapse) in part.lapses {
      guard let tag = lapse.formerTag else { continue }
      edits[MapTag(tag)] = MapEntry(slot: slot, kind: lapse.kind, untilDay: lapse.untilDay)
    }
    var map = node.map
    try NameMap(tenant: tenant).edit(
      &map,
      edits.map { NameMap.Edit(tag: $0.key, entry: $0.value) }.sorted { $0.tag < $1.tag },
      &writer, in: &transaction)
    node.setMap(map)
    if !part.periods.isEmpty { try puncture(part.periods, &node, &writer) }
    if !part.positions.isEmpty { node.hasErasedEvents = true }
    if let gone = part.positions[node.generation], !gone.isEmpty {
      var positions = node.positions
      let seed = SecretBytes(copying: node.positionSeed)
      try PositionCover(tenant: tenant).puncture(
        Set(gone).sorted()[...], &positions, seed: seed.bytes, &writer, in: &transaction)
      node.setPositions(positions)
    }
  }

  /// Notes in a stream's entry that it has reached a version.
  private static func note(_ version: UInt64, in leaf: inout BitmapNode, _ child: Int) {
    var entry = SecretBytes(copying: leaf.entry(child))
    let known = entry.bytes.bigEndian(
      at: KeyLeafEntry.versionAt, bytes: KeyLeafEntry.versionBytes)
    guard known < version else { return }
    precondition(version >> UInt64(8 * KeyLeafEntry.versionBytes) == 0, "as many as positions")
    var bytes = entry.mutableBytes
    bytes.setBigEndian(version, at: KeyLeafEntry.versionAt, bytes: KeyLeafEntry.versionBytes)
    leaf.set(child, to: entry.bytes)
  }

  /// The names that leave the map: those given, and those of removed slots that were not given.
  ///
  /// A stream whose events are all erased has no name that anybody could still read; its entry must go
  /// all the same. The search for it opens every leaf of the tenant's map.
  private static func tags(
    of part: Removal.Part, _ slots: [UInt64], _ tenant: UInt32, _ node: borrowing TenantNode,
    _ reader: NodeReader, in transaction: borrowing KeyringTransaction
  ) throws(KeyringError) -> Set<MapTag> {
    let map = NameMap(tenant: tenant)
    let root = node.map
    var tags = Set(part.tags.map(MapTag.init))
    var unnamed = Set(slots)
    for tag in tags {
      guard let entry = try map.find(tag, root, reader, in: transaction) else { continue }
      unnamed.remove(entry.slot.rawValue)
    }
    guard !unnamed.isEmpty, root.height > 0 else { return tags }
    try map.forEach(root.reference, reader, in: transaction) { tag, entry in
      if unnamed.contains(entry.slot.rawValue) { tags.insert(tag) }
    }
    return tags
  }

  /// Replaces the covers of the classes by ones without the periods.
  private static func puncture(
    _ periods: [Removal.Periods], _ node: inout TenantNode, _ writer: inout NodeWriter
  ) throws(KeyringError) {
    guard var classes = node.classes else { throw .corrupt }
    for period in periods {
      guard let index = classes.firstIndex(where: { $0.number == period.classNumber }) else {
        throw .unknownClass
      }
      let found = classes[index]
      writer.keysDestroyed += found.cover.liveCount(in: period.range)
      guard let cover = found.cover.puncturing(period.range) else { throw .tenantFull }
      classes[index] = RetentionClass(
        number: found.number, name: found.name, policy: found.policy, cover: cover)
    }
    try node.setClasses(classes)
  }

  /// Takes whole tenants out: their path is re-keyed, their nodes below become unreachable and are
  /// taken out of the table, which also counts their keys.
  private static func removeTenants(
    _ numbers: [TenantNumber], _ top: inout TopNode, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    var root = top.tenants
    let places = numbers.map { UInt64($0.rawValue) }
    try KeyArray.tenants.edit(&root, places[...], &writer, in: &transaction) {
      (leaf, child, number, writer, transaction) throws(KeyringError) in
      guard leaf.contains(child) else { throw .unknownTenant }
      let reference = NodeReference(copying: leaf.entry(child))
      let tenant = UInt32(number)
      let node = try openTenant(reference, tenant, writer.reader, in: transaction)
      let keys = node.keys
      let map = node.map
      try KeyArray.keys(of: tenant).removeAll(
        keys.reference, height: keys.height, &writer, in: &transaction
      ) { _, _, _, writer, _ in writer.keysDestroyed += 1 }
      if map.height > 0 {
        try NameMap(tenant: tenant).removeAll(map.reference, &writer, in: &transaction)
      }
      let positions = node.positions
      if positions.height > 0 {
        try PositionCover(tenant: tenant).removeAll(
          positions.reference, &writer, in: &transaction)
      }
      let documents = node.documents
      try removeRetired(tenant, documents, &writer, in: &transaction)
      try KeyArray.documents(of: tenant).removeAll(
        documents.reference, height: documents.height, &writer, in: &transaction
      ) { (leaf, child, _, writer, transaction) throws(KeyringError) in
        try writer.remove(NodeReference(copying: leaf.entry(child)), in: &transaction)
      }
      try writer.remove(reference, in: &transaction)
      leaf.remove(child)
    }
    top.setTenants(root)
  }
}
