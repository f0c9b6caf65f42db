package import EventModel
package import Sodium
package import Storage

/// The keys of one store: made, found and destroyed.
///
/// ```
/// root holders --> R_e --> top node --> tenants' trie --> tenant node --> key array: slot -> key
///                                                                    `--> map: tag -> slot
/// ```
/// Adding keys keeps the nodes' keys and the root. Removing gives every node on the path a fresh key
/// and the store a fresh root, in the order: stage the new root on every holder, commit, erase the
/// old root on every holder, return. Whoever keeps all old copies of the tables and gets today's
/// root finds no key that was removed before (Docs/KeyTree.md).
///
/// Not thread-safe; the owner locks.
package final class Keyring {
  package let id: StoreID
  package let tables: KeyringTables
  let holders: RootHolderSet
  let reader: NodeReader
  private let dataDevice: UInt64
  private let isReading: Bool

  /// What the last commit left; replaced as a whole when the next one succeeded.
  var top: TopNode
  var root: SecretBytes
  let ledgerKey: SecretBytes
  var loaded = LoadedTenants()
  /// Every tenant, ascending by number.
  package internal(set) var tenants: [TenantSummary] = []

  private init(
    data: DataDirectory, tables: KeyringTables, holders: RootHolderSet, isReading: Bool,
    top: consuming TopNode, root: consuming SecretBytes
  ) throws(KeyringError) {
    id = data.id
    self.tables = tables
    self.holders = holders
    reader = NodeReader(store: data.id, cache: NodeCache())
    dataDevice = try RootMedium.device(ofDirectory: data.path)
    self.isReading = isReading
    ledgerKey = top.derive(LedgerEntry.keyContext, count: 32)
    self.top = top
    self.root = root
  }

  /// Makes the keyring of a new store and its root holders; epoch 1.
  ///
  /// Order: holders with the root, durable -> commit. A crash before the commit leaves holders of no
  /// store, which ``open(data:tables:holders:)`` calls `.storageMissing`. A root is never made over
  /// a keyring that exists (`.storageExists`), a holder never over a file (`.rootExists`).
  package static func create(
    data: DataDirectory, tables: KeyringTables, holders: RootHolders, now: Int64
  ) throws(KeyringError) {
    let count = try tables.read { (view) throws(KeyringError) in
      do throws(StorageError) { return try view.nodeCount() } catch { throw .storage(error) }
    }
    guard count == 0 else { throw .storageExists }
    let made = try RootHolderSet.create(holders, store: data.id, now: now)
    let root = SecretBytes.random(count: RootSlot.rootBytes)
    var top = TopNode(store: data.id)
    try made.stage(epoch: top.epoch, root: root.bytes)
    guard made.present.count == holders.paths.count else { throw .rootUnreadable }
    top.roots = made.table
    let ledgerKey = top.derive(LedgerEntry.keyContext, count: 32)
    let entry = LedgerEntry(
      timeMilliseconds: now, act: .storeCreated, actor: .daemon,
      result: made.weaknesses.isEmpty ? 0 : 1)
    try tables.write { (transaction) throws(KeyringError) in
      try append(entry, to: &top, key: ledgerKey, store: data.id, in: &transaction)
      top.version = 1
      _ = try write(top, root: root, store: data.id, in: &transaction)
    }
    // Without this the replicas would be empty until the daemon starts.
    guard made.hasRemotes else { return }
    do { try tables.beginJournal() } catch { throw .storage(error) }
    for holder in made.present { try holder.takeReplica(of: tables) }
  }

  /// Opens the keyring with today's root.
  ///
  /// Finishes or takes back a rotation that was interrupted, by the epoch that the tables have:
  /// the root of that epoch stays, the other slot of every holder is overwritten. One holder that is
  /// there is enough; while another is missing, erasures are unconfirmed. Never makes a root.
  package static func open(
    data: DataDirectory, tables: KeyringTables, holders: RootHolders
  ) throws(KeyringError) -> Keyring {
    let keyring = try open(data, tables, holders, isReading: false)
    if keyring.holders.hasRemotes { try keyring.beginJournal() }
    keyring.holders.forgetConfirmations()
    _ = try keyring.settle()
    try keyring.recordAcceptedWeakness(holders)
    return keyring
  }

  /// The same for tools beside a running daemon: locks and changes nothing; writing traps.
  package static func openReading(
    data: DataDirectory, tables: KeyringTables, holders: RootHolders
  ) throws(KeyringError) -> Keyring {
    try open(data, tables, holders, isReading: true)
  }

  private static func open(
    _ data: DataDirectory, _ tables: KeyringTables, _ wanted: RootHolders, isReading: Bool
  ) throws(KeyringError) -> Keyring {
    let value = try tables.read { (view) throws(KeyringError) -> [UInt8] in
      try topValue(view)
    }
    guard let epoch = TopNode.epoch(of: value.span) else { throw .corrupt }
    let holders = try RootHolderSet.open(wanted, store: data.id, isReading: isReading)
    let root = try holders.root(ofStorage: epoch)
    let top = try openTop(value, root: root, store: data.id)
    try holders.adopt(top.roots)
    let keyring = try Keyring(
      data: data, tables: tables, holders: holders, isReading: isReading, top: top, root: root)
    try keyring.loadTenants()
    return keyring
  }

  /// Raised by every commit; each log commit carries the version that it needs.
  package var version: UInt64 { top.version }
  /// The root's generation; raised by every rotation.
  package var epoch: UInt64 { top.epoch }

  /// A secret of `count` bytes (16 to 64) of the whole store, from the instance secret.
  package func derive(_ context: KeyDerivation.Context, count: Int) -> SecretBytes {
    top.derive(context, count: count)
  }

  /// The holders, with what is known of their media.
  package var holderReport: [HolderStatus] {
    holders.places.map { place in
      let medium = place.medium ?? .absent
      return HolderStatus(
        path: place.path, number: place.number, isPresent: place.holder != nil,
        confirmedEpoch: place.number.flatMap(holders.table.confirmedEpoch), medium: medium,
        isOnDataFileSystem: medium.device == dataDevice, factor: place.factor.kind,
        failure: place.failure)
    }
  }
}

extension Keyring {
  /// Runs `body` on the nodes and commits what it changed together with a new top.
  ///
  /// Only when the commit succeeded is the state in memory replaced. `entry` goes into the ledger in
  /// the same transaction, and `certificate` under the same index.
  func commit(
    _ writer: inout NodeWriter, epoch: UInt64, root: borrowing SecretBytes, entry: LedgerEntry?,
    certificate: ((Destruction) -> [UInt8])? = nil, expecting bytes: Int = 0,
    _ body: (inout TopNode, inout NodeWriter, inout KeyringTransaction) throws(KeyringError) -> Void
  ) throws(KeyringError) {
    precondition(!isReading, "this keyring was opened for reading")
    var next = top.copy()
    var counting = writer
    next.epoch = epoch
    try tables.write(expecting: bytes) { (transaction) throws(KeyringError) in
      try body(&next, &counting, &transaction)
      if let certificate {
        let destruction = Destruction(
          index: next.nextLedgerIndex, epoch: epoch, keysDestroyed: counting.keysDestroyed)
        try Self.put(
          certificate(destruction), at: destruction.index, &next, store: id, in: &transaction)
      }
      if let entry {
        try Self.append(entry, to: &next, key: ledgerKey, store: id, in: &transaction)
      }
      next.version += 1
      next.roots = holders.table
      counting.countTop(
        bytes: try Self.write(next, root: root, store: id, in: &transaction))
    }
    writer = counting
    top = next
  }

  /// Commits an addition: same keys, same root.
  func add(
    entry: LedgerEntry? = nil,
    _ body: (inout TopNode, inout NodeWriter, inout KeyringTransaction) throws(KeyringError) -> Void
  ) throws(KeyringError) {
    var writer = NodeWriter(store: id, mode: .keepingKeys)
    try commit(&writer, epoch: epoch, root: root, entry: entry, body)
  }

  static func openTop(
    _ value: [UInt8], root: borrowing SecretBytes, store: StoreID
  ) throws(KeyringError) -> TopNode {
    guard let top = TopNode(value: value.span, root: root.bytes, store: store) else {
      throw .corrupt
    }
    return top
  }

  static func topValue(_ view: borrowing KeyringView) throws(KeyringError) -> [UInt8] {
    do throws(StorageError) {
      if let value = try view.node(NodeID.top.rawValue.bigEndianBytes.span) { return value.array }
      guard try view.nodeCount() == 0 else { throw .corrupt }
    } catch { throw .storage(error) }
    throw .storageMissing
  }

  /// Returns how many bytes were sealed.
  static func write(
    _ top: borrowing TopNode, root: borrowing SecretBytes, store: StoreID,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) -> Int {
    let value = top.sealed(root: root.bytes, store: store)
    do {
      try transaction.putNode(NodeID.top.rawValue.bigEndianBytes.span, value.span)
    } catch { throw .storage(error) }
    return value.count
  }

  static func append(
    _ entry: LedgerEntry, to top: inout TopNode, key: borrowing SecretBytes, store: StoreID,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    var entry = entry
    entry.epoch = top.epoch
    let index = top.nextLedgerIndex
    let sealed = entry.seal(key: key.bytes, store: store, index: index)
    do { try transaction.appendLedger(index, sealed.span) } catch { throw .storage(error) }
    top.nextLedgerIndex = index + 1
  }

  private func recordAcceptedWeakness(_ wanted: RootHolders) throws(KeyringError) {
    var isNew = false
    for holder in holders.present where holder.medium.weakness != nil {
      guard !holder.header.isWeakAccepted else { continue }
      try holder.acceptWeakness()
      isNew = true
    }
    guard isNew else { return }
    try appendLedger(
      LedgerEntry(timeMilliseconds: RootMedium.now, act: .weakErasureAccepted, actor: .daemon))
  }
}
