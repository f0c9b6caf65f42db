import EventModel
import Keyring
import Sodium

/// Some of the events that an act erases, opened before it and tried again afterwards.
///
/// Which ones they are is kept in memory only: a certificate must not tell where an erased person's
/// events stood.
struct CertificateSamples: Sendable {
  /// NIST SP 800-88 wants a representative sample, not all.
  static let countMax = 32

  private var postings: [(tenant: TenantNumber, posting: Posting)] = []

  /// How many there are.
  var count: Int { postings.count }

  init() {}

  /// Chooses events at random among `positions`; those that open are taken.
  init(
    of positions: [TenantNumber: [UInt64]], shared: SharedEngine
  ) throws(StoreError) {
    let share = max(1, Self.countMax / max(1, positions.count))
    for (tenant, positions) in positions where count < Self.countMax {
      try add(positions.shuffled().prefix(share), of: tenant, shared)
    }
  }

  /// Chooses among all events of a tenant.
  init(ofAll tenant: TenantNumber, shared: SharedEngine) throws(StoreError) {
    let last = shared.withState { $0.tenants[tenant]?.committed.position ?? 0 }
    guard last > 0 else { return }
    let wanted = Set((0..<(4 * Self.countMax)).map { _ in UInt64.random(in: 1...last) })
    try add(wanted.shuffled()[...], of: tenant, shared)
  }

  /// Takes events that an act has erased, whether they open or not.
  init(
    erased positions: [UInt64], of tenant: TenantNumber, shared: SharedEngine
  ) throws(StoreError) {
    try add(positions.shuffled()[...], of: tenant, shared, isErased: true)
  }

  private mutating func add(
    _ positions: ArraySlice<UInt64>, of tenant: TenantNumber, _ shared: SharedEngine,
    isErased: Bool = false
  ) throws(StoreError) {
    let feed = try shared.withState { (state) throws(StoreError) -> TermKey? in
      try state.tenants[tenant]?.open(state.keyring).feed.term
    }
    guard let feed else { return }
    for position in positions where count < Self.countMax {
      // A damaged block of the index is no reason either.
      let found =
        (try? feed.postings(
          in: shared.index, ordinals: position...position, isDescending: false, limit: 4)) ?? []
      for posting in found {
        guard isErased else {
          if try Self.opens(posting, of: tenant, shared) { postings.append((tenant, posting)) }
          continue
        }
        postings.append((tenant, posting))
      }
    }
  }

  /// How many open now, with the keys that the keyring has.
  func countOpening(_ shared: SharedEngine) throws(StoreError) -> Int {
    var count = 0
    for (tenant, posting) in postings where try Self.opens(posting, of: tenant, shared) {
      count += 1
    }
    return count
  }

  private static func opens(
    _ posting: Posting, of tenant: TenantNumber, _ shared: SharedEngine
  ) throws(StoreError) -> Bool {
    var reader = EventReader(shared: shared, tenant: tenant, seesRestricted: true)
    var isLive = false
    do {
      _ = try reader.read(
        [posting], isWanted: { routing, _, posting in routing.position == posting.ordinal }
      ) { event, _ in
        isLive = event.state == .live
        return true
      }
    } catch {
      // The tenant is gone, and with it every key; or the record is damaged, which must not keep
      // anybody from being erased.
      guard error == .noTenant || error == .corrupt else { throw error }
      return false
    }
    return isLive
  }
}
