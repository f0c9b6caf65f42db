import EventModel

/// The postings since the last flush, by term, in memory.
///
/// ```
/// slots: open addressing by tag and bucket -> terms: tag, bucket, count, first posting, newest chunk
/// pool:  [header, 3] <- [header, 7] <- [header, 15] <- ...      a term's chunks, each twice as large
/// ```
/// A chunk's header names the chunk before it, so the newest posting costs one step and any other
/// one for each doubling. Most terms have one posting, which lies in the term itself.
struct Tail {
  struct Term {
    let tag: UInt64
    let bucket: UInt16
    /// 0: no chunk; else the newest chunk has 4 << (level - 1) places.
    fileprivate(set) var level: UInt8 = 0
    fileprivate(set) var count: UInt32 = 1
    /// Where the newest chunk begins in the pool.
    fileprivate var chunk: UInt32 = 0
    fileprivate let first: Posting
  }

  /// Distinct terms, in the order in which they came.
  private(set) var terms: [Term] = []
  /// Postings of all terms.
  private(set) var count = 0
  /// Distinct buckets.
  private(set) var buckets: [Bucket] = []
  private(set) var firstSequence = UInt64.max
  private(set) var lastSequence: UInt64 = 0
  private var pool: [Posting] = []
  /// Upper 32 bits of the hash, term number + 1; 0 is empty.
  ///
  /// A power of two, at most half full.
  private var slots: [UInt64]
  private var mask: UInt64

  /// `termCount` is how many terms there were in the tail before, since growing costs time.
  init(termCount: Int = 0) {
    var slotCount = 1 << 12
    while slotCount < min(termCount, 1 << 20) * 2 { slotCount *= 2 }
    slots = Array(repeating: 0, count: slotCount)
    mask = UInt64(slotCount - 1)
  }

  /// Adds a posting; within a term sequences and ordinals never fall.
  mutating func append(_ tagged: TaggedPosting) {
    if count == 0 {
      // Address space only: growing by copies would stall the writer for tens of milliseconds.
      pool.reserveCapacity(1 << 21)
      terms.reserveCapacity(1 << 18)
    }
    count += 1
    firstSequence = min(firstSequence, tagged.posting.sequence)
    lastSequence = max(lastSequence, tagged.posting.sequence)
    let hash = Self.hash(tagged.tag, tagged.bucket.number)
    var slot = hash & mask
    while true {
      let entry = slots[Int(slot)]
      guard entry != 0 else { break }
      if entry >> 32 == hash >> 32 {
        let index = Int(truncatingIfNeeded: entry & 0xFFFF_FFFF) - 1
        if terms[index].tag == tagged.tag, terms[index].bucket == tagged.bucket.number {
          append(tagged.posting, toTerm: index)
          return
        }
      }
      slot = (slot + 1) & mask
    }
    addTerm(tagged, hash: hash, slot: Int(slot))
  }

  /// The number of the term, or nil.
  func term(_ tag: UInt64, _ bucket: Bucket) -> Int? {
    let hash = Self.hash(tag, bucket.number)
    var slot = hash & mask
    while slots[Int(slot)] != 0 {
      let entry = slots[Int(slot)]
      if entry >> 32 == hash >> 32 {
        let index = Int(truncatingIfNeeded: entry & 0xFFFF_FFFF) - 1
        if terms[index].tag == tag, terms[index].bucket == bucket.number { return index }
      }
      slot = (slot + 1) & mask
    }
    return nil
  }

  /// The places, within the term, of the postings that lie in the range.
  func places(ofTerm term: Int, _ range: PostingRange) -> Range<Int> {
    let lower = partition(term) { range.isBefore($0) }
    let upper = partition(term) { !range.isBeyond($0) }
    return lower..<max(lower, upper)
  }

  /// A term's posting by its place: 0 is the oldest.
  func posting(_ place: Int, ofTerm term: Int) -> Posting {
    let found = terms[term]
    precondition(place >= 0 && place < Int(found.count), "no such posting")
    if place == 0 { return found.first }
    var level = Int(found.level)
    var chunk = Int(found.chunk)
    while place < Self.firstPlace(level) {
      chunk = Int(pool[chunk].sequence)
      level -= 1
    }
    return pool[chunk + 1 + place - Self.firstPlace(level)]
  }

  /// Calls `body` with a term's postings, oldest first.
  func forEachPosting<Failure: Error>(
    ofTerm term: Int, _ body: (Posting) throws(Failure) -> Void
  ) throws(Failure) {
    let found = terms[term]
    try body(found.first)
    guard found.count > 1 else { return }
    var chunks: [Int] = []
    var chunk = Int(found.chunk)
    for _ in 0..<Int(found.level) {
      chunks.append(chunk)
      chunk = Int(pool[chunk].sequence)
    }
    var left = Int(found.count) - 1
    for (level, chunk) in zip(1..., chunks.reversed()) {
      let count = min(left, Self.places(level))
      for index in (chunk + 1)..<(chunk + 1 + count) { try body(pool[index]) }
      left -= count
    }
  }

  private mutating func append(_ posting: Posting, toTerm index: Int) {
    let term = terms[index]
    let level = Int(term.level)
    let used = Int(term.count) - Self.firstPlace(level)
    if level > 0, used < Self.places(level) {
      pool[Int(term.chunk) + 1 + used] = posting
    } else {
      let start = pool.count
      pool.append(Posting(sequence: UInt64(term.chunk), ordinal: 0))
      pool.append(posting)
      pool.append(
        contentsOf: repeatElement(
          Posting(sequence: 0, ordinal: 0), count: Self.places(level + 1) - 1))
      terms[index].chunk = UInt32(start)
      terms[index].level = UInt8(level + 1)
    }
    terms[index].count = term.count + 1
  }

  private mutating func addTerm(_ tagged: TaggedPosting, hash: UInt64, slot: Int) {
    terms.append(
      Term(tag: tagged.tag, bucket: tagged.bucket.number, first: tagged.posting))
    slots[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(terms.count)
    if !buckets.contains(tagged.bucket) { buckets.append(tagged.bucket) }
    if terms.count * 2 > slots.count { grow() }
  }

  private mutating func grow() {
    slots = Array(repeating: 0, count: slots.count * 4)
    mask = UInt64(slots.count - 1)
    for index in terms.indices {
      let hash = Self.hash(terms[index].tag, terms[index].bucket)
      var slot = hash & mask
      while slots[Int(slot)] != 0 { slot = (slot + 1) & mask }
      slots[Int(slot)] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(index + 1)
    }
  }

  private func partition(_ term: Int, _ isBefore: (Posting) -> Bool) -> Int {
    var low = 0
    var high = Int(terms[term].count)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(posting(middle, ofTerm: term)) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Tags are uniform already; the bucket must only set apart equal ones.
  private static func hash(_ tag: UInt64, _ bucket: UInt16) -> UInt64 {
    tag ^ UInt64(bucket) &* 0x9E37_79B9_7F4A_7C15
  }

  /// Postings that a chunk of this level holds beside its header.
  private static func places(_ level: Int) -> Int { (4 << (level - 1)) - 1 }

  /// The place of the first posting in the chunk of this level: one lies in the term itself.
  private static func firstPlace(_ level: Int) -> Int {
    level == 0 ? 0 : (4 << (level - 1)) - 2 - level
  }
}
