import CLinux
import EventModel
import Keyring
import Sodium
import Storage

/// What expiry costs: bytes sealed, nodes and the state of the keys, which depend on no machine.
///
/// A store of tenants with three classes each, in which every class has lost its older days in order. Then
/// one more day of every class goes, all in one rotation; run by `Tools/bench erasure`.
enum ErasureBench {
  private static let classes = 3
  private static let today: UInt32 = 20_781

  static func run(folder: String, tenants: Int) throws {
    print("daily expiry of \(tenants) tenants x \(classes) classes, in one rotation")
    let keyring = try makeStore(folder, tenants: tenants)
    _ = try keyring.rotate(removal(keyring, end: today), entry: line())
    let start = linux_monotonic_nanoseconds()
    let receipt = try keyring.rotate(removal(keyring, end: today + 1), entry: line())
    let seconds = Double(linux_monotonic_nanoseconds() - start) / 1e9
    let megabytes = Double(receipt.bytesSealed) / 1e6
    print("  nodes written            \(receipt.nodesWritten)")
    print(
      "  bytes sealed             \(receipt.bytesSealed) (\(round(megabytes)) MB; at most 20 MB)")
    print("  durable steps            3: new root, commit, old root (\(round(seconds)) s here)")
    let seeds = try keyring.tenants.prefix(64).flatMap {
      try keyring.tenantKeys($0.number).classes.map { $0.cover.count }
    }
    print("  seeds of a class         \(seeds.max() ?? 0)")
    print("key state of a class in order, over every day from 1970 to 2149")
    let most = try worstCover()
    print("  seeds                    \(most) at most, \(32 * most) bytes (at most 512)")
  }

  private static func round(_ value: Double) -> Double { (value * 10).rounded() / 10 }

  private static func line() -> LedgerEntry {
    LedgerEntry(timeMilliseconds: 1, act: .periodsExpired, actor: .daemon)
  }

  private static func removal(_ keyring: Keyring, end: UInt32) -> Removal {
    var removal = Removal()
    for tenant in keyring.tenants {
      var part = Removal.Part()
      for number in 0..<classes {
        part.periods.append(
          Removal.Periods(
            classNumber: ClassNumber(rawValue: ClassNumber.default.rawValue + UInt8(number)),
            range: 0..<end))
      }
      removal.parts[tenant.number] = part
    }
    return removal
  }

  /// An empty keyring in the folder, beside others.
  static func create(_ folder: String, _ name: String) throws -> Keyring {
    guard let id = StoreID(bytes: Random.bytes(16)) else { preconditionFailure("16 bytes") }
    let data = try DataDirectory.create(path: "\(folder)/data-\(name)", id: id)
    let tables = try KeyringTables.open(data)
    let holders = RootHolders(paths: ["\(folder)/root-\(name)"], acceptsWeakErasure: true)
    try Keyring.create(data: data, tables: tables, holders: holders, now: 1)
    return try Keyring.open(data: data, tables: tables, holders: holders)
  }

  private static func makeStore(_ folder: String, tenants: Int) throws -> Keyring {
    let keyring = try create(folder, "expiry")
    let retention = Retention(unit: .day, periods: 30)
    for index in 0..<tenants {
      guard let name = TenantName(Array("t\(index)".utf8)) else { continue }
      let number = try keyring.createTenant(name, retention: retention, now: 1, actor: .daemon)
      for more in 1..<classes {
        _ = try keyring.setClass(
          number, name: Array("c\(more)".utf8), policy: RetentionPolicy(retention),
          entry: LedgerEntry(timeMilliseconds: 1, act: .classSet, actor: .daemon))
      }
    }
    return keyring
  }

  private static func worstCover() throws -> Int {
    var cover = PeriodCover(unit: .day)
    var most = 0
    for day in 1..<UInt32(65_535) {
      guard let next = cover.puncturing((day - 1)..<day) else { continue }
      most = max(most, next.count)
      cover = next
    }
    return most
  }
}
