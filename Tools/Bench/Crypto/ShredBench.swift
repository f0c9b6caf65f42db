import CLinux
import EventModel
import Keyring
import Sodium
import Storage

/// What erasures of persons and tenants cost: bytes sealed and nodes, which depend on no machine.
///
/// A tenant of some persons with a stream of their own each; the keyring knows of no events. Run by
/// `Tools/bench erasure`.
enum ShredBench {
  /// A tenant with persons, for the keyring: two keys and two names each.
  private struct Population {
    let tenant: TenantNumber
    var slots: [Slot] = []
    var tags: [Tag128] = []
  }

  private struct Cost {
    let nodes: Int
    let bytes: Int
    let seconds: Double

    init(_ keyring: Keyring, _ removal: Removal) throws {
      let start = linux_monotonic_nanoseconds()
      let entry = LedgerEntry(timeMilliseconds: 1, act: .subjectShredded, actor: .daemon)
      let receipt = try keyring.rotate(removal, entry: entry)
      seconds = Double(linux_monotonic_nanoseconds() - start) / 1e9
      (nodes, bytes) = (receipt.nodesWritten, receipt.bytesSealed)
    }
  }

  private static let slice = 20_000
  private static let samples = 64

  static func run(folder: String, persons: [Int]) throws {
    var means: [Int] = []
    for count in persons {
      let keyring = try ErasureBench.create(folder, "\(count)")
      let crowd = try populate(keyring, "crowd", persons: count)
      means.append(try person(keyring, crowd, count, withStreams: false))
      _ = try person(keyring, crowd, count, withStreams: true)
      try batch(keyring, crowd, count, withStreams: false)
      try batch(keyring, crowd, count, withStreams: true)
      try tenants(keyring, crowd, count)
    }
    if let first = means.first, let last = means.last {
      let ratio = Double(last * 100 / first) / 100
      print("a person among \(persons.last ?? 0) : among \(persons[0])  \(ratio) (at most 2)")
    }
  }

  private static func populate(
    _ keyring: Keyring, _ name: String, persons: Int
  ) throws -> Population {
    guard let name = TenantName(Array(name.utf8)) else { preconditionFailure("a valid name") }
    let number = try keyring.createTenant(
      name, retention: Retention(unit: .day, periods: 395), now: 1, actor: .daemon)
    var found = Population(tenant: number)
    while found.slots.count < 2 * persons {
      let count = min(slice, 2 * persons - found.slots.count)
      let tags = (0..<count).map { _ in tag() }
      let wanted = tags.enumerated().map { index, tag in
        NewKey(tenant: number, kind: index & 1 == 0 ? .subject : .stream, tag: tag)
      }
      found.slots += try keyring.addKeys(wanted)
      found.tags += tags
    }
    return found
  }

  /// A mark's tag, which begins as that of the person's key.
  private static func mark(of tag: Tag128) -> Tag128 {
    Tag128(low: tag.low, high: Self.tag().high)
  }

  private static func tag() -> Tag128 {
    var generator = SystemRandomNumberGenerator()
    return Tag128(low: generator.next(), high: generator.next())
  }

  /// Takes persons, and their streams if asked for, and marks the persons as erased.
  private static func removal(
    _ crowd: Population, _ persons: [Int], withStreams: Bool = true
  ) -> Removal {
    let keys = withStreams ? 2 : 1
    var part = Removal.Part()
    for person in persons {
      part.slots += crowd.slots[(2 * person)..<(2 * person + keys)]
      part.tags += crowd.tags[(2 * person)..<(2 * person + keys)]
      part.marks.append(Removal.Mark(tag: mark(of: crowd.tags[2 * person]), untilDay: 20_811))
    }
    var removal = Removal()
    removal.parts[crowd.tenant] = part
    return removal
  }

  private static func person(
    _ keyring: Keyring, _ crowd: Population, _ count: Int, withStreams: Bool
  ) throws -> Int {
    let first = withStreams ? count / 4 : 0
    let costs = try (0..<samples).map { index in
      let person = first + index * (count / 4 / samples)
      return try Cost(keyring, removal(crowd, [person], withStreams: withStreams))
    }
    let mean = costs.map(\.bytes).reduce(0, +) / costs.count
    let most = costs.map(\.bytes).max() ?? 0
    let nodes = costs.map(\.nodes).max() ?? 0
    let kind = withStreams ? "with a stream " : ""
    print("a person \(kind)among \(count): \(samples) of them, one after the other")
    let bound = withStreams ? "" : " (at most 32768)"
    print("  bytes sealed             \(mean), at most \(most)\(bound)")
    print("  nodes written            \(nodes) at most")
    print("  durable steps            3: new root, commit, old root")
    return mean
  }

  private static func batch(
    _ keyring: Keyring, _ crowd: Population, _ count: Int, withStreams: Bool
  ) throws {
    // Spread over a quarter that nobody was taken from.
    let step = count / 4 / 1_000
    let first = withStreams ? count * 3 / 4 : count / 2
    let persons = (0..<1_000).map { first + $0 * step }
    let cost = try Cost(keyring, removal(crowd, persons, withStreams: withStreams))
    let kind = withStreams ? "with a stream each " : ""
    print("1,000 persons \(kind)among \(count), in one rotation")
    print("  bytes sealed             \(cost.bytes), \(cost.bytes / 1_000) a person")
    print("  nodes written            \(cost.nodes)")
    print("  durable steps            3 (\(milliseconds(cost)) ms here)")
  }

  /// A tenant goes with its node: what is below it is not sealed again, however much it is.
  private static func tenants(_ keyring: Keyring, _ crowd: Population, _ count: Int) throws {
    let few = try populate(keyring, "few", persons: 1)
    var removal = Removal()
    removal.tenants = [few.tenant]
    let small = try Cost(keyring, removal)
    removal.tenants = [crowd.tenant]
    let large = try Cost(keyring, removal)
    print("a tenant of one person; of \(count)")
    print("  bytes sealed             \(small.bytes); \(large.bytes)")
    print("  nodes written            \(small.nodes); \(large.nodes)")
    print("  durable steps            3 (\(milliseconds(small)); \(milliseconds(large)) ms here)")
  }

  private static func milliseconds(_ cost: Cost) -> Int { Int(cost.seconds * 1_000) }
}
