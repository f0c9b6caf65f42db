package import EventModel
import Sodium
package import Storage

/// Everything that the roots in some holders open in some copies of the keyring.
///
/// ```
/// roots in the holders --> every top in every copy --> every reference --> every version of that
/// node in every copy --> ..
/// ```
/// The attacker who kept all old copies and got today's root, for drills and tests. It refuses
/// nothing and believes nothing: neither epochs nor the newest version of a node, and it has no code
/// in common with ``Keyring`` but the formats. What it does not find, no copy can give back.
package struct KeyringClosure: ~Copyable {
  private let store: StoreID
  private let snapshots: [KeyringTables]
  /// In an exhaustive search, every node of every copy, oldest first.
  private var everyNode: [NodeID: [[UInt8]]] = [:]
  private var visited: Set<Visit> = []
  private let visitKey = Random.bytes(16)

  /// Keys of persons and streams.
  package private(set) var keys = ReachedKeys()
  /// Names and marks in the maps.
  package private(set) var names: Set<ReachedName> = []
  package private(set) var tenants: Set<TenantNumber> = []
  package private(set) var buckets: Set<Bucket> = []
  /// The earliest period of a class whose key can be derived from a cover that was reached.
  package private(set) var earliestPeriods: [ReachedClass: UInt32] = [:]
  /// Every content that was reached; the same document may be here with several.
  package private(set) var documents: [ReachedDocument] = []
  private var positionSeeds: [ReachedGeneration: Set<PositionRange>] = [:]
  /// Epochs of the roots that the holders have.
  package private(set) var epochs: Set<UInt64> = []
  package private(set) var topsOpened = 0
  /// Tops included.
  package private(set) var nodesOpened = 0

  /// - Parameters:
  ///   - store: the store's identity, as its `FORMAT` has it.
  ///   - snapshots: copies of `keyring/`, oldest first.
  ///   - holderPaths: root holders, of any age; slots that hold no root are passed over.
  ///   - isExhaustive: tries every key also on every node of another name. Its time grows with the
  ///     product of both and all nodes are held in memory: for tests.
  /// - Throws: `.storage` and `.rootUnreadable`, never a refusal.
  package init(
    store: StoreID, snapshots: [KeyringTables], holderPaths: [String], isExhaustive: Bool = false
  ) throws(KeyringError) {
    self.store = store
    self.snapshots = snapshots
    if isExhaustive { everyNode = try Self.gather(snapshots) }
    for path in holderPaths {
      for parity: UInt64 in 0...1 {
        let slot = try Self.readSlot(path, parity, store)
        guard let found = RootSlot.decode(slot.bytes) else { continue }
        epochs.insert(found.epoch)
        try openTops(SecretBytes(copying: slot.bytes.extracting(found.root)))
      }
    }
  }

  /// What a reference was followed as.
  private struct Visit: Hashable {
    let id: NodeID
    let keyHash: UInt64
    let place: Place
  }

  /// Where in the tree a node was found.
  private enum Place: Hashable {
    case tenants(height: Int, prefix: UInt64)
    case buckets(height: Int, prefix: UInt64)
    case tenant(UInt32)
    case keys(UInt32, height: Int, prefix: UInt64)
    case map(UInt32)
    case positions(ReachedGeneration, level: Int, prefix: UInt64)
    case documents(UInt32, height: Int, prefix: UInt64)
    case document(UInt32, place: UInt64)

    var kind: NodeKind {
      switch self {
      case .tenants, .documents: .inner
      case .buckets(let height, _), .keys(_, let height, _): height > 1 ? .inner : .keyLeaf
      case .tenant: .tenant
      case .map: .map
      case .positions: .positions
      case .document: .document
      }
    }

    var tenant: UInt32 {
      switch self {
      case .tenants, .buckets: 0
      case .tenant(let number), .keys(let number, _, _), .map(let number),
        .documents(let number, _, _), .document(let number, _):
        number
      case .positions(let generation, _, _): generation.tenant.rawValue
      }
    }
  }
}

/// The positions that one seed covers.
private struct PositionRange: Hashable {
  /// Digits of four bits in `prefix`; 12 for a single position.
  let level: Int
  let prefix: UInt64
}

extension KeyringClosure {
  /// True when the leaf of a position can be derived from a seed of the generation that was reached.
  package func reachesPosition(_ position: UInt64, of generation: ReachedGeneration) -> Bool {
    guard let seeds = positionSeeds[generation] else { return false }
    return (0...PositionTree.levels).contains { level in
      seeds.contains(
        PositionRange(level: level, prefix: position >> UInt64(4 * (PositionTree.levels - level))))
    }
  }

  private mutating func openTops(_ root: borrowing SecretBytes) throws(KeyringError) {
    for value in try copies(of: .top) {
      guard let top = TopNode(value: value.span, root: root.bytes, store: store) else { continue }
      topsOpened += 1
      nodesOpened += 1
      let tenants = top.tenants
      let buckets = top.buckets
      try follow(tenants.reference, .tenants(height: tenants.height, prefix: 0))
      let documents = top.documents
      try follow(buckets.reference, .buckets(height: buckets.height, prefix: 0))
      try follow(documents.reference, .documents(0, height: documents.height, prefix: 0))
    }
  }

  /// Opens every copy of the node, under whatever version it was sealed.
  private mutating func follow(
    _ reference: borrowing NodeReference, _ place: Place
  ) throws(KeyringError) {
    guard !reference.isZero else { return }
    let visit = Visit(
      id: reference.id, keyHash: SipHash.tag64(reference.key, key: visitKey.span), place: place)
    guard visited.insert(visit).inserted else { return }
    var version = reference.version
    for sealed in try copies(of: reference.id) {
      if let plain = open(sealed, reference, place, guess: &version) {
        nodesOpened += 1
        try enter(plain, place)
      }
    }
    for (id, copies) in everyNode where id != reference.id && id != .top {
      for (index, sealed) in copies.enumerated() {
        // With a copy after every commit, the n-th content of a node has version n.
        let label = label(place, id, UInt64(index + 1))
        guard let plain = NodeSealing.open(sealed.span, key: reference.key, label: label) else {
          continue
        }
        nodesOpened += 1
        try enter(plain, place)
      }
    }
  }

  /// Tries the version after the one that opened last, then the others that there can be.
  private func open(
    _ sealed: [UInt8], _ reference: borrowing NodeReference, _ place: Place, guess: inout UInt64
  ) -> SecretBytes? {
    let end = max(reference.version, UInt64(snapshots.count)) + 2
    for step in 0...end {
      let version = (guess + step) % (end + 1)
      let label = label(place, reference.id, version)
      if let plain = NodeSealing.open(sealed.span, key: reference.key, label: label) {
        guess = version
        return plain
      }
    }
    return nil
  }

  private func label(_ place: Place, _ id: NodeID, _ version: UInt64) -> NodeSealing.Label {
    NodeSealing.Label(
      store: store, kind: place.kind, id: id, version: version, tenant: place.tenant)
  }

  /// Takes what a node holds and follows its references.
  private mutating func enter(
    _ plain: consuming SecretBytes, _ place: Place
  ) throws(KeyringError) {
    switch place {
    case .tenants(let height, let prefix):
      try followChildren(plain, .references) {
        let number = prefix << 5 | $0
        return height > 1
          ? .tenants(height: height - 1, prefix: number)
          : .tenant(UInt32(truncatingIfNeeded: number))
      }
    case .buckets(let height, let prefix) where height > 1:
      try followChildren(plain, .references) {
        .buckets(height: height - 1, prefix: prefix << 5 | $0)
      }
    case .keys(let tenant, let height, let prefix) where height > 1:
      try followChildren(plain, .references) {
        .keys(tenant, height: height - 1, prefix: prefix << 5 | $0)
      }
    case .buckets(_, let prefix):
      takeBuckets(plain, prefix)
    case .keys(let tenant, _, let prefix):
      takeKeys(plain, TenantNumber(rawValue: tenant), prefix)
    case .tenant(let number):
      try enterTenant(plain, number)
    case .positions(let generation, let level, let prefix):
      try takePositions(plain, generation, level, prefix)
    case .documents(let tenant, let height, let prefix):
      try followChildren(plain, .references) {
        let place = prefix << 5 | $0
        return height > 1
          ? .documents(tenant, height: height - 1, prefix: place) : .document(tenant, place: place)
      }
    case .document(let tenant, let place):
      try takeDocument(plain, tenant, place)
    case .map(let tenant):
      guard MapLeaf.isLeaf(plain) else {
        return try followChildren(plain, .mapReferences) { _ in place }
      }
      for item in MapLeaf.decode(plain) ?? [] {
        names.insert(
          ReachedName(
            tenant: TenantNumber(rawValue: tenant), tag: item.tag.tag, kind: item.entry.kind))
      }
    }
  }

  private mutating func followChildren(
    _ plain: consuming SecretBytes, _ shape: BitmapNode.Shape, _ place: (UInt64) -> Place
  ) throws(KeyringError) {
    guard let node = BitmapNode(plain, shape) else { return }
    for child in 0..<32 where node.contains(child) {
      try follow(NodeReference(copying: node.entry(child)), place(UInt64(child)))
    }
  }

  private mutating func enterTenant(
    _ plain: consuming SecretBytes, _ number: UInt32
  ) throws(KeyringError) {
    guard let node = TenantNode(plain) else { return }
    let tenant = TenantNumber(rawValue: number)
    tenants.insert(tenant)
    for found in node.classes ?? [] { take(found.cover, found.number, tenant) }
    try enterPositions(
      node.positions, ReachedGeneration(tenant: tenant, number: node.generation))
    let keys = node.keys
    let map = node.map
    try follow(keys.reference, .keys(number, height: keys.height, prefix: 0))
    let documents = node.documents
    try follow(map.reference, .map(number))
    try follow(documents.reference, .documents(number, height: documents.height, prefix: 0))
  }

  private mutating func takeKeys(
    _ plain: consuming SecretBytes, _ tenant: TenantNumber, _ prefix: UInt64
  ) {
    guard let node = BitmapNode(plain, .keys) else { return }
    for child in 0..<32 where node.contains(child) {
      let slot = Slot(rawValue: prefix << 5 | UInt64(child))
      keys.insert(node.entry(child).extracting(0..<32), tenant: tenant, slot: slot)
    }
  }

  private mutating func take(
    _ cover: borrowing PeriodCover, _ classNumber: ClassNumber, _ tenant: TenantNumber
  ) {
    guard let period = cover.firstPeriod else { return }
    let place = ReachedClass(tenant: tenant, classNumber: classNumber)
    earliestPeriods[place] = min(period, earliestPeriods[place] ?? period)
  }

  private mutating func enterPositions(
    _ root: borrowing TrieRoot, _ generation: ReachedGeneration
  ) throws(KeyringError) {
    if root.height == 0 {
      positionSeeds[generation, default: []].insert(PositionRange(level: 0, prefix: 0))
    }
    try follow(root.reference, .positions(generation, level: 0, prefix: 0))
  }

  private mutating func takePositions(
    _ plain: consuming SecretBytes, _ generation: ReachedGeneration, _ level: Int, _ prefix: UInt64
  ) throws(KeyringError) {
    guard let node = PositionNode(plain, level: level) else { return }
    for child in 0..<PositionNode.arity {
      let below = prefix << 4 | UInt64(child)
      if node.hasSeed(child) {
        positionSeeds[generation, default: []].insert(
          PositionRange(level: level + 1, prefix: below))
      } else if node.hasNode(child) {
        try follow(
          node.reference(child), .positions(generation, level: level + 1, prefix: below))
      }
    }
  }

  private mutating func takeDocument(
    _ plain: consuming SecretBytes, _ tenant: UInt32, _ place: UInt64
  ) throws(KeyringError) {
    guard let id = DocumentID(place: place), let document = Document(node: plain) else { return }
    documents.append(ReachedDocument(tenant: tenant, id: id, document: document))
    guard id.kind == .generation, let keys = RetiredKeys(document) else { return }
    let owner = TenantNumber(rawValue: tenant)
    for found in keys.covers { take(found.cover, found.classNumber, owner) }
    try enterPositions(
      keys.positions, ReachedGeneration(tenant: owner, number: UInt16(clamping: id.number)))
  }

  private mutating func takeBuckets(_ plain: consuming SecretBytes, _ prefix: UInt64) {
    guard let node = BitmapNode(plain, .keys) else { return }
    for child in 0..<32 where node.contains(child) {
      buckets.insert(Bucket(number: UInt16(truncatingIfNeeded: prefix << 5 | UInt64(child))))
    }
  }
}

extension KeyringClosure {
  /// The different contents that a node has in the copies, oldest first.
  private func copies(of id: NodeID) throws(KeyringError) -> [[UInt8]] {
    var found: [[UInt8]] = []
    for snapshot in snapshots {
      let sealed = try snapshot.read { (view) throws(KeyringError) -> [UInt8]? in
        do throws(StorageError) {
          return try view.node(id.rawValue.bigEndianBytes.span)?.array
        } catch { throw .storage(error) }
      }
      if let sealed, found.last != sealed { found.append(sealed) }
    }
    return found
  }

  private static func gather(
    _ snapshots: [KeyringTables]
  ) throws(KeyringError) -> [NodeID: [[UInt8]]] {
    var found: [NodeID: [[UInt8]]] = [:]
    for snapshot in snapshots {
      try snapshot.read { (view) throws(KeyringError) in
        do throws(StorageError) {
          try view.forEachNode { id, sealed in
            let name = NodeID(rawValue: id.bigEndian(at: 0, bytes: 8))
            let bytes = sealed.array
            if found[name]?.last != bytes { found[name, default: []].append(bytes) }
            return true
          }
        } catch { throw .storage(error) }
      }
    }
    return found
  }

  private static func readSlot(
    _ path: String, _ parity: UInt64, _ store: StoreID
  ) throws(KeyringError) -> SecretBytes {
    guard !RemoteHolder.isSocket(path) else {
      return try RemoteHolder.open(path: path, store: store, acceptsWeak: true, isReading: true)
        .slot(epoch: parity)
    }
    var slot = SecretBytes(zeroes: RootSlot.bytesCount)
    var bytes = slot.mutableBytes
    do throws(StorageError) {
      let file = try FileDescriptor.open(path: path, isReadOnly: true)
      try file.read(into: &bytes, at: RootSlot.offset(epoch: parity))
    } catch { throw .rootUnreadable }
    return slot
  }
}
