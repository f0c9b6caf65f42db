import EventModel
import Sodium
import Storage

/// Anything that sealed nodes can be read from.
protocol NodeSource: ~Copyable {
  @_lifetime(borrow self)
  borrowing func node(_ id: Span<UInt8>) throws(StorageError) -> Span<UInt8>?
}

extension KeyringView: NodeSource {}
extension KeyringTransaction: NodeSource {}

/// Inner nodes that were opened lately, at most ``max``; wiped when they leave.
///
/// A node is known by its name and version, which never stand for two contents: a commit that
/// failed is not read. Lookups go down the same few nodes near the top again and again; a rotation
/// empties the cache.
final class NodeCache {
  static let max = 1_024

  final class Entry {
    let node: BitmapNode
    fileprivate var stamp: UInt64 = 0

    init(_ node: consuming BitmapNode) { self.node = node }
  }

  private struct Name: Hashable {
    let id: NodeID
    let version: UInt64
  }

  private var entries: [Name: Entry] = [:]
  private var clock: UInt64 = 0

  func find(_ reference: borrowing NodeReference) -> Entry? {
    guard let found = entries[Name(id: reference.id, version: reference.version)] else {
      return nil
    }
    clock += 1
    found.stamp = clock
    return found
  }

  func insert(_ reference: borrowing NodeReference, _ entry: Entry) {
    if entries.count >= Self.max {
      let middle = entries.values.map(\.stamp).sorted()[Self.max / 2]
      entries = entries.filter { $0.value.stamp > middle }
    }
    clock += 1
    entry.stamp = clock
    entries[Name(id: reference.id, version: reference.version)] = entry
  }

  func removeAll() { entries.removeAll() }
}

/// Opens nodes of one store.
struct NodeReader {
  let store: StoreID
  /// For lookups in what is committed; nil for changes.
  let cache: NodeCache?

  init(store: StoreID, cache: NodeCache? = nil) {
    self.store = store
    self.cache = cache
  }

  /// The plaintext of the node that `reference` points to; `.corrupt` when it is not there or does
  /// not open, an older version of it included.
  func open(
    _ reference: borrowing NodeReference, _ kind: NodeKind, tenant: UInt32,
    in source: borrowing some NodeSource & ~Copyable
  ) throws(KeyringError) -> SecretBytes {
    let id = reference.id
    let sealed: Span<UInt8>?
    do { sealed = try source.node(id.rawValue.bigEndianBytes.span) } catch {
      throw .storage(error)
    }
    let label = NodeSealing.Label(
      store: store, kind: kind, id: id, version: reference.version, tenant: tenant)
    guard let sealed,
      let plain = NodeSealing.open(sealed, key: reference.key, label: label)
    else { throw .corrupt }
    return plain
  }

  /// The inner node of a key array at `reference`, from the cache if it is there.
  func inner(
    _ reference: borrowing NodeReference, tenant: UInt32,
    in source: borrowing some NodeSource & ~Copyable
  ) throws(KeyringError) -> NodeCache.Entry {
    if let found = cache?.find(reference) { return found }
    let node = try openBitmap(reference, .inner, .references, tenant: tenant, in: source)
    let entry = NodeCache.Entry(node)
    cache?.insert(reference, entry)
    return entry
  }

  func openBitmap(
    _ reference: borrowing NodeReference, _ kind: NodeKind, _ shape: BitmapNode.Shape,
    tenant: UInt32, in source: borrowing some NodeSource & ~Copyable
  ) throws(KeyringError) -> BitmapNode {
    let plain = try open(reference, kind, tenant: tenant, in: source)
    guard let node = BitmapNode(plain, shape) else { throw .corrupt }
    return node
  }
}

/// Writes changed nodes, under their old keys or under fresh ones.
///
/// The first of the four rules lives here: when something is removed, every node on its path is
/// written under a fresh random key and a fresh name, so that no older copy of it opens with
/// anything that can be reached from the new root.
struct NodeWriter {
  enum Mode {
    /// After an addition: same key, same name, next version.
    case keepingKeys
    /// After a removal: fresh key, fresh name.
    case withFreshKeys
  }

  let reader: NodeReader
  let mode: Mode
  private(set) var nodesWritten = 0
  private(set) var bytesSealed = 0
  var keysDestroyed = 0

  init(store: StoreID, mode: Mode) {
    reader = NodeReader(store: store)
    self.mode = mode
  }

  /// Seals `plain` as the new content of the node at `reference` (a zero one: as a new node) and
  /// moves the reference to it.
  mutating func write(
    _ plain: Span<UInt8>, at reference: inout NodeReference, _ kind: NodeKind, tenant: UInt32,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    if reference.isZero {
      reference = .fresh()
    } else if isFresh(kind, plain) {
      try remove(reference, in: &transaction)
      reference = .fresh()
    } else {
      reference.raiseVersion()
    }
    let label = NodeSealing.Label(
      store: reader.store, kind: kind, id: reference.id, version: reference.version,
      tenant: tenant)
    let sealed = NodeSealing.seal(plain, key: reference.key, label: label)
    do {
      try transaction.putNode(reference.id.rawValue.bigEndianBytes.span, sealed.span)
    } catch { throw .storage(error) }
    nodesWritten += 1
    bytesSealed += sealed.count
  }

  /// Takes the node out of the table: hygiene only, since copies of the file keep it.
  func remove(
    _ reference: borrowing NodeReference, in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    do { try transaction.removeNode(reference.id.rawValue.bigEndianBytes.span) } catch {
      throw .storage(error)
    }
  }

  mutating func countTop(bytes: Int) {
    nodesWritten += 1
    bytesSealed += bytes
  }

  private func isFresh(_ kind: NodeKind, _ plain: Span<UInt8>) -> Bool {
    guard mode == .withFreshKeys else { return false }
    #if DEBUG
      if TestHooks.isVariant("no-rekey") { return false }
      if TestHooks.isVariant("leaf-only") {
        return kind == .keyLeaf || kind == .map && plain[0] == MapLeaf.mark
      }
    #endif
    return true
  }
}
