import EventModel
import Keyring
import Sodium

/// Lines of one tenant, one day and one run of the daemon, as `log/` keeps them (Docs/Format.md, section 5.5).
///
/// Sealed twice, like a row of erased positions: outside for as long as the tenant lives, so that its
/// day can be told, and inside under the access log's key of that day, so that the lines die with it.
/// The newest block is written over until it is full.
struct AccessBlock: Equatable {
  /// A block takes no more lines when it is so long.
  static let bytesMax = 6 << 10

  /// Dense within a tenant, from 1.
  let number: UInt64
  /// The UTC day of its lines, as days since 1970.
  let day: UInt32
  /// When the daemon's run began: milliseconds since 1970.
  let runMilliseconds: Int64
  private(set) var rows: [AccessRow] = []
  private var bytesCount = 0

  fileprivate static let outerContext = KeyDerivation.Context("LT1.access.out")
  fileprivate static let innerContext = KeyDerivation.Context("LT1.access.in")
  private static let outerKeyContext = KeyDerivation.Context("LT1.access")
  private static let innerKeyContext = KeyDerivation.Context("LT1.accessed")
  fileprivate static let headBytes = 16

  init(number: UInt64, day: UInt32, runMilliseconds: Int64) {
    (self.number, self.day, self.runMilliseconds) = (number, day, runMilliseconds)
  }

  /// The tenant's key for blocks and their labels; it stays when the tenant's generation changes.
  static func outerKey(mapKey: borrowing SecretBytes) -> SealingKey {
    SealingKey(
      KeyDerivation.secret(
        count: 32, key: mapKey.bytes, context: outerKeyContext, message: [UInt8]().span))
  }

  /// The key of the lines of a day.
  static func innerKey(day: borrowing SecretBytes) -> SealingKey {
    SealingKey(
      KeyDerivation.secret(
        count: 32, key: day.bytes, context: innerKeyContext, message: [UInt8]().span))
  }

  /// Where the block of this number lies.
  static func label(_ number: UInt64, _ outer: SealingKey) -> [UInt8] {
    outer.label(number.bigEndianBytes)
  }

  /// False when the line belongs into another block: its day is a later one, or this one is full.
  ///
  /// Days ascend with the numbers, also when the clock goes back.
  mutating func add(_ row: AccessRow) -> Bool {
    guard row.day <= day, bytesCount < Self.bytesMax else { return false }
    if let index = rows.lastIndex(where: { $0.isLike(row) }) {
      bytesCount -= rows[index].bytesCount
      rows[index].add(row)
      bytesCount += rows[index].bytesCount
    } else {
      rows.append(row)
      bytesCount += row.bytesCount
    }
    return true
  }

  /// The block as it is stored.
  func sealed(_ outer: SealingKey, _ inner: SealingKey) -> [UInt8] {
    var lines: [UInt8] = []
    lines.appendBigEndian(UInt64(bitPattern: runMilliseconds), bytes: 8)
    lines.appendBigEndian(UInt64(rows.count), bytes: 4)
    for row in rows { row.write(to: &lines) }
    let padded = Padme.paddedBytes(lines.count)
    lines.append(contentsOf: repeatElement(0, count: padded - lines.count))
    var plain: [UInt8] = [1, 0, 0, 0]
    plain.appendBigEndian(UInt64(day), bytes: 4)
    plain.appendBigEndian(number, bytes: 8)
    plain += inner.seal(
      lines.span, context: Self.innerContext, label: number.bigEndianBytes.span)
    return outer.seal(
      plain.span, context: Self.outerContext, label: Self.label(number, outer).span)
  }
}

extension AccessRow {
  /// The UTC day of the line, as days since 1970.
  var day: UInt32 { Period(unit: .day, containing: firstMilliseconds).index }
}

/// A stored block whose lines are not opened yet.
struct SealedAccessBlock {
  let number: UInt64
  let day: UInt32
  private let inner: [UInt8]

  /// Opens the outside; nil when it is not this tenant's block of this number.
  init?(_ sealed: Span<UInt8>, number: UInt64, _ outer: SealingKey) {
    let label = AccessBlock.label(number, outer)
    guard let plain = outer.open(sealed, context: AccessBlock.outerContext, label: label.span),
      plain.count >= AccessBlock.headBytes, plain[0] == 1,
      plain.span.bigEndian(at: 8, bytes: 8) == number
    else { return nil }
    self.number = number
    day = UInt32(plain.span.bigEndian(at: 4, bytes: 4))
    inner = Array(plain[AccessBlock.headBytes...])
  }

  /// The block with its lines; nil when they were changed.
  func opened(_ key: SealingKey) -> AccessBlock? {
    guard
      let lines = key.open(
        inner.span, context: AccessBlock.innerContext, label: number.bigEndianBytes.span)
    else { return nil }
    var reader = PlanReader(lines)
    guard let run = reader.number(8), let count = reader.number(4) else { return nil }
    var block = AccessBlock(number: number, day: day, runMilliseconds: Int64(bitPattern: run))
    for _ in 0..<count {
      guard let row = AccessRow(&reader) else { return nil }
      block.append(row)
    }
    return block
  }
}

extension AccessBlock {
  fileprivate mutating func append(_ row: AccessRow) {
    rows.append(row)
    bytesCount += row.bytesCount
  }
}
