import EventModel
import Sodium
import Testing

@testable import Keyring

@Suite struct CoverTests {
  private let seed = (0..<32).map { UInt8($0) }

  /// The leaf, by the definition and nothing else.
  private func leaf(_ period: UInt32, depth: Int) -> [UInt8] {
    var node = seed
    for level in (0..<depth).reversed() {
      var children = [UInt8](repeating: 0, count: 64)
      var stream = children.mutableSpan
      ChaCha20.keystream(into: &stream, key: node.span)
      node = period >> UInt32(level) & 1 == 0 ? Array(children[..<32]) : Array(children[32...])
    }
    return node
  }

  private func derives(_ cover: borrowing PeriodCover, _ period: UInt32) -> Bool {
    guard let key = cover.key(for: period) else { return false }
    return key.isEqual(to: leaf(period, depth: cover.depth).span)
  }

  private func isPunctured(_ cover: borrowing PeriodCover, _ period: UInt32) -> Bool {
    guard cover.key(for: period) != nil else { return true }
    return false
  }

  @Test(arguments: [PeriodUnit.day, .hour])
  func `a cover derives exactly the periods that were not punctured`(unit: PeriodUnit) throws {
    var random = SeededGenerator.forTest()
    let end = UInt32(1) << UInt32(PeriodCover.depth(unit))
    for _ in 0..<6 {
      var cover = PeriodCover(unit: unit, seed: seed.span)
      var punctured: [Range<UInt32>] = []
      var probes: Set<UInt32> = [0, end - 1]
      for _ in 0..<8 {
        let lower = UInt32.random(in: 0..<end, using: &random)
        let upper =
          Bool.random(using: &random)
          ? lower + 1 : UInt32.random(in: lower...end, using: &random)
        guard let next = cover.puncturing(lower..<upper) else { throw KeyringError.tenantFull }
        cover = next
        punctured.append(lower..<upper)
        for near in [lower, upper, lower &- 1, upper &- 1] where near < end { probes.insert(near) }
        probes.insert(UInt32.random(in: 0..<end, using: &random))
      }
      for period in probes {
        if punctured.contains(where: { $0.contains(period) }) {
          let isGone = isPunctured(cover, period)
          #expect(isGone)
        } else {
          let isThere = derives(cover, period)
          #expect(isThere)
        }
      }
      let isBeyond = isPunctured(cover, end)
      #expect(isBeyond)
    }
  }

  @Test func `expiry in order needs at most one seed a level`() throws {
    var random = SeededGenerator.forTest()
    var cover = PeriodCover(unit: .day, seed: seed.span)
    var first: UInt32 = 0
    var most = 0
    while first < 60_000 {
      first += UInt32.random(in: 1...300, using: &random)
      guard let next = cover.puncturing(0..<first) else { throw KeyringError.tenantFull }
      cover = next
      most = max(most, cover.count)
      let found = cover.firstPeriod
      #expect(found == first)
    }
    #expect(most <= 16)
  }

  @Test func `a hole out of order adds at most fifteen seeds`() throws {
    var random = SeededGenerator.forTest()
    var cover = PeriodCover(unit: .day, seed: seed.span)
    for _ in 0..<10 {
      let before = cover.count
      let period = UInt32.random(in: 0..<65_536, using: &random)
      guard let next = cover.puncturing(period..<(period + 1)) else {
        throw KeyringError.tenantFull
      }
      cover = next
      let count = cover.count
      #expect(count <= before + 15)
    }
  }

  @Test func `a cover with too many holes is refused and stays as it was`() throws {
    var cover = PeriodCover(unit: .day, seed: seed.span)
    var period: UInt32 = 0
    var isRefused = false
    while !isRefused, period < 65_536 {
      if let next = cover.puncturing(period..<(period + 1)) {
        cover = next
      } else {
        isRefused = true
      }
      period += 200
    }
    let (count, isThere) = (cover.count, derives(cover, 65_000))
    #expect(isRefused)
    #expect(count <= PeriodCover.seedsMax)
    #expect(isThere)
  }

  @Test func `everything punctured leaves an empty cover`() throws {
    guard let cover = PeriodCover(unit: .hour, seed: seed.span).puncturing(0..<(1 << 20)) else {
      throw KeyringError.tenantFull
    }
    let (count, first) = (cover.count, cover.firstPeriod)
    #expect(count == 0)
    #expect(first == nil)
  }

  @Test func `leaves of positions are those of the definition, in any order`() {
    var random = SeededGenerator.forTest()
    let secret = SecretBytes(copying: seed.span)
    var tree = PositionTree(seed: secret)
    var positions = Array(UInt64(1)...40) + [255, 256, 257, 4_095, 4_096, (1 << 48) - 1, 0]
    for _ in 0..<60 {
      let start = UInt64.random(in: 0..<(1 << 48) - 4, using: &random)
      positions += [start, start + 1, start ^ (1 << UInt64.random(in: 0..<48, using: &random))]
    }
    for position in positions {
      var node = seed
      for level in (0..<12).reversed() {
        var children = [UInt8](repeating: 0, count: 512)
        var stream = children.mutableSpan
        ChaCha20.keystream(into: &stream, key: node.span)
        let digit = Int(position >> UInt64(4 * level) & 15)
        node = Array(children[(digit * 32)..<(digit * 32 + 32)])
      }
      let isSame = ConstantTime.areEqual(tree.leaf(position), node.span)
      #expect(isSame, "position \(position)")
    }
  }
}
