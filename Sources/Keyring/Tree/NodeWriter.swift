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

/// Opens nodes of one store.
struct NodeReader {
  let store: StoreID

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
