import EventModel
import Keyring
import Storage

/// What was destroyed since the last run, and where its records lie.
struct PurgeWork {
  /// The ledger's newest line.
  let newestAct: UInt64
  /// How many lines destroyed something.
  private(set) var actCount: UInt64 = 0
  /// When the first of these was written.
  private(set) var sinceMilliseconds: Int64?
  /// True when only the whole log tells.
  private(set) var needsSweep = false
  /// Sequences that are looked at one after the other, ascending and apart.
  private(set) var sweeps: [Range<UInt64>] = []
  /// Positions whose postings lead to the records.
  private(set) var positions: [TenantNumber: [ClosedRange<UInt64>]] = [:]

  private static let ledgerPage = 1_024

  var isEmpty: Bool { actCount == 0 }

  /// Reads the ledger behind line `act`; nil while something that it says is not final.
  init?(_ shared: SharedEngine, after act: UInt64) throws(StoreError) {
    guard try shared.isForgettingFinal() else { return nil }
    try self.init(ledgerOf: shared, after: act)
    guard !needsSweep, actCount > 0 else { return }
    // One line may concern every tenant.
    for tenant in shared.withState({ $0.tenants.keys.sorted() }) {
      try add(tenant, since: act + 1, shared)
    }
    sweeps = sweeps.merged
  }

  /// Reads the ledger only.
  init(ledgerOf shared: SharedEngine, after act: UInt64) throws(StoreError) {
    var next = act + 1
    var newest = act
    var (count, since, needsSweep): (UInt64, Int64?, Bool) = (0, nil, false)
    while true {
      let lines = try shared.withState { (state) throws(StoreError) in
        try StoreError.translating { () throws(KeyringError) in
          try state.keyring.ledgerEntries(from: next, limit: Self.ledgerPage)
        }
      }
      guard let last = lines.last else { break }
      for (_, entry) in lines where entry.act.leavesCiphertext {
        count += 1
        since = since ?? entry.timeMilliseconds
        needsSweep = needsSweep || entry.act.tellsNoPositions
      }
      newest = last.index
      next = newest + 1
    }
    newestAct = newest
    (actCount, sinceMilliseconds, self.needsSweep) = (count, since, needsSweep)
  }

  private mutating func add(
    _ tenant: TenantNumber, since act: UInt64, _ shared: SharedEngine
  ) throws(StoreError) {
    var (found, ranges): ([ClosedRange<UInt64>], [Range<UInt64>]) = ([], [])
    var isUnknown = false
    try shared.erasures.forEachRow(tenant, sinceAct: act, shared: shared) { positions, sequences in
      if let sequences { ranges.append(sequences) } else { found += positions }
    } unknown: {
      isUnknown = true
    }
    sweeps += ranges
    if !found.isEmpty { positions[tenant] = found }
    needsSweep = needsSweep || isUnknown
  }
}

extension LedgerEntry.Act {
  /// True when records may have lost their keys by it.
  fileprivate var leavesCiphertext: Bool {
    switch self {
    case .tenantShredded, .subjectShredded, .periodsExpired, .eventsShredded, .streamShredded,
      .periodShredded, .lineageBegun, .holdReleased:
      true
    default: false
    }
  }

  /// True when no rows say where the records lie.
  fileprivate var tellsNoPositions: Bool {
    self == .tenantShredded || self == .lineageBegun || self == .holdReleased
  }
}

extension SharedEngine {
  /// True when no erasure waits for a holder of the root, and no certificate for its samples.
  func isForgettingFinal() throws(StoreError) -> Bool {
    try withState { (state) throws(StoreError) in
      guard state.failure == nil, !state.keyring.isErasureUnconfirmed else { return false }
      return try StoreError.translating { () throws(KeyringError) in
        try state.keyring.unfinishedCertificates().isEmpty
      }
    }
  }
}

extension [Range<UInt64>] {
  /// The same numbers in ascending ranges that do not touch one another.
  fileprivate var merged: [Range<UInt64>] {
    var merged: [Range<UInt64>] = []
    for range in sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, range.lowerBound <= last.upperBound {
        merged[merged.count - 1] =
          last.lowerBound..<Swift.max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    return merged
  }
}
