import EventModel
import Sodium

/// The period keys of one class of a generation that takes no new events.
final class RetiredCover: Sendable {
  let classNumber: ClassNumber
  let unit: PeriodUnit
  let cover: PeriodCover

  init(_ classNumber: ClassNumber, _ unit: PeriodUnit, _ cover: consuming PeriodCover) {
    self.classNumber = classNumber
    self.unit = unit
    self.cover = cover
  }
}

/// What opens the events of a generation that takes no new ones, as its document holds it.
///
/// ```
/// format u8=1 | class count u8 | zero 6 | stored through ms u64 | data secret 32 | position seed 32 |
/// positions: height u8, reference 48 | classes: number u8 | unit u8 | cover count u8 | seeds of 37
/// ```
/// What is punctured in the tenant's node is punctured here too, so that the covers stay alike and
/// never need more room than those there. The plaintext is changed in place.
struct RetiredKeys: ~Copyable {
  private(set) var plain: SecretBytes

  private static let throughAt = 8
  private static let dataSecretAt = 16
  private static let positionSeedAt = 48
  private static let positionsAt = 80
  private static let classesAt = 129

  /// What `node` has now; no event of it was stored after `storedThrough` (ms since 1970).
  init(of node: borrowing TenantNode, storedThrough: Int64) throws(KeyringError) {
    guard let classes = node.classes else { throw .corrupt }
    var head = SecretBytes(zeroes: Self.classesAt)
    var bytes = head.mutableBytes
    bytes[0] = 1
    bytes.setBigEndian(UInt64(bitPattern: storedThrough), at: Self.throughAt, bytes: 8)
    bytes.set(node.dataSecret, at: Self.dataSecretAt)
    bytes.set(node.positionSeed, at: Self.positionSeedAt)
    node.positions.write(to: &bytes, at: Self.positionsAt)
    plain = try Self.plain(
      head, classes.map { RetiredCover($0.number, $0.policy.unit, $0.cover.copy()) })
  }

  /// Nil when the document is not a generation's.
  init?(_ document: Document) {
    let plain = document.bytes.copy()
    guard Self.isRetired(plain) else { return nil }
    self.plain = plain
  }

  private static func isRetired(_ plain: borrowing SecretBytes) -> Bool {
    plain.count >= classesAt && plain.bytes[0] == 1 && covers(plain.bytes) != nil
  }

  var document: Document { Document(copying: plain.bytes) }

  var storedThrough: Int64 {
    Int64(bitPattern: plain.bytes.bigEndian(at: Self.throughAt, bytes: 8))
  }

  var dataSecret: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get { plain.bytes.extracting(Self.dataSecretAt..<(Self.dataSecretAt + 32)) }
  }
  var positionSeed: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get { plain.bytes.extracting(Self.positionSeedAt..<(Self.positionSeedAt + 32)) }
  }

  /// Empty for as long as ``positionSeed`` covers every position.
  var positions: TrieRoot { TrieRoot(plain.bytes, at: Self.positionsAt) }

  /// The nodes take the place of the seed, which is wiped.
  mutating func setPositions(_ root: borrowing TrieRoot) {
    var bytes = plain.mutableBytes
    root.write(to: &bytes, at: Self.positionsAt)
    for index in 0..<32 { bytes[Self.positionSeedAt + index] = 0 }
  }

  var covers: [RetiredCover] { Self.covers(plain.bytes) ?? [] }

  /// Replaces the covers; `.tenantFull` when the document would be too large.
  mutating func setCovers(_ covers: [RetiredCover]) throws(KeyringError) {
    plain = try Self.plain(plain, covers)
  }

  private static func plain(
    _ head: borrowing SecretBytes, _ covers: [RetiredCover]
  ) throws(KeyringError) -> SecretBytes {
    let count = covers.reduce(classesAt) { $0 + 3 + $1.cover.bytesCount }
    guard count <= Document.bytesMax, covers.count <= 255 else { throw .tenantFull }
    var next = SecretBytes(zeroes: count)
    var bytes = next.mutableBytes
    bytes.set(head.bytes.extracting(0..<classesAt), at: 0)
    bytes[1] = UInt8(covers.count)
    var offset = classesAt
    for cover in covers {
      bytes[offset] = cover.classNumber.rawValue
      bytes[offset + 1] = cover.unit.rawValue
      bytes[offset + 2] = UInt8(cover.cover.count)
      cover.cover.write(to: &bytes, at: offset + 3)
      offset += 3 + cover.cover.bytesCount
    }
    return next
  }

  /// True when no key is left of any period in which an event of the generation was stored.
  var isOver: Bool {
    covers.allSatisfy { cover in
      let last = Period(unit: cover.unit, containing: storedThrough).index
      return (cover.cover.firstPeriod ?? .max) > last
    }
  }

  private static func covers(_ plain: Span<UInt8>) -> [RetiredCover]? {
    var covers: [RetiredCover] = []
    var offset = classesAt
    for _ in 0..<Int(plain[1]) {
      guard offset + 3 <= plain.count, let unit = PeriodUnit(rawValue: plain[offset + 1]) else {
        return nil
      }
      let count = Int(plain[offset + 2])
      let seeds = (offset + 3)..<(offset + 3 + count * PeriodCover.entryBytes)
      guard seeds.upperBound <= plain.count,
        let cover = PeriodCover(unit: unit, count: count, entries: plain.extracting(seeds))
      else { return nil }
      covers.append(RetiredCover(ClassNumber(rawValue: plain[offset]), unit, cover))
      offset = seeds.upperBound
    }
    return covers
  }
}
