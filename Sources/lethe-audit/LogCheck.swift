import EventModel
import TransparencyLog

/// Events of one class and period of a log, by what has become of them.
struct PeriodCounts: Hashable, Sendable {
  struct Key: Hashable, Sendable {
    /// The log's number in the bundle, from 1.
    let log: Int
    /// Nil: nobody knows any more.
    let classNumber: UInt8?
    let period: Period
  }

  private(set) var live: UInt64 = 0
  private(set) var restricted: UInt64 = 0
  private(set) var erased: UInt64 = 0
  private(set) var expired: UInt64 = 0
  private(set) var faulty: UInt64 = 0
  /// Of all of these, those of which only the hash is left.
  private(set) var purged: UInt64 = 0

  mutating func add(_ row: LeafRow) {
    switch row.state {
    case .live: live += 1
    case .restricted: restricted += 1
    case .erased: erased += 1
    case .expired: expired += 1
    case .damaged, .missing: faulty += 1
    }
    if row.isPurged { purged += 1 }
  }

  mutating func add(_ other: PeriodCounts) {
    live += other.live
    restricted += other.restricted
    erased += other.erased
    expired += other.expired
    faulty += other.faulty
    purged += other.purged
  }
}

/// What all logs together gave.
struct LogFacts: Sendable {
  var periods: [PeriodCounts.Key: PeriodCounts] = [:]
  var events: UInt64 = 0
  /// Records that were hashed and are those of their leaves.
  var rehashed: UInt64 = 0
  /// Leaves whose record is not in the bundle, since it was purged.
  var purged: UInt64 = 0
  /// Leaves whose record was not asked for.
  var notSampled: UInt64 = 0
  /// Erased events of which no act tells any more that it was the one.
  var untold: UInt64 = 0
  /// Events that an act says it has erased, by what is stated of them.
  var toldButLive: UInt64 = 0

  /// Classes and periods that are counted apart.
  static let periodsMax = 1_000_000
}

/// Reads one tenant's log: re-hashes its ciphertext, and compares the leaves with the checkpoints.
struct LogCheck {
  private let number: Int
  private let log: Manifest.Log
  private var erased: RangeSweep
  /// Of the rows just read, which have one class and period.
  private var run: (key: PeriodCounts.Key, counts: PeriodCounts)?
  /// The positions that were drawn and did not come yet, the greatest first; nil: all.
  private var wanted: [UInt64]?
  private var missing: UInt64 = 0

  init(_ number: Int, _ manifest: Manifest, erased: [ErasedRange]) {
    self.number = number
    log = manifest.logs[number - 1]
    self.erased = RangeSweep(erased.map(\.positions))
    wanted = manifest.challenge?.positions(of: log.origin, size: log.events).reversed()
  }

  private var place: String { "log \(number)" }

  /// Runs through the files and adds the log's share to the facts.
  mutating func read(
    _ leaves: inout BundleFile, _ records: inout BundleFile, _ heads: [Head],
    _ facts: inout LogFacts, _ findings: inout Findings
  ) {
    var check = HeadCheck(heads)
    var position: UInt64 = 0
    var stream = RecordStream()
    while leaves.fill(LeafRow.bytes) {
      position += 1
      let row = leaves.withBytes(LeafRow.bytes) { LeafRow($0, at: 0) }
      leaves.take(LeafRow.bytes)
      guard let row else {
        findings.add(
          "LOG-3", .recomputed, .tampered, "\(leaves.name), position \(position): no row")
        break
      }
      check.append(LeafHash(position: position, recordHash: row.recordHash))
      count(row, position, &facts, &findings)
      compare(row, position, &stream, &records, &facts, &findings)
    }
    endRun(&facts, &findings)
    if stream.next(&records) != nil {
      findings.add(
        "LOG-2", .recomputed, .tampered, "\(records.name): a record behind the last that belongs")
    }
    for fault in [leaves.finish(), records.finish()] {
      if let fault { findings.add("BUN-2", .recomputed, .tampered, fault) }
    }
    check.conclude("LOG", place, isWhole: missing == 0, expected: log.events, &findings)
  }

  private mutating func endRun(_ facts: inout LogFacts, _ findings: inout Findings) {
    guard let (key, counts) = run else { return }
    run = nil
    if facts.periods[key] != nil || facts.periods.count < LogFacts.periodsMax {
      facts.periods[key, default: PeriodCounts()].add(counts)
    } else {
      findings.add("LOG-4", .recomputed, .unknown, "\(place): more periods than this program reads")
    }
  }

  private mutating func count(
    _ row: LeafRow, _ position: UInt64, _ facts: inout LogFacts, _ findings: inout Findings
  ) {
    facts.events += 1
    let key = PeriodCounts.Key(log: number, classNumber: row.classNumber, period: row.period)
    if run?.key != key {
      endRun(&facts, &findings)
      run = (key, PeriodCounts())
    }
    run?.counts.add(row)
    let isTold = erased.contains(position)
    switch row.state {
    case .live where isTold:
      facts.toldButLive += 1
      findings.add(
        "ERA-2", .stated, .finding, "\(place), position \(position): told erased, and it is live")
    case .erased where !isTold: facts.untold += 1
    case .damaged:
      findings.add(
        "LOG-3", .stated, .finding, "\(place), position \(position): the record is damaged")
    case .missing:
      missing += 1
      findings.add(
        "LOG-3", .recomputed, .unknown, "\(place), position \(position) is missing")
    default: break
    }
  }

  /// Hashes the record of a row, if there must be one.
  private mutating func compare(
    _ row: LeafRow, _ position: UInt64, _ stream: inout RecordStream,
    _ records: inout BundleFile, _ facts: inout LogFacts, _ findings: inout Findings
  ) {
    let isDrawn = wants(position)
    guard isDrawn, !row.isPurged, row.state != .missing else {
      if row.isPurged { facts.purged += 1 } else if !isDrawn { facts.notSampled += 1 }
      return
    }
    guard let next = stream.next(&records), next.position == position else {
      findings.add(
        "LOG-2", .recomputed, .tampered,
        "\(place), position \(position): its record is not in \(records.name)")
      return
    }
    if stream.take(&records) == row.recordHash {
      facts.rehashed += 1
    } else {
      findings.add(
        "LOG-2", .recomputed, .tampered,
        "\(place), position \(position): the record has another hash than the leaf")
    }
  }

  private mutating func wants(_ position: UInt64) -> Bool {
    guard wanted != nil else { return true }
    while let last = wanted?.last, last < position { wanted?.removeLast() }
    return wanted?.last == position
  }
}

/// The records of a log, one after the other.
struct RecordStream {
  /// Where the record in front stands, and its length.
  struct Front {
    let position: UInt64
    let count: Int
  }

  private static let headBytes = 12
  private var front: Front?

  /// The record in front, or nil when there is none (any more) that is whole.
  mutating func next(_ file: inout BundleFile) -> Front? {
    if let front { return front }
    guard file.fill(Self.headBytes) else { return nil }
    let found = file.withBytes(Self.headBytes) { head in
      Front(
        position: head.bigEndian(at: 0, bytes: 8), count: Int(head.bigEndian(at: 8, bytes: 4)))
    }
    // A record is bounded, so memory is.
    guard found.count <= Limits.regionBytesMax + 1_024,
      file.fill(Self.headBytes + found.count)
    else { return nil }
    front = found
    return found
  }

  /// Hashes the record in front and goes on behind it.
  mutating func take(_ file: inout BundleFile) -> RecordHash? {
    guard let front else { return nil }
    let whole = Self.headBytes + front.count
    let hash = file.withBytes(whole) { bytes in
      RecordHash.sha256(bytes.extracting(Self.headBytes..<whole))
    }
    file.take(whole)
    self.front = nil
    return hash
  }
}

/// Asks ascending positions whether they lie in any of some ranges.
struct RangeSweep: Sendable {
  private let ranges: [ClosedRange<UInt64>]
  private var next = 0
  private var reached: UInt64 = 0

  init(_ ranges: [ClosedRange<UInt64>]) {
    self.ranges = ranges.sorted { $0.lowerBound < $1.lowerBound }
  }

  mutating func contains(_ position: UInt64) -> Bool {
    while next < ranges.count, ranges[next].lowerBound <= position {
      reached = max(reached, ranges[next].upperBound)
      next += 1
    }
    return position <= reached
  }
}
