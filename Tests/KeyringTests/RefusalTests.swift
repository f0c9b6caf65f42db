import EventModel
import Foundation
import Sodium
import Storage
import Testing

@testable import Keyring

/// Promise 8: what does not belong together is refused, by a word of its own, and never repaired by
/// making a root.
@Suite struct RefusalTests {
  /// A store that was rotated to epoch 3, with copies of keyring and holder of epoch 1.
  private func rotated() throws -> (TestStore, oldKeyring: String, oldRoot: String) {
    let store = try TestStore()
    let (keyringCopy, rootCopy) = (store.path + "/old.mdb", store.path + "/old-root")
    let keyring = try store.open()
    try copyFile(store.path + "/data/keyring/data.mdb", keyringCopy)
    try copyFile(store.holders.paths[0], rootCopy)
    _ = try keyring.rotate(Removal(), entry: entry(.rootRotated))
    _ = try keyring.rotate(Removal(), entry: entry(.rootRotated))
    return (store, keyringCopy, rootCopy)
  }

  private func open(
    _ store: TestStore, keyring: String? = nil, roots: [String]? = nil
  ) throws -> Keyring {
    guard let keyring else {
      return try waitingForLocks {
        try Keyring.open(
          data: store.data, tables: store.tables,
          holders: RootHolders(paths: roots ?? store.holders.paths))
      }
    }
    let path = store.path + "/copy"
    for directory in [path, path + "/keyring"] {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: false,
        attributes: [.posixPermissions: 0o700])
    }
    try copyFile(store.path + "/data/FORMAT", path + "/FORMAT")
    try copyFile(keyring, path + "/keyring/data.mdb")
    let data = try DataDirectory.open(path: path, isReadOnly: true)
    let tables = try KeyringTables.open(data)
    return try waitingForLocks {
      try Keyring.open(
        data: data, tables: tables, holders: RootHolders(paths: roots ?? store.holders.paths))
    }
  }

  @Test func `an old keyring with today's root is refused with both epochs`() throws {
    let (store, oldKeyring, _) = try rotated()
    #expect(throws: KeyringError.storageRolledBack(storage: 1, root: 3)) {
      _ = try open(store, keyring: oldKeyring)
    }
  }

  @Test func `an old root with today's keyring is refused with both epochs`() throws {
    let (store, _, oldRoot) = try rotated()
    #expect(throws: KeyringError.rootRolledBack(storage: 3, root: 1)) {
      _ = try open(store, roots: [oldRoot])
    }
  }

  @Test func `an old node in today's keyring does not open`() throws {
    let store = try TestStore()
    let keyring = try store.open()
    let tenant = try keyring.createTenant(
      name("acme"), retention: retention("30d"), now: TestStore.now, actor: .daemon)
    var before: [NodeID: [UInt8]] = [:]
    try store.tables.read { (view) throws(StorageError) in
      try view.forEachNode { id, sealed in
        before[NodeID(rawValue: id.bigEndian(at: 0, bytes: 8))] = sealed.array
        return true
      }
    }
    try keyring.addKeys([NewKey(tenant: tenant, kind: .subject, tag: tag(1))])
    // Adding kept the nodes' keys: only the versions tell old from new.
    for (id, sealed) in before where id != .top {
      try store.tables.write { (transaction) throws(StorageError) in
        try transaction.putNode(id.rawValue.bigEndianBytes.span, sealed.span)
      }
    }
    #expect(throws: KeyringError.corrupt) { _ = try keyring.entry(tenant, tag: tag(1)) }
  }

  @Test func `without a root nothing opens and none is made`() throws {
    let store = try TestStore()
    try FileManager.default.removeItem(atPath: store.holders.paths[0])
    #expect(throws: KeyringError.rootMissing) { _ = try store.open() }
    #expect(!FileManager.default.fileExists(atPath: store.holders.paths[0]))
  }

  @Test func `a root with both slots empty is missing`() throws {
    let store = try TestStore()
    let file = try FileDescriptor.open(path: store.holders.paths[0])
    for offset in [4_096, 8_192] { try file.write(Random.bytes(512).span, at: offset) }
    #expect(throws: KeyringError.rootMissing) { _ = try store.open() }
  }

  @Test func `the root of another store is refused`() throws {
    let (first, second) = (try TestStore(), try TestStore())
    #expect(throws: KeyringError.rootOfAnotherStore) {
      _ = try open(first, roots: second.holders.paths)
    }
  }

  @Test func `a keyring is never made over one that exists`() throws {
    let store = try TestStore()
    let others = RootHolders(paths: [store.path + "/another"])
    #expect(throws: KeyringError.storageExists) {
      try Keyring.create(
        data: store.data, tables: store.tables, holders: others, now: TestStore.now)
    }
    #expect(!FileManager.default.fileExists(atPath: others.paths[0]))
  }

  @Test func `a holder is never made over a file`() throws {
    let store = try TestStore(creates: false)
    try copyFile(store.path + "/data/FORMAT", store.holders.paths[0])
    #expect(throws: KeyringError.rootExists) {
      try Keyring.create(
        data: store.data, tables: store.tables, holders: store.holders, now: TestStore.now)
    }
    #expect(try readFile(store.holders.paths[0]) == readFile(store.path + "/data/FORMAT"))
  }

  @Test func `a holder without a store is not taken for one`() throws {
    let store = try TestStore(creates: false)
    #expect(throws: KeyringError.storageMissing) { _ = try store.open() }
  }

  @Test func `two holders cannot be opened as one`() throws {
    let store = try TestStore(holders: 2)
    for paths in [[store.holders.paths[0]], [store.holders.paths[1]]] {
      #expect(throws: KeyringError.rootHolderSetWrong) { _ = try open(store, roots: paths) }
    }
    let copy = store.path + "/copy-of-root0"
    try copyFile(store.holders.paths[0], copy)
    #expect(throws: KeyringError.rootHolderSetWrong) {
      _ = try open(store, roots: [store.holders.paths[0], copy])
    }
  }

  @Test func `a holder that lost its root gets it from the other`() throws {
    let store = try TestStore(holders: 2)
    do {
      let file = try FileDescriptor.open(path: store.holders.paths[1])
      try file.write(Random.bytes(512).span, at: RootSlot.offset(epoch: 1))
    }
    #expect(try store.open().epoch == 1)
    let (first, second) = (
      try readFile(store.holders.paths[0]), try readFile(store.holders.paths[1])
    )
    #expect(first[8_192..<8_248] == second[8_192..<8_248])
  }

  @Test func `a holder that others may touch is refused`() throws {
    let store = try TestStore()
    let path = store.holders.paths[0]
    for mode in [0o640, 0o604, 0o660] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
      #expect(throws: KeyringError.rootUnreadable) { _ = try store.open() }
    }
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    try FileManager.default.createSymbolicLink(
      atPath: store.path + "/link", withDestinationPath: path)
    #expect(throws: KeyringError.rootUnreadable) {
      _ = try open(store, roots: [store.path + "/link"])
    }
    try FileManager.default.linkItem(atPath: path, toPath: store.path + "/hard")
    #expect(throws: KeyringError.rootUnreadable) { _ = try store.open() }
  }

  @Test func `a damaged header is refused`() throws {
    for offset in [0, 9, 24, 25, 26, 33, 100, 480, 511] {
      let store = try TestStore()
      do {
        let file = try FileDescriptor.open(path: store.holders.paths[0])
        let byte = try file.bytes(count: 1, at: offset)[0]
        try file.write([byte ^ 1].span, at: offset)
      }
      #expect(throws: KeyringError.rootUnreadable) { _ = try store.open() }
    }
  }

  @Test func `a holder that is open is busy`() throws {
    let store = try TestStore()
    let keyring = try store.open()
    #expect(throws: KeyringError.holderBusy) { _ = try store.open() }
    // Tools that only read are let in.
    let reading = try Keyring.openReading(
      data: store.data, tables: store.tables, holders: store.holders)
    #expect(reading.epoch == keyring.epoch)
  }

  @Test func `a memory file system is refused unless that is accepted, and then it is recorded`()
    throws
  {
    let store = try TestStore(creates: false)
    let path = "/dev/shm/lethe-test-root-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let refused = RootHolders(paths: [path])
    #expect(throws: KeyringError.weakMedium(.memory)) {
      try Keyring.create(
        data: store.data, tables: store.tables, holders: refused, now: TestStore.now)
    }
    try FileManager.default.removeItem(atPath: path)
    let accepted = RootHolders(paths: [path], acceptsWeakErasure: true)
    try Keyring.create(
      data: store.data, tables: store.tables, holders: accepted, now: TestStore.now)
    let keyring = try waitingForLocks {
      try Keyring.open(data: store.data, tables: store.tables, holders: refused)
    }
    #expect(keyring.holderReport.map(\.medium.weakness) == [.memory])
    #expect(keyring.holderReport.map(\.isOnDataFileSystem) == [false])
    #expect(try keyring.ledgerEntries(from: 1, limit: 1).map(\.entry.result) == [1])
    let receipt = try keyring.rotate(Removal(), entry: entry(.rootRotated))
    #expect(receipt.weaknesses == [.memory])
  }

  @Test func `journalled data is seen in the mounts`() {
    let line = "36 35 8:17 / /mnt rw,noatime shared:1 - ext4 /dev/none rw,data=journal,x\n"
    #expect(RootMedium.journalsData(mountInfo: line, device: 8 << 8 | 17))
    #expect(!RootMedium.journalsData(mountInfo: line, device: 8 << 8 | 18))
    let plain = "36 35 8:17 / /mnt rw,noatime shared:1 - ext4 /dev/none rw\n"
    #expect(!RootMedium.journalsData(mountInfo: plain, device: 8 << 8 | 17))
    #expect(RootMedium.weakness(ofFileSystem: 0x9123_683E) == .copyOnWrite)
    #expect(RootMedium.weakness(ofFileSystem: 0x5846_5342) == nil)
    #expect(RootMedium.weakness(ofFileSystem: 12) == .unknown)
  }
}
