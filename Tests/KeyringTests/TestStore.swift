import EventModel
import Foundation
import Sodium
import Storage

@testable import Keyring

/// A store in a directory of its own, removed at the end.
final class TestStore {
  let path: String
  let data: DataDirectory
  let tables: KeyringTables
  let holders: RootHolders

  static let now: Int64 = 1_780_000_000_000

  /// Makes a store with so many root holders.
  init(holders count: Int = 1, creates: Bool = true) throws {
    path = try Self.makeTemporaryDirectory()
    guard let id = StoreID(bytes: Random.bytes(16)) else { throw KeyringError.corrupt }
    data = try DataDirectory.create(path: path + "/data", id: id)
    tables = try KeyringTables.open(data)
    let base = path
    holders = RootHolders(paths: (0..<count).map { "\(base)/root\($0)" })
    if creates {
      try Keyring.create(data: data, tables: tables, holders: holders, now: Self.now)
    }
  }

  deinit { Self.remove(path) }

  func open() throws -> Keyring {
    try waitingForLocks {
      try Keyring.open(data: data, tables: tables, holders: holders)
    }
  }

  static func makeTemporaryDirectory() throws -> String {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "lethe-keyring-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    return url.path
  }

  static func remove(_ path: String) {
    try? FileManager.default.removeItem(atPath: path)
  }
}

/// Tries again for a while when a file is locked.
///
/// A lock that was let go may live on for a moment in a process that another test is starting, until
/// its exec closes the file.
func waitingForLocks<Result>(_ body: () throws -> Result) throws -> Result {
  for _ in 0..<40 {
    do { return try body() } catch let error as KeyringError where error == .holderBusy {
    } catch StorageError.busy {}
    usleep(25_000)
  }
  return try body()
}

func readFile(_ path: String) throws -> [UInt8] {
  let file = try FileDescriptor.open(path: path, isReadOnly: true)
  return try file.bytes(count: try file.status().size)
}

func copyFile(_ source: String, _ target: String) throws {
  let bytes = try readFile(source)
  let file = try FileDescriptor.create(path: target, size: bytes.count)
  try file.write(bytes.span, at: 0)
}

/// A tag that stands for a name in tests.
func tag(_ number: UInt64) -> Tag128 {
  let key = [UInt8](repeating: 7, count: 16)
  return SipHash.tag128(number.bigEndianBytes.span, key: key.span)
}

func name(_ text: String) throws -> TenantName {
  guard let name = TenantName(text) else { throw KeyringError.unknownTenant }
  return name
}

func retention(_ text: String) throws -> Retention {
  guard let retention = Retention(Array(text.utf8)) else { throw KeyringError.unknownClass }
  return retention
}

func entry(_ act: LedgerEntry.Act) -> LedgerEntry {
  LedgerEntry(timeMilliseconds: TestStore.now, act: act, actor: .daemon)
}

/// Numbers that are the same for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// From LETHE_TEST_SEED, else drawn; printed, so that a failure can be repeated.
  static func forTest(_ test: String = #function) -> SeededGenerator {
    let given = ProcessInfo.processInfo.environment["LETHE_TEST_SEED"].flatMap { UInt64($0) }
    let seed = given ?? UInt64.random(in: 0..<1 << 32)
    print("\(test): LETHE_TEST_SEED=\(seed)")
    return SeededGenerator(seed: seed)
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

extension Keyring {
  func hasKey(_ tenant: TenantNumber, _ slot: Slot) throws -> Bool {
    guard try key(tenant, slot) != nil else { return false }
    return true
  }

  /// A copy of a key, which must exist.
  func copyKey(_ tenant: TenantNumber, _ slot: Slot) throws -> SecretBytes {
    guard let entry = try key(tenant, slot) else { throw KeyringError.corrupt }
    return entry.key.copy()
  }
}
