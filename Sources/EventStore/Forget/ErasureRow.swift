import EventModel
import Keyring
import Sodium
import Storage

/// Positions that an act of forgetting erased, as `log/` keeps them (Docs/Format.md, section 5.4).
///
/// Sealed twice: outside for as long as the tenant lives, so that its time can be told; the positions
/// inside under the period key of the day of the act, so that they die with it.
struct ErasureRow: Equatable {
  /// Positions are told in rows of at most so many ranges, which bounds a row to 12 KB.
  static let rangesMax = 1_000

  let number: UInt64
  let timeMilliseconds: Int64
  /// The ledger's entry of the act: a row without it is of an act that never came to be.
  let ledgerIndex: UInt64
  let planHash: [UInt8]
  /// Whose period key seals the positions.
  let generation: UInt16
  let period: Period
  /// The positions, sealed.
  let inner: [UInt8]

  /// Rows of a lineage are numbered from this number on, which it does not have itself.
  ///
  /// A restore begins a lineage, and what was told after its backup was taken is not in its log: so
  /// no number that a client has seen is given out again, and every later one is greater.
  static func base(ofLineage lineage: UInt16) -> UInt64 {
    #if DEBUG
      if TestHooks.isVariant("erasure-numbers-kept") { return 0 }
    #endif
    return UInt64(max(1, lineage) - 1) << numberBits
  }

  /// The base of the lineage behind that of `number`.
  static func base(after number: UInt64) -> UInt64 {
    ((number - 1) >> numberBits + 1) << numberBits
  }

  private static let numberBits: UInt64 = 32
  private static let headBytes = 72
  private static let outerContext = KeyDerivation.Context("LT1.erasure.out")
  private static let innerContext = KeyDerivation.Context("LT1.erasure.in")
  private static let outerKeyContext = KeyDerivation.Context("LT1.erasures")
  private static let innerKeyContext = KeyDerivation.Context("LT1.erased")

  /// The tenant's key for rows and their labels.
  static func outerKey(mapKey: borrowing SecretBytes) -> SealingKey {
    SealingKey(
      KeyDerivation.secret(
        count: 32, key: mapKey.bytes, context: outerKeyContext, message: [UInt8]().span))
  }

  /// The key of the positions of acts in a period.
  static func innerKey(period: borrowing SecretBytes) -> SealingKey {
    SealingKey(
      KeyDerivation.secret(
        count: 32, key: period.bytes, context: innerKeyContext, message: [UInt8]().span))
  }

  /// Where the row of this number lies.
  static func label(_ number: UInt64, _ outer: SealingKey) -> [UInt8] {
    outer.label(number.bigEndianBytes)
  }

  /// Seals `positions` into a row.
  init(
    number: UInt64, timeMilliseconds: Int64, ledgerIndex: UInt64, planHash: [UInt8],
    generation: UInt16, period: Period, positions: ArraySlice<ClosedRange<UInt64>>,
    sequences: Range<UInt64>?, inner key: SealingKey
  ) {
    precondition(positions.count <= Self.rangesMax && planHash.count == 32, "a row is bounded")
    self.number = number
    self.timeMilliseconds = timeMilliseconds
    self.ledgerIndex = ledgerIndex
    self.planHash = planHash
    self.generation = generation
    self.period = period
    var plain: [UInt8] = []
    plain.appendBigEndian(UInt64(positions.count), bytes: 4)
    for range in positions {
      plain.appendBigEndian(range.lowerBound, bytes: 6)
      plain.appendBigEndian(range.upperBound, bytes: 6)
    }
    plain.appendBigEndian(sequences?.lowerBound ?? 0, bytes: 8)
    plain.appendBigEndian(sequences?.upperBound ?? 0, bytes: 8)
    let padded = Padme.paddedBytes(plain.count)
    plain.append(contentsOf: repeatElement(0, count: padded - plain.count))
    inner = key.seal(
      plain.span, context: Self.innerContext, label: number.bigEndianBytes.span)
  }

  /// The row as it is stored.
  func sealed(_ outer: SealingKey) -> [UInt8] {
    var plain: [UInt8] = [1, period.unit.rawValue]
    plain.appendBigEndian(UInt64(period.index), bytes: 4)
    plain.appendBigEndian(UInt64(generation), bytes: 2)
    plain.appendBigEndian(number, bytes: 8)
    plain.appendBigEndian(UInt64(bitPattern: timeMilliseconds), bytes: 8)
    plain.appendBigEndian(ledgerIndex, bytes: 8)
    plain += planHash
    plain.append(contentsOf: repeatElement(0, count: Self.headBytes - plain.count))
    plain += inner
    return outer.seal(
      plain.span, context: Self.outerContext, label: Self.label(number, outer).span)
  }

  /// The period of its tenant whose key seals the positions; that of the class `default`.
  func periodID(_ tenant: TenantNumber) -> PeriodID {
    PeriodID(
      tenant: tenant, generation: generation, classNumber: .default, period: period)
  }

  /// Opens a stored row; nil when it is not this tenant's row of this number.
  init?(_ sealed: Span<UInt8>, number: UInt64, _ outer: SealingKey) {
    let label = Self.label(number, outer)
    guard let plain = outer.open(sealed, context: Self.outerContext, label: label.span),
      plain.count >= Self.headBytes, plain[0] == 1, let unit = PeriodUnit(rawValue: plain[1]),
      plain.span.bigEndian(at: 8, bytes: 8) == number
    else { return nil }
    self.number = number
    timeMilliseconds = Int64(bitPattern: plain.span.bigEndian(at: 16, bytes: 8))
    ledgerIndex = plain.span.bigEndian(at: 24, bytes: 8)
    planHash = Array(plain[32..<64])
    generation = UInt16(plain.span.bigEndian(at: 6, bytes: 2))
    period = Period(unit: unit, index: UInt32(plain.span.bigEndian(at: 2, bytes: 4)))
    inner = Array(plain[Self.headBytes...])
  }

  /// The positions; nil when they were changed.
  func positions(_ key: SealingKey) -> [ClosedRange<UInt64>]? { content(key)?.positions }

  /// The positions, and between which sequences they lie when that is known; nil when they were changed.
  func content(
    _ key: SealingKey
  ) -> (positions: [ClosedRange<UInt64>], sequences: Range<UInt64>?)? {
    guard
      let plain = key.open(
        inner.span, context: Self.innerContext, label: number.bigEndianBytes.span),
      plain.count >= 20
    else { return nil }
    let count = Int(plain.span.bigEndian(at: 0, bytes: 4))
    guard count <= (plain.count - 20) / 12 else { return nil }
    var ranges: [ClosedRange<UInt64>] = []
    for index in 0..<count {
      let first = plain.span.bigEndian(at: 4 + 12 * index, bytes: 6)
      let last = plain.span.bigEndian(at: 10 + 12 * index, bytes: 6)
      guard first <= last else { return nil }
      ranges.append(first...last)
    }
    let first = plain.span.bigEndian(at: 4 + 12 * count, bytes: 8)
    let end = plain.span.bigEndian(at: 12 + 12 * count, bytes: 8)
    return (ranges, first > 0 && first < end ? first..<end : nil)
  }
}

extension [UInt64] {
  /// The numbers as ascending ranges that do not touch one another.
  var asRanges: [ClosedRange<UInt64>] {
    var ranges: [ClosedRange<UInt64>] = []
    for number in sorted() {
      if let last = ranges.last, number <= last.upperBound + 1 {
        ranges[ranges.count - 1] = last.lowerBound...Swift.max(number, last.upperBound)
      } else {
        ranges.append(number...number)
      }
    }
    return ranges
  }
}

extension [ClosedRange<UInt64>] {
  /// Adds a number that is greater than all before.
  mutating func add(_ number: UInt64) {
    if let last, last.upperBound + 1 == number {
      self[count - 1] = last.lowerBound...number
    } else {
      append(number...number)
    }
  }
}
