#if DEBUG
  import EventModel
  import Foundation
  import Sodium
  import Storage
  import Synchronization
  import Testing

  @testable import Keyring

  /// Where a crash test's store lies; the process that crashes gets it as text.
  private struct CrashPlace: Codable, Sendable {
    let path: String
    let holderCount: Int

    var holders: RootHolders {
      RootHolders(paths: (0..<holderCount).map { "\(path)/root\($0)" })
    }

    func tables() throws -> (DataDirectory, KeyringTables) {
      let data = try waitingForLocks { try DataDirectory.open(path: path + "/data") }
      return (data, try KeyringTables.open(data))
    }

    func open() throws -> Keyring {
      let (data, tables) = try tables()
      return try waitingForLocks {
        try Keyring.open(data: data, tables: tables, holders: holders)
      }
    }

    func withCopy(_ body: (CrashPlace) async throws -> Void) async throws {
      let copy = try TestStore.makeTemporaryDirectory()
      defer { TestStore.remove(copy) }
      for name in try FileManager.default.contentsOfDirectory(atPath: path) {
        try FileManager.default.copyItem(atPath: path + "/" + name, toPath: copy + "/" + name)
      }
      try await body(CrashPlace(path: copy, holderCount: holderCount))
    }

    /// The root of an epoch in a holder, or nil.
    func root(_ holder: Int, epoch: UInt64) throws -> SecretBytes? {
      let file = try FileDescriptor.open(path: holders.paths[holder], isReadOnly: true)
      var slot = SecretBytes(zeroes: RootSlot.bytesCount)
      var bytes = slot.mutableBytes
      try file.read(into: &bytes, at: RootSlot.offset(epoch: epoch))
      guard let found = RootSlot.decode(slot.bytes), found.epoch == epoch else { return nil }
      return SecretBytes(copying: slot.bytes.extracting(found.root))
    }

    /// True when these bytes are anywhere in a holder's file.
    func holderContains(_ secret: borrowing SecretBytes) throws -> Bool {
      for path in holders.paths where contains(try readFile(path), secret) { return true }
      return false
    }
  }

  private func contains(_ bytes: [UInt8], _ secret: borrowing SecretBytes) -> Bool {
    for start in 0...(bytes.count - secret.count) where bytes[start] == secret.bytes[0] {
      if secret.isEqual(to: bytes.span.extracting(start..<(start + secret.count))) { return true }
    }
    return false
  }

  /// What the process that crashes does.
  private enum CrashAct: String, Codable, Sendable {
    case create
    case addKeys
    case rotate

    func run(_ place: CrashPlace, before: () -> Void) throws {
      let tenant = TenantNumber(rawValue: 1)
      switch self {
      case .create:
        let (data, tables) = try place.tables()
        before()
        try Keyring.create(
          data: data, tables: tables, holders: place.holders, now: TestStore.now)
      case .addKeys:
        let keyring = try place.open()
        before()
        try keyring.addKeys((10..<60).map { NewKey(tenant: tenant, kind: .subject, tag: tag($0)) })
      case .rotate:
        let keyring = try place.open()
        before()
        var removal = Removal()
        removal.parts[tenant] = Removal.Part()
        removal.parts[tenant]?.slots = [Slot(rawValue: 1)]
        removal.parts[tenant]?.tags = [tag(1)]
        _ = try keyring.rotate(removal, entry: entry(.subjectShredded))
      }
    }
  }

  @Suite struct CrashTests {
    @Test(arguments: [1, 2])
    func `a store is made whole or not at all, wherever it crashes`(holders: Int) async throws {
      let empty = try prepare(holders: holders, isEmpty: true)
      defer { TestStore.remove(empty.path) }
      let points = try await passedPoints(empty, .create)
      #expect(
        points == pairs("root.create", holders) + pairs("root.stage", holders)
          + pairs("keyring.commit", 1))
      for point in 1...points.count {
        try await empty.withCopy { place in
          try await crash(place, .create, at: point)
          if point == points.count {
            #expect(try place.open().epoch == 1)
          } else {
            // The first holders exist and the store does not, or not even they.
            let error = #expect(throws: KeyringError.self) { _ = try place.open() }
            #expect(error == .storageMissing)
            for path in place.holders.paths { try? FileManager.default.removeItem(atPath: path) }
            try CrashAct.create.run(place) {}
            #expect(try place.open().epoch == 1)
          }
        }
      }
    }

    @Test func `keys are made all or none, wherever it crashes`() async throws {
      let prepared = try prepare(holders: 1)
      defer { TestStore.remove(prepared.path) }
      let points = try await passedPoints(prepared, .addKeys)
      #expect(points == pairs("keyring.commit", 1))
      for point in 1...points.count {
        try await prepared.withCopy { place in
          try await crash(place, .addKeys, at: point)
          let keyring = try place.open()
          let tenant = TenantNumber(rawValue: 1)
          for number in UInt64(10)..<60 {
            let found = try keyring.entry(tenant, tag: tag(number))
            #expect((found != nil) == (point == 2))
            if let found { #expect(try keyring.hasKey(tenant, found.slot)) }
          }
          #expect(keyring.epoch == 1)
        }
      }
    }

    @Test(arguments: [1, 2])
    func `a rotation is before or after, wherever it crashes`(holders: Int) async throws {
      let prepared = try prepare(holders: holders)
      defer { TestStore.remove(prepared.path) }
      let points = try await passedPoints(prepared, .rotate)
      // The order is the promise: stage everywhere, commit, erase everywhere.
      #expect(
        points == pairs("root.stage", holders) + pairs("keyring.commit", 1)
          + pairs("root.erase", holders))
      let committed = 2 * holders + 2
      for point in 1...points.count {
        try await prepared.withCopy { place in
          try await crash(place, .rotate, at: point)
          #expect(
            try isBeforeOrAfter(place, isAfter: point >= committed, from: prepared))
        }
      }
    }

    @Test(arguments: [1, 2])
    func `an acknowledged rotation's old root is in no holder`(holders: Int) async throws {
      let prepared = try prepare(holders: holders)
      defer { TestStore.remove(prepared.path) }
      try await prepared.withCopy { place in
        let inodes = try place.holders.paths.map(inode)
        try CrashAct.rotate.run(place) {}
        #expect(try place.holders.paths.map(inode) == inodes)
        // Not even opening again was needed.
        guard let old = try prepared.root(0, epoch: 1) else { throw KeyringError.rootMissing }
        let isThere = try place.holderContains(old)
        #expect(!isThere)
        #expect(try isBeforeOrAfter(place, isAfter: true, from: prepared))
      }
    }

    @Test func `an old root that was acknowledged too early would be caught`() throws {
      let place = try prepare(holders: 1)
      defer { TestStore.remove(place.path) }
      guard let old = try place.root(0, epoch: 1) else { throw KeyringError.rootMissing }
      try TestHooks.$taskVariant.withValue("ack-before-erase") { try CrashAct.rotate.run(place) {} }
      let isThere = try place.holderContains(old)
      #expect(isThere)
    }

    @Test func `a holder that is renamed over would be caught`() throws {
      let place = try prepare(holders: 1)
      defer { TestStore.remove(place.path) }
      guard let old = try place.root(0, epoch: 1) else { throw KeyringError.rootMissing }
      let before = try FileDescriptor.open(path: place.holders.paths[0], isReadOnly: true)
      let number = try inode(place.holders.paths[0])
      try TestHooks.$taskVariant.withValue("rename") { try CrashAct.rotate.run(place) {} }
      #expect(try inode(place.holders.paths[0]) != number)
      let isThere = contains(try before.bytes(count: RootHeader.holderBytes), old)
      #expect(isThere)
    }

    @Test(arguments: [("commit-before-stage", 2), ("erase-before-commit", 4)])
    func `another order would be caught`(variant: String, point: Int) async throws {
      let place = try prepare(holders: 1)
      defer { TestStore.remove(place.path) }
      try await crash(place, .rotate, at: point, variant: variant)
      #expect(throws: KeyringError.self) { _ = try place.open() }
    }
  }

  /// A store with one tenant and three keys, or only its directory.
  private func prepare(holders: Int, isEmpty: Bool = false) throws -> CrashPlace {
    let place = CrashPlace(path: try TestStore.makeTemporaryDirectory(), holderCount: holders)
    guard let id = StoreID(bytes: Random.bytes(16)) else { throw KeyringError.corrupt }
    let data = try DataDirectory.create(path: place.path + "/data", id: id)
    let tables = try KeyringTables.open(data)
    guard !isEmpty else { return place }
    try Keyring.create(data: data, tables: tables, holders: place.holders, now: TestStore.now)
    let keyring = try waitingForLocks {
      try Keyring.open(data: data, tables: tables, holders: place.holders)
    }
    let tenant = try keyring.createTenant(
      name("acme"), retention: retention("30d"), now: TestStore.now, actor: .daemon)
    try keyring.addKeys((1...3).map { NewKey(tenant: tenant, kind: .subject, tag: tag($0)) })
    return place
  }

  /// Runs the act in a process of its own that ends at its n-th crash point.
  private func crash(
    _ place: CrashPlace, _ act: CrashAct, at point: Int, variant: String = ""
  ) async throws {
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [
        place = place as CrashPlace, act = act as CrashAct, point = point as Int,
        variant = variant as String
      ] in
      try act.run(place) {
        TestHooks.settings.withLock {
          $0.pointsUntilCrash = point
          if !variant.isEmpty { $0.variant = variant }
        }
      }
    }
  }

  /// The crash points that the act passes, in order.
  private func passedPoints(_ original: CrashPlace, _ act: CrashAct) async throws -> [String] {
    var points: [String] = []
    try await original.withCopy { place in
      let log = place.path + "/points"
      await #expect(processExitsWith: .success) {
        [place = place as CrashPlace, act = act as CrashAct, log = log as String] in
        try act.run(place) { TestHooks.settings.withLock { $0.crashLog = log } }
      }
      points = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").map(
        String.init)
    }
    return points
  }

  private func pairs(_ name: String, _ count: Int) -> [String] {
    (0..<count).flatMap { _ in [name + ".before", name + ".after"] }
  }

  private func inode(_ path: String) throws -> UInt64 {
    let found = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber]
    return try #require(found as? UInt64)
  }

  /// True when the removed key is gone (or not), the others are there, and every holder has the
  /// epoch's root and no other, and above all not the old one.
  private func isBeforeOrAfter(
    _ place: CrashPlace, isAfter: Bool, from original: CrashPlace
  ) throws -> Bool {
    guard let old = try original.root(0, epoch: 1) else { return false }
    let keyring = try place.open()
    let tenant = TenantNumber(rawValue: 1)
    let epoch: UInt64 = isAfter ? 2 : 1
    guard keyring.epoch == epoch,
      try keyring.hasKey(tenant, Slot(rawValue: 1)) != isAfter,
      try keyring.hasKey(tenant, Slot(rawValue: 2)),
      try (keyring.entry(tenant, tag: tag(1)) == nil) == isAfter,
      try keyring.entry(tenant, tag: tag(3)) != nil
    else { return false }
    for holder in 0..<place.holderCount {
      guard try hasRoot(place, holder, epoch), try !hasRoot(place, holder, 3 - epoch) else {
        return false
      }
    }
    return try place.holderContains(old) != isAfter
  }

  private func hasRoot(_ place: CrashPlace, _ holder: Int, _ epoch: UInt64) throws -> Bool {
    guard try place.root(holder, epoch: epoch) != nil else { return false }
    return true
  }
#endif
