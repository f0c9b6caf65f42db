import EventModel
import Foundation
import Sodium
import Storage

@testable import Keyring

/// A key that the test remembers, so that it can ask whether an attacker has it.
final class KnownKey {
  let tenant: TenantNumber
  let slot: Slot
  let tag: Tag128
  let key: SecretBytes

  init(_ tenant: TenantNumber, _ slot: Slot, _ tag: Tag128, _ key: consuming SecretBytes) {
    self.tenant = tenant
    self.slot = slot
    self.tag = tag
    self.key = key
  }
}

/// Whose document it is.
struct DocumentPlace: Hashable, Comparable {
  let tenant: TenantNumber?
  let id: DocumentID

  static func < (left: DocumentPlace, right: DocumentPlace) -> Bool {
    let (of, to) = (left.tenant?.rawValue ?? 0, right.tenant?.rawValue ?? 0)
    return of == to ? left.id < right.id : of < to
  }
}

/// Random operations on one keyring, a copy of its file after every commit, and a model of what must
/// live and what must be dead.
final class ClosureScenario {
  let store: TestStore
  private var keyring: Keyring?
  private var random: SeededGenerator
  private var nextTag: UInt64 = 1

  private(set) var living: [KnownKey] = []
  private(set) var dead: [KnownKey] = []
  private(set) var livingMarks: [(TenantNumber, Tag128)] = []
  private(set) var deadMarks: [(TenantNumber, Tag128)] = []
  private(set) var tenants: [TenantNumber] = []
  private(set) var deadTenants: [TenantNumber] = []
  private(set) var firstPeriods: [TenantNumber: UInt32] = [:]
  private(set) var livingBuckets: Set<Bucket> = []
  private(set) var deadBuckets: Set<Bucket> = []
  private(set) var deadPositions: [ReachedGeneration: Set<UInt64>] = [:]
  /// The newest generation of each tenant, and from which on there are keys.
  private(set) var generations: [TenantNumber: ClosedRange<UInt16>] = [:]
  /// What documents say: a number that no other content has.
  private(set) var livingDocuments: [DocumentPlace: UInt64] = [:]
  private(set) var deadDocuments: Set<UInt64> = []
  private(set) var snapshotCount = 0
  /// Holder and number of snapshots when the copy for the control was made, and how many were dead.
  private(set) var old: (holder: String, snapshots: Int, dead: Int)?

  init(random: SeededGenerator, holders: Int = 1) throws {
    store = try TestStore(holders: holders)
    self.random = random
    keyring = try store.open()
    try snapshot()
    try createTenant()
  }

  func run(operations: Int, shredsTenants: Bool = true) throws {
    for operation in 0..<operations {
      if operation == operations / 3 { try keepOld() }
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<4: try createTenant()
      case 4..<47: try addKeys()
      case 47..<50: try changeDocument()
      case 50..<75: try shred()
      case 75..<79 where shredsTenants: try shredTenant()
      case 79..<85: try removeMarks()
      case 85..<90: try expire()
      case 90..<94: try changeBuckets()
      case 94..<96: try shredPositions()
      case 96: try changeDocument()
      case 97: try beginGeneration()
      case 98: try rewrap()
      default: try reopen()
      }
    }
  }

  /// Copies of the keyring up to `count`, oldest first.
  func snapshots(_ count: Int? = nil) throws -> [KeyringTables] {
    try (0..<(count ?? snapshotCount)).map {
      try KeyringTables.open(
        try DataDirectory.open(path: "\(store.path)/snapshot\($0)", isReadOnly: true))
    }
  }

  /// The map key of a tenant, as today's root gives it.
  func withMapKey(_ tenant: TenantNumber, _ body: (borrowing SecretBytes) -> Void) throws {
    if let keyring { body(try keyring.tenantKeys(tenant).mapKey) }
  }
}

extension ClosureScenario {
  private func current() throws -> Keyring {
    guard let keyring else { throw KeyringError.rootMissing }
    return keyring
  }

  private func snapshot() throws {
    let path = "\(store.path)/snapshot\(snapshotCount)"
    for directory in [path, path + "/keyring"] {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: false,
        attributes: [.posixPermissions: 0o700])
    }
    try copyFile(store.path + "/data/FORMAT", path + "/FORMAT")
    try copyFile(store.path + "/data/keyring/data.mdb", path + "/keyring/data.mdb")
    snapshotCount += 1
  }

  private func keepOld() throws {
    let path = store.path + "/oldroot"
    try copyFile(store.holders.paths[0], path)
    old = (path, snapshotCount, dead.count)
  }

  private func createTenant() throws {
    guard tenants.count < 5 else { return }
    let tenant = try current().createTenant(
      name("t\(nextTag)"), retention: retention("30d"), now: TestStore.now, actor: .daemon)
    nextTag += 1
    tenants.append(tenant)
    firstPeriods[tenant] = 0
    generations[tenant] = 1...1
    try snapshot()
  }

  private func addKeys() throws {
    var wanted: [NewKey] = []
    for _ in 0..<Int.random(in: 1...20, using: &random) {
      guard let tenant = tenants.randomElement(using: &random) else { return }
      wanted.append(
        NewKey(
          tenant: tenant, kind: Bool.random(using: &random) ? .subject : .stream, tag: newTag()))
    }
    let slots = try current().addKeys(wanted)
    for (key, slot) in zip(wanted, slots) {
      living.append(
        KnownKey(key.tenant, slot, key.tag, try current().copyKey(key.tenant, slot)))
    }
    try snapshot()
  }

  private func shred() throws {
    guard !living.isEmpty else { return }
    var removal = Removal()
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      guard let index = living.indices.randomElement(using: &random) else { break }
      let victim = living.remove(at: index)
      dead.append(victim)
      removal.parts[victim.tenant, default: Removal.Part()].slots.append(victim.slot)
      removal.parts[victim.tenant, default: Removal.Part()].tags.append(victim.tag)
      if Bool.random(using: &random) {
        let mark = newTag()
        livingMarks.append((victim.tenant, mark))
        removal.parts[victim.tenant, default: Removal.Part()].marks.append(
          Removal.Mark(tag: mark, untilDay: 30_000))
      }
    }
    try rotate(removal, .subjectShredded)
  }

  private func shredTenant() throws {
    guard tenants.count > 1, let tenant = tenants.randomElement(using: &random) else { return }
    tenants.removeAll { $0 == tenant }
    deadTenants.append(tenant)
    firstPeriods[tenant] = nil
    generations[tenant] = nil
    dead += living.filter { $0.tenant == tenant }
    living.removeAll { $0.tenant == tenant }
    deadMarks += livingMarks.filter { $0.0 == tenant }
    livingMarks.removeAll { $0.0 == tenant }
    for (place, content) in livingDocuments where place.tenant == tenant {
      deadDocuments.insert(content)
      livingDocuments[place] = nil
    }
    var removal = Removal()
    removal.tenants = [tenant]
    try rotate(removal, .tenantShredded)
  }

  private func removeMarks() throws {
    guard let index = livingMarks.indices.randomElement(using: &random) else { return }
    let (tenant, mark) = livingMarks.remove(at: index)
    deadMarks.append((tenant, mark))
    var removal = Removal()
    removal.parts[tenant] = Removal.Part()
    removal.parts[tenant]?.tags = [mark]
    try rotate(removal, .subjectEnrolled)
  }

  func expire() throws {
    guard let tenant = tenants.randomElement(using: &random), let first = firstPeriods[tenant]
    else {
      return
    }
    let end = first + UInt32.random(in: 1...40, using: &random)
    firstPeriods[tenant] = end
    var removal = Removal()
    removal.parts[tenant] = Removal.Part()
    removal.parts[tenant]?.periods = [Removal.Periods(classNumber: .default, range: 0..<end)]
    try rotate(removal, .periodsExpired)
  }

  func shredPositions() throws {
    guard let tenant = tenants.randomElement(using: &random),
      let generation = generations[tenant]?.randomElement(using: &random)
    else { return }
    var removal = Removal()
    removal.parts[tenant] = Removal.Part()
    // Neighbours, repeats, and the same position again, as requests may have it.
    let start = UInt64.random(in: 1...300, using: &random)
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      let position =
        Bool.random(using: &random)
        ? start + UInt64.random(in: 0...3, using: &random)
        : UInt64.random(in: 1...Limits.positionMax, using: &random)
      removal.parts[tenant]?.positions[generation, default: []].append(position)
      deadPositions[ReachedGeneration(tenant: tenant, number: generation), default: []].insert(
        position)
    }
    try rotate(removal, .eventsShredded)
  }

  /// Adds, replaces or removes a document of a tenant or of the store.
  func changeDocument() throws {
    let place = documentPlace()
    let tenant = place.tenant
    nextTag += 1
    let known = livingDocuments[place]
    let goes = known != nil && Bool.random(using: &random)
    let padding = [UInt8](
      repeating: 7, count: Int.random(in: 0...(Document.bytesMax - 8), using: &random))
    let document = Document(copying: (nextTag.bigEndianBytes + padding).span)
    livingDocuments[place] = goes ? nil : nextTag
    if let known {
      deadDocuments.insert(known)
      var removal = Removal()
      removal.documents = [
        DocumentEdit(tenant: tenant, id: place.id, document: goes ? nil : document)
      ]
      try rotate(removal, .rootRotated)
    } else {
      try current().setDocuments(tenant: tenant, [place.id: document])
      try snapshot()
    }
    let found = try current().document(tenant: tenant, place.id)
    guard found?.withBytes({ $0.bigEndian(at: 0, bytes: 8) }) == livingDocuments[place] else {
      throw KeyringError.corrupt
    }
  }

  private func documentPlace() -> DocumentPlace {
    if let known = livingDocuments.keys.sorted().randomElement(using: &random),
      random.next() % 2 == 0
    {
      return known
    }
    // Those of generations are the keyring's own.
    let kinds = DocumentKind.allCases.filter { $0 != .generation }
    let kind = kinds.randomElement(using: &random) ?? .plan
    let number = UInt32.random(in: 0...(random.next() % 2 == 0 ? 3 : 5_000), using: &random)
    return DocumentPlace(
      tenant: random.next() % 2 == 0 ? tenants.randomElement(using: &random) : nil,
      id: DocumentID(kind, number))
  }

  /// Nothing dies of it but the old root, and keys of nodes.
  private func rewrap() throws {
    var removal = Removal()
    if Bool.random(using: &random), let tenant = tenants.randomElement(using: &random) {
      removal.rewraps = [tenant]
    }
    try rotate(removal, removal.rewraps.isEmpty ? .rootRotated : .tenantRewrapped)
  }

  /// New keys for a tenant; all that the old ones open is still opened by them.
  func beginGeneration() throws {
    guard let tenant = tenants.randomElement(using: &random), let known = generations[tenant]
    else { return }
    var removal = Removal()
    // As if something had been stored in whatever period is never destroyed here.
    removal.generations[tenant] = GenerationStart(
      cause: .rotated, milliseconds: TestStore.now, storedThrough: 60_000 * 86_400_000)
    generations[tenant] = known.lowerBound...(known.upperBound + 1)
    try rotate(removal, .generationBegun)
  }

  private func changeBuckets() throws {
    let bucket = Bucket(month: UInt16.random(in: 600..<1_200, using: &random))
    if !livingBuckets.isEmpty, Bool.random(using: &random) {
      guard let victim = livingBuckets.sorted().randomElement(using: &random) else { return }
      livingBuckets.remove(victim)
      deadBuckets.insert(victim)
      var removal = Removal()
      removal.buckets = [victim]
      try rotate(removal, .bucketsExpired)
    } else if !deadBuckets.contains(bucket), !livingBuckets.contains(bucket) {
      livingBuckets.insert(bucket)
      try current().ensureBuckets([bucket])
      try snapshot()
    }
  }

  private func reopen() throws {
    // The holder is locked while a keyring lives.
    keyring = nil
    keyring = try store.open()
  }

  private func rotate(_ removal: Removal, _ act: LedgerEntry.Act) throws {
    _ = try current().rotate(removal, entry: entry(act))
    try snapshot()
  }

  private func newTag() -> Tag128 {
    nextTag += 1
    return tag(nextTag)
  }
}
