import EventModel
import Keyring
import Sodium

/// Where a person's mark and keys lie in a tenant's map.
struct PersonTags: Hashable, Sendable {
  let mark: Tag128
  /// One for each class.
  let keys: [Tag128]
}

/// What a plan would destroy, without a name: tags die with the tenant's map key, and a plan with its
/// documents.
enum PlanTarget: Hashable, Sendable {
  case subjects([PersonTags])
  /// Ascending, each once.
  case events([UInt64])
  case stream(Tag128)
  case period(className: [UInt8], day: UInt32)
  case tenant
  /// The tenant, which takes no events from the confirmation on and is read until its end.
  case offboarding

  /// Resolves the names of a target.
  init(
    _ target: ShredTarget, _ tenant: TenantState, _ state: EngineState
  ) throws(StoreError) {
    var resolver = NameResolver()
    switch target {
    case .subjects(let subjects):
      var persons: [PersonTags] = []
      var known: Set<Tag128> = []
      let keys = try tenant.open(state.keyring).keys
      for subject in subjects {
        let mark = resolver.tag(.suppression, .default, subject.span, keys)
        guard known.insert(mark).inserted else { continue }
        persons.append(
          PersonTags(
            mark: mark,
            keys: keys.classes.map { resolver.tag(.subject, $0.number, subject.span, keys) }))
      }
      self = .subjects(persons)
    case .events(let positions): self = .events(Set(positions).sorted())
    case .stream(let name):
      let keys = try tenant.open(state.keyring).keys
      self = .stream(resolver.tag(.stream, .default, name.span, keys))
    case .period(let className, let day): self = .period(className: className, day: day)
    case .tenant: self = .tenant
    case .offboarding: self = .offboarding
    }
  }

  var kind: PlanKind {
    switch self {
    case .subjects: .subjects
    case .events: .events
    case .stream: .stream
    case .period: .period
    case .tenant: .tenant
    case .offboarding: .offboarding
    }
  }

  /// A hash by which a confirmation is held against its dry run; in memory only.
  var hash: [UInt8] {
    var writer = PlanWriter()
    writer.append(self)
    return KeyDerivation.checksum(
      count: 32, context: KeyDerivation.Context("LT1.plan.target"), message: writer.bytes.span)
  }
}

/// Writes a plan's fields.
struct PlanWriter {
  var bytes: [UInt8] = []

  mutating func append(_ value: some BinaryInteger, bytes count: Int) {
    bytes.appendBigEndian(UInt64(truncatingIfNeeded: value), bytes: count)
  }

  mutating func append(_ tag: Tag128) {
    append(tag.low, bytes: 8)
    append(tag.high, bytes: 8)
  }

  /// At most 255 bytes.
  mutating func append(text: [UInt8]) {
    append(text.count, bytes: 1)
    bytes += text
  }

  mutating func append(_ target: PlanTarget) {
    append(target.kind.rawValue, bytes: 1)
    switch target {
    case .subjects(let persons):
      append(persons.count, bytes: 4)
      for person in persons {
        append(person.mark)
        append(person.keys.count, bytes: 1)
        for tag in person.keys { append(tag) }
      }
    case .events(let positions):
      append(positions.count, bytes: 4)
      for position in positions { append(position, bytes: 6) }
    case .stream(let tag): append(tag)
    case .period(let className, let day):
      append(text: className)
      append(day, bytes: 4)
    case .tenant, .offboarding: break
    }
  }
}

/// Reads what ``PlanWriter`` wrote; every call answers nil behind the end.
struct PlanReader {
  private let bytes: [UInt8]
  private var offset = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func number(_ count: Int) -> UInt64? {
    guard offset + count <= bytes.count else { return nil }
    defer { offset += count }
    return bytes.span.bigEndian(at: offset, bytes: count)
  }

  mutating func tag() -> Tag128? {
    guard let low = number(8), let high = number(8) else { return nil }
    return Tag128(low: low, high: high)
  }

  mutating func text() -> [UInt8]? {
    guard let count = number(1).map(Int.init), offset + count <= bytes.count else { return nil }
    defer { offset += count }
    return Array(bytes[offset..<(offset + count)])
  }

  mutating func raw(_ count: Int) -> [UInt8]? {
    guard offset + count <= bytes.count else { return nil }
    defer { offset += count }
    return Array(bytes[offset..<(offset + count)])
  }

  mutating func target() -> PlanTarget? {
    guard let kind = number(1).flatMap({ PlanKind(rawValue: UInt8($0)) }) else { return nil }
    switch kind {
    case .subjects:
      guard let count = number(4) else { return nil }
      var persons: [PersonTags] = []
      for _ in 0..<count {
        guard let mark = tag(), let keyCount = number(1) else { return nil }
        var keys: [Tag128] = []
        for _ in 0..<keyCount {
          guard let key = tag() else { return nil }
          keys.append(key)
        }
        persons.append(PersonTags(mark: mark, keys: keys))
      }
      return .subjects(persons)
    case .events:
      guard let count = number(4) else { return nil }
      var positions: [UInt64] = []
      for _ in 0..<count {
        guard let position = number(6) else { return nil }
        positions.append(position)
      }
      return .events(positions)
    case .stream: return tag().map { .stream($0) }
    case .period:
      guard let className = text(), let day = number(4) else { return nil }
      return .period(className: className, day: UInt32(day))
    case .tenant: return .tenant
    case .offboarding: return .offboarding
    }
  }
}
