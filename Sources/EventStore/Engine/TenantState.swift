import EventModel
import Keyring
import Sodium
import Storage
import TransparencyLog

/// What the writer keeps of a stream that it wrote to lately.
final class StreamState {
  let slot: Slot
  var term: CachedTerm
  /// The newest version, what is being committed included.
  var version: UInt64

  init(slot: Slot, term: TermKey, version: UInt64) {
    self.slot = slot
    self.term = CachedTerm(term)
    self.version = version
  }
}

/// What the writer keeps of a person of one class.
final class SubjectState {
  let slot: Slot
  var term: CachedTerm

  init(slot: Slot, term: TermKey) {
    self.slot = slot
    self.term = CachedTerm(term)
  }
}

/// How far a tenant's log reaches, durably.
struct LogHead {
  var position: UInt64 = 0
  var storedMilliseconds: Int64 = 0
  var frontier = Frontier()
}

/// A tenant as the engine holds it in memory.
final class TenantState {
  let number: TenantNumber
  let name: TenantName
  let id: TenantID
  let lineage: UInt16
  let createdMilliseconds: Int64
  var isSuspended: Bool
  /// True when every event must have an id of the client's.
  var demandsIDs: Bool
  /// What waiting plans hide of it.
  var hidden = HiddenEvents([])
  /// What is durable; moved by the committer.
  var committed = LogHead()
  /// What its log has more than the tiles of the index, and what a flush is writing of that.
  var leaves = LogTail(start: 0)
  var frozenLeaves: LogTail?
  /// The newest position and stored time, what is being committed included; moved by the writer.
  var pendingPosition: UInt64 = 0
  var pendingStoredMilliseconds: Int64 = 0
  /// True when ``committed`` moved since the index was flushed.
  var isTouched = false
  var impersonalCount: UInt64 = 0
  /// Opened when the tenant is first used: 8,000 idle tenants cost no secrets.
  private(set) var secrets: TenantSecrets?

  init(
    number: TenantNumber, name: TenantName, id: TenantID, lineage: UInt16,
    createdMilliseconds: Int64, isSuspended: Bool, demandsIDs: Bool
  ) {
    self.number = number
    self.name = name
    self.id = id
    self.lineage = lineage
    self.createdMilliseconds = createdMilliseconds
    self.isSuspended = isSuspended
    self.demandsIDs = demandsIDs
  }

  /// The tenant's secrets, opened if need be.
  func open(_ keyring: Keyring) throws(StoreError) -> TenantSecrets {
    if let secrets { return secrets }
    let (keys, map) = try StoreError.translating { () throws(KeyringError) in
      (try keyring.tenantKeys(number), try keyring.typeMap(number))
    }
    let opened = TenantSecrets(keys, map)
    secrets = opened
    return opened
  }

  /// Wipes what was opened and forgets the names, as every shred and failed commit demands.
  func close() {
    #if DEBUG
      if TestHooks.isVariant("leaf-kept") { return }
    #endif
    secrets = nil
  }
}

/// The opened part of a tenant: keys, terms and the names used lately.
final class TenantSecrets {
  let keys: TenantKeys
  let generation: UInt16
  let defaultClass: RetentionClass
  /// Types of other classes than ``defaultClass``.
  let typeClasses: TypeClasses
  var feed: CachedTerm
  /// Types written lately.
  let types = TypeTerms()
  /// What hashes ids into their terms.
  let idKey: SecretBytes
  /// Names used lately, by their tag in the map; bounded, see ``hasTooManyNames``.
  let streams = TagTable<StreamState>()
  let subjects = TagTable<SubjectState>()
  /// Streams that readers asked for; apart from the writer's, which must not be let go of while a
  /// commit is under way.
  private(set) var readStreams: [Tag128: (slot: Slot, term: TermKey)] = [:]
  var writePositions: PositionTree
  /// Of the generation ``readGeneration``.
  var readPositions: PositionTree
  private var readGeneration: UInt16
  /// Keys of earlier generations that were needed; nil for those that are destroyed.
  private var retired: [UInt16: RetiredGeneration?] = [:]
  /// Events whose keys holds have saved; nil until somebody asks.
  var knownHeld: HeldEvents?

  private static let namesMax = 1 << 16

  init(_ keys: TenantKeys, _ map: TypeMap) {
    self.keys = keys
    generation = keys.generation
    defaultClass = keys.classes[0]
    typeClasses = TypeClasses(map, keys.classes)
    feed = CachedTerm(TermKey(TermKey.feed, from: keys.mapKey))
    idKey = IDTerm.key(mapKey: keys.mapKey)
    writePositions = Self.positions(keys)
    readPositions = Self.positions(keys)
    readGeneration = keys.generation
  }

  private static func positions(_ keys: TenantKeys) -> PositionTree {
    keys.hasPositionNodes ? PositionTree() : PositionTree(seed: keys.positionSeed)
  }

  /// The keys of an earlier generation, or nil when they were destroyed.
  func retired(
    _ generation: UInt16, _ keyring: Keyring
  ) throws(StoreError) -> RetiredGeneration? {
    if let known = retired[generation] { return known }
    let found = try StoreError.translating { () throws(KeyringError) in
      try keyring.retiredGeneration(keys.number, generation)
    }
    retired.updateValue(found, forKey: generation)
    return found
  }

  /// Makes ``readPositions`` cover the event's leaf; false when the event was shredded.
  func canRead(_ routing: Routing, _ keyring: Keyring) throws(StoreError) -> Bool {
    if routing.generation == readGeneration, readPositions.covers(routing.position) {
      return true
    }
    guard let seed = try seed(routing, keyring) else { return false }
    readPositions.use(seed)
    readGeneration = routing.generation
    return true
  }

  /// The same for ``writePositions`` and the leaf of a new position, which was never shredded.
  func canWrite(_ routing: Routing, _ keyring: Keyring) throws(StoreError) -> Bool {
    if writePositions.covers(routing.position) { return true }
    guard let seed = try seed(routing, keyring) else { return false }
    writePositions.use(seed)
    return true
  }

  private func seed(_ routing: Routing, _ keyring: Keyring) throws(StoreError) -> PositionSeed? {
    do {
      return try keyring.positionSeed(
        keys.number, routing.position, generation: routing.generation)
    } catch { throw StoreError(error) }
  }

  /// Keeps what a reader found, within bounds.
  func noteRead(_ tag: Tag128, _ stream: (slot: Slot, term: TermKey)) {
    if readStreams.count >= Self.namesMax { readStreams.removeAll(keepingCapacity: true) }
    readStreams[tag] = stream
  }

  /// True when too many names are held; they are let go of when no commit is under way.
  var hasTooManyNames: Bool {
    streams.count > Self.namesMax || subjects.count > Self.namesMax
  }

  func purgeNames() {
    streams.removeAll()
    subjects.removeAll()
  }

  /// The retention class of this name; an empty name means the default.
  func retentionClass(named name: Span<UInt8>) -> RetentionClass? {
    if name.count == 0 { return defaultClass }
    return keys.classes.first { retentionClass in
      retentionClass.name.count == name.count
        && name.indices.allSatisfy { retentionClass.name[$0] == name[$0] }
    }
  }
}
