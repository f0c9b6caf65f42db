import EventModel
import Sodium

// How a tenant's node has its retention classes (Docs/Format.md, section 4.2): one behind the other,
// each as long as it needs, so that the covers of a few classes fit into one node.

extension RetentionClass {
  private static let isHours: UInt8 = 1
  private static let isCompliance: UInt8 = 2
  private static let restricts: UInt8 = 4
  private static let isShortened: UInt8 = 8

  /// Length of what ``write(to:at:)`` writes.
  var bytesCount: Int {
    10 + name.count + policy.purpose.count + 8 * policy.steps.count
      + (policy.shortening == nil ? 0 : 12) + cover.bytesCount
  }

  /// Returns where the next class begins.
  func write(to bytes: inout MutableSpan<UInt8>, at start: Int) -> Int {
    var flags: UInt8 = policy.unit == .hour ? Self.isHours : 0
    if policy.mode == .compliance { flags |= Self.isCompliance }
    if policy.onRequest == .restrict { flags |= Self.restricts }
    if policy.shortening != nil { flags |= Self.isShortened }
    var head = [number.rawValue, flags, UInt8(name.count)] + name
    head.append(UInt8(policy.purpose.count))
    head += policy.purpose
    head.appendBigEndian(UInt64(policy.minimumPeriods), bytes: 4)
    head.append(UInt8(policy.steps.count))
    for step in policy.steps {
      head.appendBigEndian(UInt64(step.from), bytes: 4)
      head.appendBigEndian(UInt64(step.periods), bytes: 4)
    }
    if let shortening = policy.shortening {
      head.appendBigEndian(UInt64(shortening.periods), bytes: 4)
      head.appendBigEndian(UInt64(bitPattern: shortening.inForceMilliseconds), bytes: 8)
    }
    head.append(UInt8(cover.count))
    bytes.set(head.span, at: start)
    cover.write(to: &bytes, at: start + head.count)
    return start + head.count + cover.bytesCount
  }

  /// The class at `offset`, which is moved behind it; nil when there is none.
  static func read(_ plain: Span<UInt8>, at offset: inout Int) -> RetentionClass? {
    var fields = Fields(plain, at: offset)
    guard let number = fields.number(1), let flags = fields.number(1), flags < 16,
      let name = fields.text(), let purpose = fields.text(), let minimum = fields.number(4),
      let count = fields.number(1)
    else { return nil }
    var steps: [RetentionPolicy.Step] = []
    for _ in 0..<count {
      guard let from = fields.number(4), let periods = fields.number(4) else { return nil }
      steps.append(RetentionPolicy.Step(from: UInt32(from), periods: UInt32(periods)))
    }
    var shortening: RetentionPolicy.Shortening?
    if UInt8(flags) & isShortened != 0 {
      guard let periods = fields.number(4), let inForce = fields.number(8) else { return nil }
      shortening = RetentionPolicy.Shortening(
        periods: UInt32(periods), inForceMilliseconds: Int64(bitPattern: inForce))
    }
    let unit: PeriodUnit = UInt8(flags) & isHours == 0 ? .day : .hour
    guard let seeds = fields.number(1),
      let policy = RetentionPolicy(
        unit: unit, steps: steps, shortening: shortening, minimumPeriods: UInt32(minimum),
        purpose: purpose, mode: UInt8(flags) & isCompliance == 0 ? .governance : .compliance,
        onRequest: UInt8(flags) & restricts == 0 ? .erase : .restrict)
    else { return nil }
    let end = fields.offset + Int(seeds) * PeriodCover.entryBytes
    guard end <= plain.count,
      let cover = PeriodCover(
        unit: unit, count: Int(seeds), entries: plain.extracting(fields.offset..<end))
    else { return nil }
    offset = end
    return RetentionClass(
      number: ClassNumber(rawValue: UInt8(number)), name: name, policy: policy, cover: cover)
  }

  /// Reads one field after the other within bounds.
  private struct Fields: ~Escapable {
    private let bytes: Span<UInt8>
    private(set) var offset: Int

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, at offset: Int) {
      self.bytes = bytes
      self.offset = offset
    }

    mutating func number(_ count: Int) -> UInt64? {
      guard offset + count <= bytes.count else { return nil }
      defer { offset += count }
      return bytes.bigEndian(at: offset, bytes: count)
    }

    /// A name: a length and so many bytes.
    mutating func text() -> [UInt8]? {
      guard let count = number(1), count <= Limits.classNameBytesMax,
        offset + Int(count) <= bytes.count
      else { return nil }
      defer { offset += Int(count) }
      return bytes.extracting(offset..<(offset + Int(count))).array
    }
  }
}
