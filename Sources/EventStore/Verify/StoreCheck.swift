import EventModel
package import Keyring
import Sodium
package import Storage

/// What `lethed check` found.
package struct CheckReport: Sendable {
  package var log = LogScanReport()
  /// The pages of each of the files, which were walked before they were opened.
  package var pages: [(name: String, found: PageWalkReport)] = []
  package var tenants: UInt64 = 0
  /// Tenants whose index does not lead to exactly the events that the log has.
  package var tenantsWithIndexFaults: UInt64 = 0

  package init() {}

  package var isSound: Bool { log.isSound && tenantsWithIndexFaults == 0 }
}

extension EventStore {
  /// Opens a store that no daemon runs on and verifies every record, position and feed posting.
  package static func check(
    path: String, holders: RootHolders, clock: @escaping @Sendable () -> Int64
  ) throws(OpeningError) -> CheckReport {
    let pages = try walkPages(path)
    let store = try open(path: path, holders: holders, clock: clock)
    defer { store.close() }
    do throws(StoreError) {
      var report = try store.check()
      report.pages = pages
      return report
    } catch { throw .log(error) }
  }

  /// Walks every file of a store that no daemon runs on; what a missing one means, opening decides.
  private static func walkPages(
    _ path: String
  ) throws(OpeningError) -> [(name: String, found: PageWalkReport)] {
    let directory: DataDirectory
    do { directory = try DataDirectory.open(path: path) } catch { throw .storage(error) }
    defer { withExtendedLifetime(directory) {} }
    var pages: [(name: String, found: PageWalkReport)] = []
    for name in ["keyring", "log", "index"] {
      if !FileCopy.exists("\(path)/\(name)/data.mdb") { continue }
      pages.append((name, try PageWalk.run(name, of: path)))
    }
    return pages
  }

  private func check() throws(StoreError) -> CheckReport {
    var report = CheckReport()
    let (log, expired) = try shared.withState { (state) throws(StoreError) in
      var scan = LogScan(shared.log, state)
      try scan.run(through: state.nextSequence - 1)
      return (scan.report, scan.expired)
    }
    report.log = log
    let heads = shared.withState { state in
      state.tenants.values.map { ($0.number, $0.committed.position) }
    }
    for (number, last) in heads {
      report.tenants += 1
      let isWhole = try feedIsWhole(number, last, expired: expired[number] ?? [])
      if !isWhole { report.tenantsWithIndexFaults += 1 }
    }
    return report
  }

  /// True when the index leads to each of the tenant's positions that has not expired.
  private func feedIsWhole(
    _ number: TenantNumber, _ last: UInt64, expired: [ClosedRange<UInt64>]
  ) throws(StoreError) -> Bool {
    guard last > 0 else { return true }
    let term = try shared.withState { (state) throws(StoreError) in
      guard let tenant = state.tenants[number] else { throw .noTenant }
      return try tenant.open(state.keyring).feed.term
    }
    var next: UInt64 = 1
    var gone = expired[...]
    func skipExpired() {
      while let range = gone.first, range.lowerBound <= next {
        next = max(next, range.upperBound + 1)
        gone = gone.dropFirst()
      }
    }
    var read = PagedRead(range: 1...last, isDescending: false, limit: .max)
    while let page = read.nextPage {
      let postings = try term.postings(
        in: shared.index, ordinals: page.range, isDescending: false, limit: page.limit)
      for posting in postings {
        skipExpired()
        // Of what has expired there may be postings or not.
        if posting.ordinal == next { next += 1 }
      }
      read.advance(found: postings.map(\.ordinal))
    }
    skipExpired()
    return next == last + 1
  }
}
