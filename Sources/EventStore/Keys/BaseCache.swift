import EventModel
import Keyring
import Sodium

/// Which event base key is meant: all that it is derived from, by number.
struct BaseID: Hashable, Sendable {
  var tenant: TenantNumber
  var generation: UInt16
  var classNumber: ClassNumber
  var period: Period
  var stream: Slot
  var subjects: SubjectSlots

  static let none = BaseID(
    tenant: .none, generation: 0, classNumber: .default, period: Period(unit: .day, index: 0),
    stream: Slot(rawValue: 0), subjects: SubjectSlots())

  /// A cheap mix for the cache's sets; an attacker gains nothing by collisions but misses.
  var mixed: UInt64 {
    var hash = UInt64(tenant.rawValue) << 32 | UInt64(period.index)
    hash ^= UInt64(classNumber.rawValue) << 56 | UInt64(generation) << 40
    Self.mix(&hash, stream.rawValue)
    for index in 0..<subjects.count { Self.mix(&hash, subjects[index].rawValue) }
    return hash
  }

  private static func mix(_ hash: inout UInt64, _ word: UInt64) {
    hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
    hash ^= hash >> 29
  }
}

/// Event base keys that were derived lately: a bounded, eight-way set-associative cache.
///
/// A base key is harmless by itself and dies with this cache: every shred empties it. That a base
/// cannot be derived any more is remembered too, so that a page of erased events costs no walk
/// through the key tree for each.
struct BaseCache: ~Copyable {
  enum Finding: Equatable {
    case at(Int)
    case destroyed
    case unknown
  }

  private static let ways = 8
  private let setMask: UInt64
  private var secrets: SecretTable
  /// A hash of each id, never 0; 0 is empty.
  ///
  /// Eight stand in one line of the processor's cache.
  private var hashes: [UInt64]
  private var entries: [Entry]
  private var clock: UInt32 = 0

  /// What else is known of a key, side by side: apart, each would be a miss of its own.
  private struct Entry {
    var id = BaseID.none
    var stamp: UInt32 = 0
    var isDestroyed = false
    var isHidden = false
  }

  /// `sets` is a power of two; there is room for eight times as many keys of 32 bytes.
  init(sets: Int) {
    setMask = UInt64(sets - 1)
    let count = sets * Self.ways
    secrets = SecretTable(count: count, width: 32)
    hashes = Array(repeating: 0, count: count)
    entries = Array(repeating: Entry(), count: count)
  }

  /// Looks `id` up.
  mutating func find(_ id: BaseID) -> Finding {
    let hash = id.mixed | 1
    let start = Int(hash >> 1 & setMask) * Self.ways
    for way in start..<(start + Self.ways) where hashes[way] == hash && entries[way].id == id {
      clock &+= 1
      entries[way].stamp = clock
      return entries[way].isDestroyed ? .destroyed : .at(way)
    }
    return .unknown
  }

  /// The key at a place that ``find(_:)`` or ``insert(_:_:)`` gave.
  @_lifetime(borrow self)
  borrowing func key(at place: Int) -> Span<UInt8> { secrets.bytes(at: place) }

  /// True when one of the keys behind the key at a place is restricted.
  func isHidden(at place: Int) -> Bool { entries[place].isHidden }

  /// Makes room for `id` and lets `fill` write its key; returns its place.
  mutating func insert(
    _ id: BaseID, isHidden: Bool, _ fill: (inout MutableSpan<UInt8>) -> Void
  ) -> Int {
    let place = claim(id)
    entries[place].isHidden = isHidden
    var key = secrets.mutableBytes(at: place)
    fill(&key)
    return place
  }

  /// Remembers that `id` cannot be derived any more.
  mutating func insertDestroyed(_ id: BaseID) {
    let place = claim(id)
    entries[place].isDestroyed = true
  }

  /// Forgets and wipes everything.
  mutating func removeAll() {
    secrets.wipeAll()
    for index in hashes.indices { hashes[index] = 0 }
    for index in entries.indices { entries[index].isDestroyed = false }
  }

  private mutating func claim(_ id: BaseID) -> Int {
    let hash = id.mixed | 1
    let start = Int(hash >> 1 & setMask) * Self.ways
    var oldest = start
    for way in start..<(start + Self.ways) {
      if hashes[way] == 0 {
        oldest = way
        break
      }
      if entries[way].stamp < entries[oldest].stamp { oldest = way }
    }
    secrets.wipe(at: oldest)
    hashes[oldest] = hash
    clock &+= 1
    entries[oldest] = Entry(id: id, stamp: clock)
    return oldest
  }
}
