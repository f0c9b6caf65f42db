import EventModel
import TransparencyLog

/// What a page shows of the ledger and no check needs: when, how often, and since when.
struct LedgerHistory: Sendable {
  /// Entries by the day on which they were written.
  private(set) var days: [Int64: UInt64] = [:]
  private(set) var acts: [LedgerEntry.Act: UInt64] = [:]
  /// How often each command was refused.
  private(set) var refusals: [String: UInt64] = [:]
  /// When the root was replaced, ascending.
  private(set) var rootMilliseconds: [Int64] = []
  /// When each tenant came, and when it got new keys for its events.
  private(set) var tenants: [TenantNumber: [Int64]] = [:]
  /// The indices of entries that are not there, ascending; at most ``missingMax``.
  private(set) var missing: [UInt64] = []
  /// The ledger's checkpoints, and whether it is the one that they sign.
  private(set) var checkpoints: [(head: Head, isRight: Bool)] = []

  /// Days, replacements and missing entries that are kept.
  static let daysMax = 100_000
  static let replacementsMax = 1_000_000
  static let missingMax = 10_000
  /// Commands whose refusals are counted; there are fewer.
  static let verbsMax = 1_000

  mutating func note(_ entry: LedgerEntry, isNewRoot: Bool) {
    let day = max(0, entry.timeMilliseconds) / 86_400_000
    if days[day] != nil || days.count < Self.daysMax { days[day, default: 0] += 1 }
    if entry.act == .refused {
      noteRefused(String(decoding: entry.verb, as: UTF8.self))
    } else {
      acts[entry.act, default: 0] += 1
    }
    if isNewRoot, rootMilliseconds.count < Self.replacementsMax {
      rootMilliseconds.append(entry.timeMilliseconds)
    }
    switch entry.act {
    case .tenantCreated, .generationBegun, .lineageBegun:
      if tenants.count < Self.replacementsMax, tenants[entry.tenant, default: []].count < 1_000 {
        tenants[entry.tenant, default: []].append(entry.timeMilliseconds)
      }
    default: break
    }
  }

  private mutating func noteRefused(_ verb: String) {
    if refusals[verb] != nil || refusals.count < Self.verbsMax { refusals[verb, default: 0] += 1 }
  }

  mutating func noteMissing(_ index: UInt64) {
    if missing.count < Self.missingMax { missing.append(index) }
  }

  mutating func note(right: [Head], wrong: [Head]) {
    checkpoints = right.map { ($0, true) } + wrong.map { ($0, false) }
  }

  /// The entries that are there, of `count`, in ascending ranges.
  func present(of count: UInt64) -> [ClosedRange<UInt64>] {
    var ranges: [ClosedRange<UInt64>] = []
    var next: UInt64 = 1
    for index in missing where index >= next && index <= count {
      if index > next { ranges.append(next...(index - 1)) }
      next = index + 1
    }
    if next <= count { ranges.append(next...count) }
    return ranges
  }
}
