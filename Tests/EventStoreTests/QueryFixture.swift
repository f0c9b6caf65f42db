import Dispatch
import EventModel
import Foundation
import Keyring
import Sodium

@testable import EventStore

/// An event with all that a query may ask for.
struct QueryEvent: Hashable {
  var stream = "orders"
  var type = "order.placed"
  var subjects: [String] = ["u-1"]
  var source = ""
  var id = ""

  func add(to batch: AppendBatch, _ tenant: TenantNumber) {
    TestEvent(
      stream: stream, type: type, subjects: subjects, data: "\u{1}\u{2}\u{3}", id: id,
      source: source
    ).add(to: batch, tenant)
  }
}

extension TestStore {
  func append(_ tenant: TenantNumber, _ events: [QueryEvent]) -> [AppendResult] {
    let done = DispatchSemaphore(value: 0)
    let batch = AppendBatch { _ in done.signal() }
    for event in events { event.add(to: batch, tenant) }
    store.submit(batch)
    done.wait()
    return batch.results
  }

  /// One page of a query: the positions and the cursor.
  func page(
    _ tenant: TenantNumber, _ filter: EventFilter, isDescending: Bool = false, limit: Int = 100,
    cursor: [UInt8]? = nil
  ) throws -> (positions: [UInt64], cursor: [UInt8]) {
    var positions: [UInt64] = []
    let cursor = try store.query(
      tenant, filter, isDescending: isDescending, limit: limit, cursor: cursor
    ) { event, _ in
      positions.append(event.position)
      return true
    }
    return (positions, cursor)
  }

  /// All pages of a query.
  func query(
    _ tenant: TenantNumber, _ filter: EventFilter, isDescending: Bool = false, limit: Int = 100
  ) throws -> [UInt64] {
    var found: [UInt64] = []
    var cursor: [UInt8]?
    repeat {
      let page = try page(
        tenant, filter, isDescending: isDescending, limit: limit, cursor: cursor)
      found += page.positions
      cursor = page.cursor
    } while cursor?.isEmpty == false
    return found
  }

  func listing(_ tenant: TenantNumber, limit: Int = 100) throws -> [StreamListing] {
    var found: [StreamListing] = []
    var cursor: [UInt8]?
    repeat {
      cursor = try store.streams(tenant, limit: limit, cursor: cursor) {
        found.append($0)
        return true
      }
    } while cursor?.isEmpty == false
    return found
  }

  func position(_ tenant: TenantNumber, id: String, source: String = "") throws -> UInt64 {
    var position: UInt64 = 0
    try store.readEvent(tenant, id: Array(id.utf8).span, source: Array(source.utf8).span) {
      event, _ in position = event.position
    }
    return position
  }

  /// The terms that a filter stands for.
  func terms(_ tenant: TenantNumber, _ match: QueryMatch) throws -> QueryTerms {
    try store.shared.withState { state in try QueryTerms(match, tenant, in: state) }
  }

  /// Loses the index, as an operator may, and opens the store again.
  func rebuildIndex() throws {
    close()
    try FileManager.default.removeItem(atPath: dataPath + "/index")
    try reopen()
  }
}

extension EventFilter {
  init(
    stream: String? = nil, type: String? = nil, subject: String? = nil, source: String? = nil
  ) {
    self.init()
    self.stream = stream.map { Array($0.utf8) }
    self.type = type.map { Array($0.utf8) }
    self.subject = subject.map { Array($0.utf8) }
    self.source = source.map { Array($0.utf8) }
  }
}
