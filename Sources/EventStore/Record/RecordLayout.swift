import EventModel

/// Where the parts of a record lie (Docs/Format.md, section 5.1).
///
/// ```
/// 0 version | 1 suite | 2 nonce 16 | 18 routing 22 | 40 routing tag 8 | 48 header 32
/// 80 commitment 32 | 112 [second header block 32] | body .. | tag 16
/// ```
enum RecordLayout {
  static let version: UInt8 = 1
  /// In the place of the suite: nothing is left to be opened (``BareRecord``).
  static let bareSuite: UInt8 = 0xFF
  static let nonceAt = 2
  static let routing = 18..<40
  static let routingTagAt = 40
  /// What the routing tag covers, before the routing is masked.
  static let tagged = 0..<40
  static let header = 48..<80
  static let commitment = 80..<112
  static let regionAt = 112
  static let secondBlockBytes = 32
  static let tagBytes = 16
  static let overheadBytes = 128

  /// Where the body of an event with so many subjects begins.
  static func bodyAt(subjectCount: Int) -> Int {
    subjectCount > 2 ? regionAt + secondBlockBytes : regionAt
  }

  /// Length of the record of a body with so many bytes.
  static func recordBytes(bodyBytes: Int, subjectCount: Int) -> Int {
    let region = bodyBytes + (subjectCount > 2 ? secondBlockBytes : 0)
    return overheadBytes + Padme.paddedBytes(region)
  }
}

/// A record's routing fields: whose it is and which keys it needs.
///
/// Masked on the disk.
struct Routing: Hashable, Sendable {
  var tenant: TenantNumber
  var position: UInt64
  var generation: UInt16
  var classNumber: ClassNumber
  var period: Period

  /// Writes the 22 plain bytes at `offset`.
  func write(to record: inout MutableSpan<UInt8>, at offset: Int) {
    record.setBigEndian(UInt64(tenant.rawValue), at: offset, bytes: 4)
    record.setBigEndian(position, at: offset + 4, bytes: 8)
    record.setBigEndian(UInt64(generation), at: offset + 12, bytes: 2)
    record[offset + 14] = classNumber.rawValue
    record[offset + 15] = period.unit.rawValue
    record.setBigEndian(UInt64(period.index), at: offset + 16, bytes: 4)
    record.setBigEndian(0, at: offset + 20, bytes: 2)
  }

  init(
    tenant: TenantNumber, position: UInt64, generation: UInt16, classNumber: ClassNumber,
    period: Period
  ) {
    self.tenant = tenant
    self.position = position
    self.generation = generation
    self.classNumber = classNumber
    self.period = period
  }

  /// Reads the 22 plain bytes at `offset`; nil when they cannot be routing fields.
  init?(_ record: Span<UInt8>, at offset: Int) {
    guard let unit = PeriodUnit(rawValue: record[offset + 15]),
      record.bigEndian(at: offset + 20, bytes: 2) == 0
    else { return nil }
    tenant = TenantNumber(rawValue: UInt32(record.bigEndian(at: offset, bytes: 4)))
    position = record.bigEndian(at: offset + 4, bytes: 8)
    generation = UInt16(record.bigEndian(at: offset + 12, bytes: 2))
    classNumber = ClassNumber(rawValue: record[offset + 14])
    period = Period(unit: unit, index: UInt32(record.bigEndian(at: offset + 16, bytes: 4)))
  }
}

/// A record's header: what the index is rebuilt from.
///
/// It survives its persons and dies with the
/// period.
struct RecordHeader: Hashable, Sendable {
  var stream: Slot
  var version: UInt64
  var storedMilliseconds: Int64
  /// Ascending; none for an impersonal event.
  var subjects: SubjectSlots

  /// Writes the plain first block at `offset`.
  func write(to record: inout MutableSpan<UInt8>, at offset: Int) {
    record.setBigEndian(stream.rawValue, at: offset, bytes: 5)
    record.setBigEndian(version, at: offset + 5, bytes: 6)
    record.setBigEndian(UInt64(storedMilliseconds), at: offset + 11, bytes: 6)
    record[offset + 17] = UInt8(subjects.count)
    record.setBigEndian(subjects[0].rawValue, at: offset + 18, bytes: 5)
    record.setBigEndian(subjects[1].rawValue, at: offset + 23, bytes: 5)
    record.setBigEndian(0, at: offset + 28, bytes: 4)
  }

  /// Writes the plain second block at `offset`.
  func writeSecond(to record: inout MutableSpan<UInt8>, at offset: Int) {
    record.setBigEndian(subjects[2].rawValue, at: offset, bytes: 5)
    record.setBigEndian(subjects[3].rawValue, at: offset + 5, bytes: 5)
  }

  init(stream: Slot, version: UInt64, storedMilliseconds: Int64, subjects: SubjectSlots) {
    self.stream = stream
    self.version = version
    self.storedMilliseconds = storedMilliseconds
    self.subjects = subjects
  }

  /// Reads plain blocks (the second may be empty when there are at most two subjects).
  init?(first: Span<UInt8>, second: Span<UInt8>) {
    let count = Int(first[17])
    guard count <= Limits.subjectsMax, first.bigEndian(at: 28, bytes: 4) == 0,
      count <= 2 || second.count == RecordLayout.secondBlockBytes
    else { return nil }
    stream = Slot(rawValue: first.bigEndian(at: 0, bytes: 5))
    version = first.bigEndian(at: 5, bytes: 6)
    storedMilliseconds = Int64(first.bigEndian(at: 11, bytes: 6))
    subjects = SubjectSlots()
    if count > 0 { subjects.append(Slot(rawValue: first.bigEndian(at: 18, bytes: 5))) }
    if count > 1 { subjects.append(Slot(rawValue: first.bigEndian(at: 23, bytes: 5))) }
    if count > 2 { subjects.append(Slot(rawValue: second.bigEndian(at: 0, bytes: 5))) }
    if count > 3 { subjects.append(Slot(rawValue: second.bigEndian(at: 5, bytes: 5))) }
  }
}

/// Up to four slots of data subjects, ascending.
struct SubjectSlots: Hashable, Sendable {
  private var s0: UInt64 = 0
  private var s1: UInt64 = 0
  private var s2: UInt64 = 0
  private var s3: UInt64 = 0
  private(set) var count = 0

  /// The slot at `index`, or slot 0 beyond the end.
  subscript(index: Int) -> Slot {
    switch index {
    case 0: Slot(rawValue: s0)
    case 1: Slot(rawValue: s1)
    case 2: Slot(rawValue: s2)
    default: Slot(rawValue: s3)
    }
  }

  /// Adds a slot at its place in the order; a slot that is there already is not added again.
  mutating func append(_ slot: Slot) {
    if count == 0 {
      s0 = slot.rawValue
      count = 1
      return
    }
    guard count < Limits.subjectsMax, !contains(slot) else { return }
    var sorted = (0..<count).map { self[$0].rawValue }
    sorted.append(slot.rawValue)
    sorted.sort()
    count = sorted.count
    s0 = sorted[0]
    s1 = count > 1 ? sorted[1] : 0
    s2 = count > 2 ? sorted[2] : 0
    s3 = count > 3 ? sorted[3] : 0
  }

  /// Counts a person whose slot is not known any more.
  mutating func appendNobody() {
    precondition(count < Limits.subjectsMax, "an event has room for four")
    count += 1
  }

  func contains(_ slot: Slot) -> Bool {
    (0..<count).contains { self[$0] == slot }
  }
}
