import EventModel
import Storage
import Synchronization

/// Says of an id that it was not stored lately, which spares nearly all of them the look-up.
///
/// ```
/// days, newest last -> layers of 64 KiB, 256 KiB, 1 MiB, 4 MiB, 8 MiB, 8 MiB ..
/// layer: blocks of 512 bits, six of them for an id (a blocked Bloom filter)
/// ```
/// Never a false "no": an id is put in when its event is sealed, before anything else sees it, and
/// stays when the commit fails. A false "yes" costs a look-up: one in about a hundred ids, more once
/// ``bytesMax`` is used up. Says "yes" to everything until ``noteComplete()``: until what the disk had
/// at start was put in. The index's thread does that while the writer goes on.
final class IDFilter: Sendable {
  private struct Layer {
    var words: [UInt64]
    var count = 0

    init(words: Int) { self.words = Array(repeating: 0, count: words) }

    /// Ids that fit at ten bits each.
    var capacity: Int { words.count * 64 / 10 }
  }

  private struct Day {
    let bucket: Bucket
    var layers: [Layer] = [Layer(words: IDFilter.wordsMin)]
  }

  private struct State {
    var days: [Day] = []
    var isComplete = false
  }

  /// Memory of all days together, beside each day's first layer: 50 million ids at ten bits.
  static let bytesMax = 64 << 20
  /// Duplicates are looked for on the day itself and the seven before it.
  static let daysBefore: UInt16 = 7
  private static let wordsMin = (64 << 10) / 8
  private static let wordsMax = (8 << 20) / 8

  private let state = Mutex(State())
  #if DEBUG
    /// A test's broken variant: a filter that forgets.
    private let misses = TestHooks.isVariant("filter-misses")
  #endif

  /// False when no id of this fingerprint was put in for any of the days held.
  func mayContain(_ fingerprint: UInt64) -> Bool {
    #if DEBUG
      if misses { return false }
    #endif
    return state.withLock { state in
      guard state.isComplete else { return true }
      let hash = Self.mix(fingerprint)
      for day in state.days.indices {
        for layer in state.days[day].layers.indices
        where Self.contains(hash, state.days[day].layers[layer].words) { return true }
      }
      return false
    }
  }

  /// Puts an id in under the day on which its event is stored; days that are too old go.
  func insert(_ fingerprint: UInt64, _ bucket: Bucket) {
    state.withLock { state in
      let index = state.days.firstIndex { $0.bucket == bucket } ?? Self.addDay(bucket, &state.days)
      guard let index else { return }
      let last = state.days[index].layers.count - 1
      if state.days[index].layers[last].count >= state.days[index].layers[last].capacity {
        Self.grow(index, &state.days)
      }
      let layer = state.days[index].layers.count - 1
      state.days[index].layers[layer].count += 1
      Self.set(Self.mix(fingerprint), &state.days[index].layers[layer].words)
    }
  }

  /// All that the disk had at start is in.
  func noteComplete() { state.withLock { $0.isComplete = true } }

  /// True when a "no" can be given.
  var isComplete: Bool { state.withLock { $0.isComplete } }

  /// Bytes in use.
  var byteCount: Int { state.withLock { Self.byteCount($0.days) } }

  /// The day's place; nil when it is older than what is looked for.
  private static func addDay(_ bucket: Bucket, _ days: inout [Day]) -> Int? {
    let newest = max(bucket, days.last?.bucket ?? bucket)
    guard let oldest = newest.day(before: daysBefore) else { return nil }
    days.removeAll { $0.bucket < oldest }
    guard bucket >= oldest else { return nil }
    let place = days.firstIndex { $0.bucket > bucket } ?? days.count
    days.insert(Day(bucket: bucket), at: place)
    return place
  }

  /// Adds a layer to the day, four times as large as its last, if there is memory for it.
  private static func grow(_ index: Int, _ days: inout [Day]) {
    let words = min(wordsMax, (days[index].layers.last?.words.count ?? 0) * 4)
    guard byteCount(days) + words * 8 <= bytesMax else { return }
    days[index].layers.append(Layer(words: words))
  }

  private static func byteCount(_ days: [Day]) -> Int {
    days.reduce(0) { $0 + $1.layers.reduce(0) { $0 + $1.words.count * 8 } }
  }

  /// Spreads 48 bits, which nobody outside can choose, over 64.
  private static func mix(_ fingerprint: UInt64) -> UInt64 {
    var hash = fingerprint &* 0x9E37_79B9_7F4A_7C15
    hash = (hash ^ hash >> 32) &* 0xD6E8_FEB8_6659_FD93
    return hash ^ hash >> 32
  }

  /// The first of the eight words of the block that an id has; the number of words is a power of two.
  private static func block(_ hash: UInt64, _ words: Int) -> Int {
    Int(truncatingIfNeeded: hash) & (words / 8 - 1) * 8
  }

  private static func contains(_ hash: UInt64, _ words: [UInt64]) -> Bool {
    let start = block(hash, words.count)
    // The lower bits have chosen the block; six times nine others choose within it.
    var rest = mix(hash)
    for _ in 0..<6 {
      let bit = Int(truncatingIfNeeded: rest >> 55)
      guard words[start + bit >> 6] & (1 << UInt64(bit & 63)) != 0 else { return false }
      rest <<= 9
    }
    return true
  }

  private static func set(_ hash: UInt64, _ words: inout [UInt64]) {
    let start = block(hash, words.count)
    var rest = mix(hash)
    for _ in 0..<6 {
      let bit = Int(truncatingIfNeeded: rest >> 55)
      words[start + bit >> 6] |= 1 << UInt64(bit & 63)
      rest <<= 9
    }
  }
}
