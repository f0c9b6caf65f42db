import EventModel
import Keyring
import Storage

/// Reads the headers of a tenant's records that a term leads to, and whether the events still open.
///
/// The index only leads to the records; every record is asked for its own header, since a posting
/// may belong to a colliding tag. Records whose period is gone are passed over.
struct HeaderWalk: Sendable {
  let shared: SharedEngine
  let tenant: TenantNumber
  /// False when nobody asks which events are live, which spares their keys.
  var testsLife = true

  /// Calls `body` with each record of a term, and whether it is live, until it returns false.
  ///
  /// A stream is walked page by page. A person's postings, which have no ordinals to page by, are
  /// taken at once: 16 bytes each.
  func forEach(
    _ term: TermKey, ordinals: ClosedRange<UInt64>,
    _ body: (Routing, RecordHeader, Bool) -> Bool
  ) throws(StoreError) {
    guard ordinals.lowerBound > 0 else {
      let page = PagedRead.Page(range: ordinals, limit: .max)
      _ = try visit(try postings(term, page, isDescending: false), body)
      return
    }
    var read = PagedRead(range: ordinals, isDescending: false, limit: .max)
    while let page = read.nextPage {
      let postings = try postings(term, page, isDescending: false)
      guard try visit(postings, body) else { return }
      read.advance(found: postings.map(\.ordinal))
    }
  }

  /// The same for the records of the tenant's feed with these sequences.
  func forEach(
    feed term: TermKey, sequences: Range<UInt64>, _ body: (Routing, RecordHeader, Bool) -> Bool
  ) throws(StoreError) {
    var rest = sequences
    while !rest.isEmpty {
      let range = PostingRange(sequences: rest.lowerBound...(rest.upperBound - 1))
      let postings = try term.postings(
        in: shared.index, range, isDescending: false, limit: PagedRead.pageLimit)
      guard try visit(postings, body), postings.count == PagedRead.pageLimit,
        let last = postings.last?.sequence
      else { return }
      rest = (last + 1)..<max(last + 1, rest.upperBound)
    }
  }

  /// Calls `body` with the sequence of each record of a term too.
  func forEachRecord(
    _ term: TermKey, ordinals: ClosedRange<UInt64>,
    _ body: (UInt64, Routing, RecordHeader, Bool) -> Void
  ) throws(StoreError) {
    guard ordinals.lowerBound > 0 else {
      let page = PagedRead.Page(range: ordinals, limit: .max)
      return try forEachRecord(try postings(term, page, isDescending: false), body)
    }
    var read = PagedRead(range: ordinals, isDescending: false, limit: .max)
    while let page = read.nextPage {
      let postings = try postings(term, page, isDescending: false)
      try forEachRecord(postings, body)
      read.advance(found: postings.map(\.ordinal))
    }
  }

  /// The same for records that postings lead to.
  func forEachRecord(
    _ postings: [Posting], _ body: (UInt64, Routing, RecordHeader, Bool) -> Void
  ) throws(StoreError) {
    _ = try visitRecords(postings) { sequence, routing, header, isLive in
      body(sequence, routing, header, isLive)
      return true
    }
  }

  /// Postings of one page of a term.
  func postings(
    _ term: TermKey, _ page: PagedRead.Page, isDescending: Bool
  ) throws(StoreError) -> [Posting] {
    try term.postings(
      in: shared.index, ordinals: page.range, isDescending: isDescending, limit: page.limit)
  }

  private func visit(
    _ postings: [Posting], _ body: (Routing, RecordHeader, Bool) -> Bool
  ) throws(StoreError) -> Bool {
    try visitRecords(postings) { _, routing, header, isLive in body(routing, header, isLive) }
  }

  private func visitRecords(
    _ postings: [Posting], _ body: (UInt64, Routing, RecordHeader, Bool) -> Bool
  ) throws(StoreError) -> Bool {
    var bytes: [UInt8] = []
    var places: [ByteRange] = []
    var rest = postings[...]
    while !rest.isEmpty {
      let page = rest.prefix(EventReader.pageEvents)
      rest = rest.dropFirst(EventReader.pageEvents)
      try shared.log.copyRecords(page.map(\.sequence), into: &bytes, &places)
      for found in try headers(bytes, places, page) {
        guard body(found.sequence, found.routing, found.header, found.isLive) else { return false }
      }
    }
    return true
  }

  /// A record whose header opens.
  private struct Found {
    let sequence: UInt64
    let routing: Routing
    let header: RecordHeader
    let isLive: Bool
  }

  private func headers(
    _ bytes: [UInt8], _ places: [ByteRange], _ page: ArraySlice<Posting>
  ) throws(StoreError) -> [Found] {
    try shared.withState { (state) throws(StoreError) in
      guard let tenant = state.tenants[self.tenant] else { throw .noTenant }
      let secrets = try tenant.open(state.keyring)
      var found: [Found] = []
      for (place, posting) in zip(places, page) {
        guard !place.isEmpty else { throw .corrupt }
        let record = bytes.span.extracting(place.range)
        guard let (routing, header) = try shared.log.open(record, state: state),
          routing.tenant == tenant.number
        else { continue }
        guard testsLife else {
          found.append(
            Found(
              sequence: posting.sequence, routing: routing, header: header, isLive: false))
          continue
        }
        let id = BaseID(
          tenant: routing.tenant, generation: routing.generation,
          classNumber: routing.classNumber, period: routing.period, stream: header.stream,
          subjects: header.subjects)
        var isLive = try state.base(id, tenant: tenant) != nil
        if isLive { isLive = try secrets.canRead(routing, state.keyring) }
        found.append(
          Found(sequence: posting.sequence, routing: routing, header: header, isLive: isLive))
      }
      return found
    }
  }
}
