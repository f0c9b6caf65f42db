import EventModel
import Foundation
import Sodium
import Storage
import TransparencyLog

@testable import EventStore

/// A data directory with an index in it, removed with its scope.
final class IndexFixture {
  let path: String
  private(set) var index: EventIndex
  private(set) var tables: IndexTables
  private var directory: DataDirectory
  let isRemovedAtEnd: Bool

  /// A new directory, or the one at `path` left by a process that crashed.
  init(path: String? = nil, isRemovedAtEnd: Bool = true) throws {
    self.isRemovedAtEnd = isRemovedAtEnd
    if let path {
      self.path = path
      directory = try DataDirectory.open(path: path)
    } else {
      self.path = NSTemporaryDirectory() + "lethe-index-" + UUID().uuidString
      guard let id = StoreID(bytes: Array(1...16)) else { fatalError("16 bytes") }
      directory = try DataDirectory.create(path: self.path, id: id)
    }
    tables = try IndexTables.open(directory)
    index = try Self.open(tables)
  }

  deinit { if isRemovedAtEnd { try? FileManager.default.removeItem(atPath: path) } }

  func reopen() throws { index = try Self.open(tables) }

  static func open(_ tables: IndexTables) throws(StorageError) -> EventIndex {
    try EventIndex(tables: tables, indexKey: key(0)) { bucket in
      bucket.number == 0x3EAD ? nil : key(bucket.number)
    }
  }

  private static func key(_ number: UInt16) -> SecretBytes {
    var key = SecretBytes(zeroes: 32)
    var bytes = key.mutableBytes
    bytes[0] = UInt8(number >> 8)
    bytes[1] = UInt8(truncatingIfNeeded: number)
    return key
  }
}

/// A term of the model: its key and what was published under it.
struct ModelTerm {
  let key: [UInt8]
  var postings: [Posting] = []

  init(number: Int) {
    key = UInt64(number).bigEndianBytes + [UInt8](repeating: 0x5A, count: 8)
  }

  func tagged(_ posting: Posting, _ number: UInt16) -> TaggedPosting {
    let bucket = Bucket(number: number)
    return TaggedPosting(
      tag: TaggedPosting.tag(termKey: key.span, bucket: bucket), bucket: bucket, posting: posting)
  }

  func expected(
    _ ordinals: ClosedRange<UInt64>, isDescending: Bool, limit: Int
  ) -> [Posting] {
    let found = postings.filter { ordinals.contains($0.ordinal) }
    return Array((isDescending ? found.reversed() : found).prefix(limit))
  }
}

extension EventIndex {
  func postings(
    _ key: [UInt8], _ ordinals: ClosedRange<UInt64> = 0...Limits.positionMax,
    isDescending: Bool = false, limit: Int = .max
  ) throws(StorageError) -> [Posting] {
    try postings(
      termKey: key.span, ordinals: ordinals, isDescending: isDescending, limit: limit)
  }

  func newest(_ key: [UInt8]) throws(StorageError) -> Posting? { try newest(termKey: key.span) }

  func count(_ key: [UInt8]) throws(StorageError) -> Int { try count(termKey: key.span) }

  func flush(reached sequence: UInt64) throws(StorageError) {
    try flush(state: FlushState(sequence: sequence, recordHash: hash(sequence)), tenants: [])
  }

  private func hash(_ number: UInt64) -> RecordHash {
    RecordHash.sha256(number.bigEndianBytes.span)
  }
}

/// SplitMix64: random tests print their seed and read it back from LETHE_TEST_SEED.
struct SeededGenerator: RandomNumberGenerator {
  let seed: UInt64
  private var state: UInt64

  init(_ name: String) {
    let given = ProcessInfo.processInfo.environment["LETHE_TEST_SEED"].flatMap { UInt64($0) }
    seed = given ?? UInt64.random(in: 0...UInt64(UInt32.max))
    state = seed
    print("\(name): LETHE_TEST_SEED=\(seed)")
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// A number below `count`, the small ones by far the most often.
  mutating func zipf(_ count: Int) -> Int {
    let unit = Double(next() >> 11) / Double(UInt64(1) << 53)
    return min(count - 1, Int(pow(Double(count), unit)) - 1)
  }
}
