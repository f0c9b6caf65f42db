import EventModel
import Sodium
import Storage

/// Where the root is kept: files, given together at every start.
package struct RootHolders: Hashable, Sendable {
  /// One path or several: any one can open the store, all must confirm an erasure.
  package var paths: [String]
  /// True when the operator takes media on which an overwritten root may survive.
  package var acceptsWeakErasure: Bool
  /// True for tools that work with the holders that are left; a daemon must be given all of them.
  package var mayBePartial = false

  /// What sealed holders are opened with.
  package let factors: RootFactors

  package static func == (left: RootHolders, right: RootHolders) -> Bool {
    left.paths == right.paths && left.factors === right.factors
      && left.acceptsWeakErasure == right.acceptsWeakErasure
      && left.mayBePartial == right.mayBePartial
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(paths) }

  /// The same for tools that work with the holders that are left.
  package var partial: RootHolders {
    var holders = self
    holders.mayBePartial = true
    return holders
  }

  package init(
    paths: [String], acceptsWeakErasure: Bool = false, factors: RootFactors = RootFactors()
  ) {
    precondition((1...Limits.rootHoldersMax).contains(paths.count), "one holder or a few")
    self.paths = paths
    self.acceptsWeakErasure = acceptsWeakErasure
    self.factors = factors
  }
}

/// A holder as administrators see it.
package struct HolderStatus: Hashable, Sendable {
  package let path: String
  /// Its number in the store, or nil when it was not there since the start.
  package let number: UInt8?
  /// False while it is missing.
  package let isPresent: Bool
  /// The epoch whose root it was last known to have alone, or nil when nobody knows.
  package let confirmedEpoch: UInt64?
  /// Of a holder that was not there since the start, nothing is known: ``WeakErasure/absent``.
  package let medium: RootMedium
  /// Both are lost together: a warning.
  package let isOnDataFileSystem: Bool
  /// What its root is sealed under, as far as is known.
  package let factor: RootFactor?
  /// Why it is missing: a factor that was not given or does not match; nil: it is not there.
  package let failure: KeyringError?

  /// True when it is a process, on this host or another, rather than a file.
  package var isRemote: Bool { path.hasPrefix(RemoteHolder.prefix) }
}

/// All holders of a store, of which some may be missing.
///
/// A holder that fails is let go and looked for again; when it is back it gets today's root, and what
/// else it has is overwritten. Whoever is missing has not confirmed: see ``RootTable``.
final class RootHolderSet {
  /// A place that was named, and the holder there while it works.
  final class Place {
    let path: String
    fileprivate(set) var holder: (any RootHolder)?
    fileprivate(set) var number: UInt8?
    fileprivate(set) var medium: RootMedium?
    /// What its slots are sealed under, and the next ones will be.
    var factor = SlotFactor.none
    /// Why it is not there.
    fileprivate(set) var failure: KeyringError?

    fileprivate init(_ path: String) { self.path = path }

    fileprivate func take(_ found: any RootHolder) throws(KeyringError) {
      factor = try found.contents().max { $0.epoch < $1.epoch }?.factor ?? .none
      (holder, number, medium, failure) = (found, found.header.index, found.medium, nil)
    }

    fileprivate func lose(_ error: KeyringError) { (holder, failure) = (nil, error) }
  }

  private(set) var places: [Place]
  /// As memory knows it; every commit writes it.
  var table: RootTable
  let store: StoreID
  private let wanted: RootHolders
  private let isReading: Bool
  /// True in a daemon: see ``remoteWork``.
  var isServing = false

  private init(_ wanted: RootHolders, store: StoreID, isReading: Bool, table: RootTable) {
    self.wanted = wanted
    self.store = store
    self.isReading = isReading
    self.table = table
    places = wanted.paths.map(Place.init)
  }

  /// Makes the holders of a new store, with the root of its first epoch.
  static func create(
    _ wanted: RootHolders, store: StoreID, now: Int64
  ) throws(KeyringError) -> RootHolderSet {
    let set = RootHolderSet(
      wanted, store: store, isReading: false,
      table: RootTable(count: wanted.paths.count, epoch: 1))
    for (index, place) in set.places.enumerated() {
      try place.take(
        try createHolder(
          place.path,
          RootHeader(
            store: store, index: UInt8(index), count: UInt8(wanted.paths.count),
            isWeakAccepted: wanted.acceptsWeakErasure, createdMilliseconds: now)))
    }
    return set
  }

  /// Opens those that are there; at least one must be, and none may be of another store, busy, or on
  /// a medium that nobody accepted.
  static func open(
    _ wanted: RootHolders, store: StoreID, isReading: Bool
  ) throws(KeyringError) -> RootHolderSet {
    let set = RootHolderSet(
      wanted, store: store, isReading: isReading, table: RootTable(count: 0, epoch: 0))
    for place in set.places {
      do { try place.take(try set.openHolder(place.path)) } catch {
        guard error == .rootMissing || error == .rootUnreadable else { throw error }
        place.lose(error)
      }
    }
    let numbers = set.places.compactMap(\.number)
    // The same one twice, or a copy of it, would be one.
    guard Set(numbers).count == numbers.count else { throw .rootHolderSetWrong }
    guard numbers.isEmpty, let failure = set.places.first?.failure else { return set }
    throw failure
  }

  private func openHolder(_ path: String) throws(KeyringError) -> any RootHolder {
    guard path.hasPrefix(RemoteHolder.prefix) else {
      return try RootFile.open(
        path: path, store: store, acceptsWeak: wanted.acceptsWeakErasure, isReading: isReading)
    }
    return try RemoteHolder.open(
      path: path, store: store, acceptsWeak: wanted.acceptsWeakErasure, isReading: isReading)
  }

  private static func createHolder(
    _ path: String, _ header: RootHeader
  ) throws(KeyringError) -> any RootHolder {
    guard path.hasPrefix(RemoteHolder.prefix) else {
      return try RootFile.create(path: path, header: header)
    }
    return try RemoteHolder.create(path: path, header: header)
  }

  var hasRemotes: Bool { places.contains { $0.path.hasPrefix(RemoteHolder.prefix) } }

  var factors: RootFactors { wanted.factors }

  var present: [any RootHolder] { places.compactMap(\.holder) }

  var weaknesses: [WeakErasure] { present.compactMap(\.medium.weakness) }
}

// Opening

extension RootHolderSet {
  private static func areEqual(
    _ left: borrowing SecretBytes, _ right: borrowing SecretBytes
  ) -> Bool { left.isEqual(to: right.bytes) }

  /// The root of `epoch`; nothing that the refusals name is ever repaired by making a root.
  ///
  /// A holder that is behind was missing for a while and gets the root later. One that is ahead proves
  /// that the storage is an old copy, even when another holder is as old.
  func root(ofStorage epoch: UInt64) throws(KeyringError) -> SecretBytes {
    var epochs: [UInt64] = []
    var found: SecretBytes?
    var newest: UInt64 = 0
    for place in places {
      guard let holder = place.holder else { continue }
      do throws(KeyringError) {
        let own = try holder.epochs()
        epochs += own
        if !own.contains(epoch) { newest = max(newest, own.max() ?? 0) }
        guard let root = try holder.root(epoch: epoch, factors) else { continue }
        if let known = found.take(), !Self.areEqual(known, root) { throw .corrupt }
        found = consume root
      } catch {
        switch error {
        case .rootUnreadable, .factorWrong, .factorNeeded: place.lose(error)
        default: throw error
        }
      }
    }
    if newest > epoch { throw .storageRolledBack(storage: epoch, root: newest) }
    if let root = found.take() { return root }
    if epochs.contains(epoch), let failure = places.compactMap(\.failure).first { throw failure }
    if let newest = epochs.max() { throw .rootRolledBack(storage: epoch, root: newest) }
    throw places.compactMap(\.failure).first ?? .rootMissing
  }

  /// Takes the table that the top has, and refuses holders that are not in it.
  func adopt(_ table: RootTable) throws(KeyringError) {
    self.table = table
    // One left out would keep old roots and nobody would know why erasures stay unconfirmed.
    guard places.allSatisfy({ $0.number.map(table.contains) ?? true }),
      places.count <= table.entries.count,
      wanted.mayBePartial || places.count == table.entries.count
    else { throw .rootHolderSetWrong }
  }
}

// Rotating

extension RootHolderSet {
  /// Writes the root of a coming epoch on every holder that is there; one is enough to go on.
  func stage(epoch: UInt64, root: Span<UInt8>) throws(KeyringError) {
    var isStaged = false
    for place in places {
      guard let holder = place.holder else { continue }
      do {
        try holder.stage(epoch: epoch, root: root, place.factor, factors)
        isStaged = true
      } catch { place.lose(error) }
    }
    guard isStaged else { throw .holdersUnavailable }
  }

  /// Overwrites the slot of an epoch wherever that is possible now.
  func erase(epoch: UInt64) {
    for place in places {
      do { try place.holder?.erase(epoch: epoch) } catch { place.lose(error) }
    }
  }

  /// Makes `epoch` the only root of every holder that has not confirmed it; true when all have.
  ///
  /// Looks for missing ones first. `isRoot` must open the committed top with what was read back. So a
  /// rotation ends, or one that was interrupted is finished or taken back, and a holder that was missing
  /// or had lost its root gets it.
  func settle(
    epoch: UInt64, root: borrowing SecretBytes, tables: KeyringTables,
    isRoot: (borrowing SecretBytes) throws(KeyringError) -> Bool
  ) throws(KeyringError) -> Bool {
    findMissing(epoch: epoch)
    for place in places {
      guard let holder = place.holder, let number = place.number,
        table.confirmedEpoch(number) != epoch
      else { continue }
      do throws(KeyringError) {
        // Its old root opens its replica of before: that goes last.
        try holder.takeReplica(of: tables)
        if try holder.root(epoch: epoch, factors) == nil {
          try holder.stage(epoch: epoch, root: root.bytes, place.factor, factors)
        }
        guard let again = try holder.root(epoch: epoch, factors), try isRoot(again) else {
          throw .corrupt
        }
        try holder.erase(epoch: epoch + 1)
        if Int(holder.header.count) != table.entries.count { try writeCount(holder) }
        table.confirm(number, epoch)
      } catch { place.lose(error) }
    }
    #if DEBUG
      if TestHooks.isVariant("missing-confirmed") {
        for entry in table.entries { table.confirm(entry.number, epoch) }
      }
    #endif
    return table.areAllConfirmed(epoch)
  }

  /// At start nothing is taken as confirmed but what is seen to be so.
  func forgetConfirmations() {
    for number in places.compactMap(\.number) { table.confirm(number, 0) }
  }

  var isOneMissing: Bool { places.contains { $0.holder == nil } }

  /// Lets those go that are not where they were.
  func probe() {
    for place in places {
      do { try place.holder?.probe() } catch { place.lose(error) }
    }
  }

  private func findMissing(epoch: UInt64) {
    for place in places where place.holder == nil {
      // A running store does not wait for a network; who may wait offers what was found.
      guard !isServing || !place.path.hasPrefix(RemoteHolder.prefix) else { continue }
      do { try readmit(try openHolder(place.path), place, epoch) } catch { place.lose(error) }
    }
  }

  private func readmit(
    _ found: any RootHolder, _ place: Place, _ epoch: UInt64
  ) throws(KeyringError) {
    guard table.contains(found.header.index),
      !places.contains(where: { $0.holder?.header.index == found.header.index })
    else { throw .rootHolderSetWrong }
    // One that is ahead is of a store that went on elsewhere: it is left as it is.
    let epochs = try found.epochs()
    if let newest = epochs.max(), newest > epoch, !epochs.contains(epoch) {
      throw .storageRolledBack(storage: epoch, root: newest)
    }
    try place.take(found)
    // Whatever it confirmed before, it was out of sight.
    table.confirm(found.header.index, 0)
  }

  /// The holders behind sockets that are there, and a way to look for the missing ones.
  var remoteWork: RemoteWork {
    RemoteWork(
      present: places.compactMap { $0.holder as? RemoteHolder },
      missing: places.filter { $0.holder == nil }.map(\.path).filter {
        $0.hasPrefix(RemoteHolder.prefix)
      },
      store: store, acceptsWeak: wanted.acceptsWeakErasure)
  }

  /// Takes a holder that was found for a place where none is.
  func offer(_ found: RemoteHolder, epoch: UInt64) {
    guard let place = place(found.path), place.holder == nil else { return }
    do { try readmit(found, place, epoch) } catch { place.lose(error) }
  }

  private func writeCount(_ holder: any RootHolder) throws(KeyringError) {
    var header = holder.header
    header.count = UInt8(table.entries.count)
    try holder.write(header: header)
  }
}

// Changing

extension RootHolderSet {
  /// Makes a holder for the next number, without a root, or takes one that an earlier try left.
  func make(_ path: String, now: Int64) throws(KeyringError) -> any RootHolder {
    let header = RootHeader(
      store: store, index: table.nextNumber, count: UInt8(table.entries.count + 1),
      isWeakAccepted: wanted.acceptsWeakErasure, createdMilliseconds: now)
    do { return try Self.createHolder(path, header) } catch {
      guard error == .rootExists else { throw error }
    }
    let left = try openHolder(path)
    guard left.header.index == table.nextNumber, try left.epochs().isEmpty else {
      throw .rootExists
    }
    return left
  }

  func add(_ holder: any RootHolder, path: String) throws(KeyringError) {
    let place = Place(path)
    try place.take(holder)
    places.append(place)
  }

  /// The number of the holder at `path`, which need not be there.
  func place(_ path: String) -> Place? { places.first { $0.path == path } }

  func remove(_ number: UInt8) {
    places.removeAll { $0.number == number }
    table.remove(number)
  }
}
