import EventModel
import Sodium
import Storage

/// Where the root is kept: one or two files, given together at every start.
package struct RootHolders: Hashable, Sendable {
  /// One path, or two on different disks: either can open the store, both must confirm an erasure.
  package var paths: [String]
  /// True when the operator takes media on which an overwritten root may survive.
  package var acceptsWeakErasure: Bool

  package init(paths: [String], acceptsWeakErasure: Bool = false) {
    precondition((1...2).contains(paths.count), "one holder or two")
    self.paths = paths
    self.acceptsWeakErasure = acceptsWeakErasure
  }
}

/// A holder as administrators see it.
package struct HolderStatus: Hashable, Sendable {
  package let path: String
  package let medium: RootMedium
  /// Both are lost together: a warning.
  package let isOnDataFileSystem: Bool
}

/// All holders of a store, which do everything together.
struct RootHolderSet {
  let holders: [RootHolder]

  static func create(
    _ wanted: RootHolders, store: StoreID, now: Int64
  ) throws(KeyringError) -> RootHolderSet {
    var holders: [RootHolder] = []
    for (index, path) in wanted.paths.enumerated() {
      let header = RootHeader(
        store: store, index: UInt8(index), count: UInt8(wanted.paths.count),
        isWeakAccepted: wanted.acceptsWeakErasure, createdMilliseconds: now)
      holders.append(try RootHolder.create(path: path, header: header))
    }
    return RootHolderSet(holders: holders)
  }

  static func open(
    _ wanted: RootHolders, store: StoreID, isReading: Bool
  ) throws(KeyringError) -> RootHolderSet {
    var holders: [RootHolder] = []
    for path in wanted.paths {
      holders.append(
        try RootHolder.open(
          path: path, store: store, acceptsWeak: wanted.acceptsWeakErasure, isReading: isReading))
    }
    // A holder left out would keep old roots; the same one twice would be one.
    guard holders.allSatisfy({ $0.header.count == holders.count }),
      Set(holders.map(\.header.index)).count == holders.count
    else { throw .rootHolderSetWrong }
    return RootHolderSet(holders: holders)
  }

  private static func areEqual(
    _ left: borrowing SecretBytes, _ right: borrowing SecretBytes
  ) -> Bool { left.isEqual(to: right.bytes) }

  var weaknesses: [WeakErasure] { holders.compactMap(\.medium.weakness) }

  /// The root of `epoch`; nothing that the refusals name is ever repaired by making a root.
  func root(ofStorage epoch: UInt64) throws(KeyringError) -> SecretBytes {
    var epochs: [UInt64] = []
    var found: SecretBytes?
    for holder in holders {
      epochs += try holder.epochs()
      guard let root = try holder.root(epoch: epoch) else { continue }
      if let known = found.take(), !Self.areEqual(known, root) { throw .corrupt }
      found = consume root
    }
    if let root = found.take() { return root }
    guard let newest = epochs.max() else { throw .rootMissing }
    if newest > epoch { throw .storageRolledBack(storage: epoch, root: newest) }
    throw .rootRolledBack(storage: epoch, root: newest)
  }

  /// Makes `epoch` the only root in every holder: finishes or takes back a rotation that was
  /// interrupted, and gives the root to a holder that had lost it.
  func settle(epoch: UInt64, root: Span<UInt8>) throws(KeyringError) {
    for holder in holders {
      if try holder.root(epoch: epoch) == nil { try holder.stage(epoch: epoch, root: root) }
      try holder.erase(epoch: epoch + 1)
    }
  }

  func stage(epoch: UInt64, root: Span<UInt8>) throws(KeyringError) {
    for holder in holders { try holder.stage(epoch: epoch, root: root) }
  }

  func erase(epoch: UInt64) throws(KeyringError) {
    for holder in holders { try holder.erase(epoch: epoch) }
  }
}
