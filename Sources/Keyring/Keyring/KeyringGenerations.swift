package import EventModel
package import Sodium
import Storage

// Generations of a tenant's keys (Docs/KeyTree.md): what new events are sealed under is in the tenant's
// node, what opens the events of generations before in documents below it.

/// The opened keys of a generation that takes no new events, as they were when they were loaded.
package final class RetiredGeneration: Sendable {
  package let number: UInt16
  package let dataSecret: SecretBytes
  /// Zeroes once events of the generation were shredded.
  package let positionSeed: SecretBytes
  /// True when the position seed was replaced by nodes.
  package let hasPositionNodes: Bool
  private let covers: [RetiredCover]

  init(_ number: UInt16, _ keys: borrowing RetiredKeys) {
    self.number = number
    dataSecret = SecretBytes(copying: keys.dataSecret)
    positionSeed = SecretBytes(copying: keys.positionSeed)
    hasPositionNodes = keys.positions.height > 0
    covers = keys.covers
  }

  /// The key of a period, or nil when it was destroyed.
  package func key(_ classNumber: ClassNumber, _ period: Period) -> SecretBytes? {
    guard let found = covers.first(where: { $0.classNumber == classNumber }),
      found.unit == period.unit
    else { return nil }
    return found.cover.key(for: period.index)
  }
}

extension Keyring {
  /// The keys of an earlier generation of the tenant, or nil when they were destroyed.
  package func retiredGeneration(
    _ tenant: TenantNumber, _ number: UInt16
  ) throws(KeyringError) -> RetiredGeneration? {
    guard number > 0,
      let document = try document(tenant: tenant, DocumentID(.generation, UInt32(number)))
    else { return nil }
    guard let keys = RetiredKeys(document) else { throw .corrupt }
    return RetiredGeneration(number, keys)
  }

  /// The tenant's generations, ascending; the last takes new events.
  package func generations(_ tenant: TenantNumber) throws(KeyringError) -> [Generation] {
    let created = try load(tenant).node.createdMilliseconds
    guard let document = try document(tenant: tenant, GenerationHistory.document) else {
      return GenerationHistory(created: created).rows
    }
    guard let history = GenerationHistory(document) else { throw .corrupt }
    return history.rows
  }

  /// The seed that covers a position of a generation of the tenant, or nil when the event there was
  /// shredded.
  package func positionSeed(
    _ tenant: TenantNumber, _ position: UInt64, generation: UInt16
  ) throws(KeyringError) -> PositionSeed? {
    let found = try load(tenant)
    if generation == found.node.generation {
      return try positionSeed(
        tenant, position, found.node.positions, whole: found.keys.positionSeed)
    }
    let id = DocumentID(.generation, UInt32(generation))
    guard generation > 0, let document = try document(tenant: tenant, id) else { return nil }
    guard let keys = RetiredKeys(document) else { throw .corrupt }
    return try positionSeed(
      tenant, position, keys.positions, whole: SecretBytes(copying: keys.positionSeed))
  }

  private func positionSeed(
    _ tenant: TenantNumber, _ position: UInt64, _ root: borrowing TrieRoot,
    whole: borrowing SecretBytes
  ) throws(KeyringError) -> PositionSeed? {
    guard root.height > 0 else {
      return PositionSeed(level: 0, prefix: 0, seed: whole.copy())
    }
    let root = root.copy()
    var seed: PositionSeed?
    try tables.read { (view) throws(KeyringError) in
      seed = try PositionCover(tenant: tenant.rawValue).seed(of: position, root, reader, in: view)
    }
    return seed
  }
}

extension Keyring {
  /// Gives a tenant fresh secrets and keeps those that it had in a document.
  static func beginGeneration(
    _ start: GenerationStart, _ tenant: UInt32, _ node: inout TenantNode,
    _ writer: inout NodeWriter, in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    let array = KeyArray.documents(of: tenant)
    var root = node.documents
    let known = try document(
      GenerationHistory.document, array, root, writer.reader, in: transaction)
    var history = GenerationHistory(created: node.createdMilliseconds)
    if let known {
      guard let found = GenerationHistory(known) else { throw .corrupt }
      history = found
    }
    try history.begin(start)
    let number = node.generation
    let retired = try RetiredKeys(of: node, storedThrough: start.storedThrough)
    try node.beginGeneration()
    try edit(
      [
        GenerationHistory.document: history.contents,
        DocumentID(.generation, UInt32(number)): retired.document,
      ], tenant, &root, &writer, in: &transaction)
    node.setDocuments(root)
  }

  /// Takes out of the generations before what a removal takes out of the newest; those of which nothing is
  /// left end.
  static func puncture(
    retired part: Removal.Part, _ tenant: UInt32, now: Int64, _ node: inout TenantNode,
    _ writer: inout NodeWriter, in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    guard !part.periods.isEmpty || !part.positions.isEmpty else { return }
    #if DEBUG
      if TestHooks.isVariant("retired-kept") { return }
    #endif
    var root = node.documents
    var edits: [DocumentID: Document?] = [:]
    var ended: [UInt16] = []
    for id in try retired(tenant, root, writer.reader, in: transaction) {
      let number = UInt16(id.number)
      let positions = part.positions[number] ?? []
      if part.periods.isEmpty && positions.isEmpty { continue }
      var keys = try retiredKeys(id, tenant, root, writer.reader, in: transaction)
      try puncture(part.periods, &keys, &writer)
      if !positions.isEmpty {
        var cover = keys.positions
        let seed = SecretBytes(copying: keys.positionSeed)
        try PositionCover(tenant: tenant).puncture(
          Set(positions).sorted()[...], &cover, seed: seed.bytes, &writer, in: &transaction)
        keys.setPositions(cover)
      }
      guard keys.isOver else {
        edits.updateValue(keys.document, forKey: id)
        continue
      }
      try removePositions(keys, tenant, &writer, in: &transaction)
      edits.updateValue(nil, forKey: id)
      ended.append(number)
    }
    if !ended.isEmpty,
      let known = try document(
        GenerationHistory.document, .documents(of: tenant), root, writer.reader, in: transaction)
    {
      guard var history = GenerationHistory(known) else { throw .corrupt }
      for number in ended { history.destroy(number, at: now) }
      edits.updateValue(history.contents, forKey: GenerationHistory.document)
    }
    try edit(edits, tenant, &root, &writer, in: &transaction)
    node.setDocuments(root)
  }

  private static func puncture(
    _ periods: [Removal.Periods], _ keys: inout RetiredKeys, _ writer: inout NodeWriter
  ) throws(KeyringError) {
    var covers = keys.covers
    for period in periods {
      // A class may be younger than the generation.
      guard let index = covers.firstIndex(where: { $0.classNumber == period.classNumber }) else {
        continue
      }
      writer.keysDestroyed += covers[index].cover.liveCount(in: period.range)
      guard let cover = covers[index].cover.puncturing(period.range) else { throw .tenantFull }
      covers[index] = RetiredCover(period.classNumber, covers[index].unit, cover)
    }
    try keys.setCovers(covers)
  }

  /// Gives the nodes below the documents of earlier generations fresh keys; the documents get theirs
  /// with all others.
  static func rewrapRetired(
    _ tenant: UInt32, _ root: inout TrieRoot, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    var edits: [DocumentID: Document?] = [:]
    for id in try retired(tenant, root, writer.reader, in: transaction) {
      var keys = try retiredKeys(id, tenant, root, writer.reader, in: transaction)
      guard keys.positions.height > 0 else { continue }
      var positions = keys.positions
      try PositionCover(tenant: tenant).rewrap(&positions, &writer, in: &transaction)
      keys.setPositions(positions)
      edits.updateValue(keys.document, forKey: id)
    }
    try edit(edits, tenant, &root, &writer, in: &transaction)
  }

  /// Takes the nodes below the documents of earlier generations out of the table.
  static func removeRetired(
    _ tenant: UInt32, _ root: borrowing TrieRoot, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    for id in try retired(tenant, root, writer.reader, in: transaction) {
      let keys = try retiredKeys(id, tenant, root, writer.reader, in: transaction)
      try removePositions(keys, tenant, &writer, in: &transaction)
    }
  }

  private static func removePositions(
    _ keys: borrowing RetiredKeys, _ tenant: UInt32, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    let positions = keys.positions
    guard positions.height > 0 else { return }
    try PositionCover(tenant: tenant).removeAll(positions.reference, &writer, in: &transaction)
  }

  /// The documents of the generations that take no new events, ascending.
  private static func retired(
    _ tenant: UInt32, _ root: borrowing TrieRoot, _ reader: NodeReader,
    in source: borrowing some NodeSource & ~Copyable
  ) throws(KeyringError) -> [DocumentID] {
    var found: [DocumentID] = []
    try KeyArray.documents(of: tenant).forEach(root, reader, in: source) { place, _ in
      guard let id = DocumentID(place: place), id.kind == .generation, id.number > 0 else { return }
      found.append(id)
    }
    return found
  }

  private static func retiredKeys(
    _ id: DocumentID, _ tenant: UInt32, _ root: borrowing TrieRoot, _ reader: NodeReader,
    in source: borrowing some NodeSource & ~Copyable
  ) throws(KeyringError) -> RetiredKeys {
    let found = try document(id, .documents(of: tenant), root, reader, in: source)
    guard let found, let keys = RetiredKeys(found) else { throw .corrupt }
    return keys
  }
}
