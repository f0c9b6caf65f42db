import EventModel
import Keyring
import Sodium
import Storage

/// One call of a query: postings of the rarest term, page by page, each record asked for itself.
///
/// ```
/// names -> terms -> driver -> [postings by sequence -> records -> headers -> bodies] .. -> cursor
/// ```
/// It is walked by sequence, which ascends with the positions and times of a tenant, so a cursor or a
/// time is a sequence to begin or end at, and a hot term is never collected whole.
struct QueryRun: ~Copyable {
  /// Events that one call looks at before it answers with a cursor: about 100 ms.
  static let examinedMax = 100_000

  private let shared: SharedEngine
  private let tenant: TenantNumber
  private let match: QueryMatch
  private let isDescending: Bool
  /// What an earlier page reached, or nil.
  private let reachedBefore: UInt64?
  private let examinedMax: Int
  /// True when nothing that is delivered is sent: then a shred that comes between matters not.
  private let isCounting: Bool
  private var reader: EventReader
  private var driver: QueryTerms.Driver?
  /// Sequences that are left; empty: none.
  private var sequences: Range<UInt64> = 0..<0
  /// Positions that there were at the beginning; what is appended meanwhile is for the next call.
  private var positions: ClosedRange<UInt64> = 1...1
  private var examined = 0
  private var limit: Int
  private var isEnded = false

  /// How many events were delivered.
  private(set) var delivered = 0
  /// The position to go on behind, or nil when everything was looked at.
  private(set) var reached: UInt64?

  init(
    shared: SharedEngine, tenant: TenantNumber, _ match: QueryMatch, isDescending: Bool,
    limit: Int, reached: UInt64?, examinedMax: Int = examinedMax, isCounting: Bool = false
  ) {
    self.shared = shared
    self.tenant = tenant
    self.match = match
    self.isDescending = isDescending
    self.limit = limit
    self.examinedMax = examinedMax
    self.isCounting = isCounting
    reachedBefore = reached
    reader = EventReader(shared: shared, tenant: tenant)
  }

  /// Reads until the end, leaving for every shred that waits.
  ///
  /// What was delivered must be sent before a shred is answered: having delivered something, the
  /// read then ends early instead.
  mutating func run(_ body: (ReadEvent, Span<UInt8>) -> Bool) throws(StoreError) {
    guard limit > 0 else { return }
    while !isEnded {
      try shared.readingPages { (isAwaited) throws(StoreError) in
        try readSection(isAwaited, body)
      }
    }
  }

  private mutating func readSection(
    _ isAwaited: () -> Bool, _ body: (ReadEvent, Span<UInt8>) -> Bool
  ) throws(StoreError) {
    // Anew in every section: a shred may have come between.
    let terms = try findTerms()
    guard !terms.isVain, terms.lastPosition > 0 else {
      isEnded = true
      return
    }
    if driver == nil { try begin(terms) }
    repeat { try readPage(terms, body) } while !isEnded && !mustLeave(isAwaited)
    if delivered > 0, !isCounting { isEnded = true }
  }

  private func mustLeave(_ isAwaited: () -> Bool) -> Bool {
    #if DEBUG
      if TestHooks.isVariant("section-held") { return false }
    #endif
    return isAwaited()
  }

  private func findTerms() throws(StoreError) -> QueryTerms {
    let (match, tenant) = (match, tenant)
    return try shared.withState { (state) throws(StoreError) in
      try QueryTerms(match, tenant, in: state)
    }
  }

  /// Chooses the term to follow, and where to begin and to end.
  private mutating func begin(_ terms: QueryTerms) throws(StoreError) {
    driver = terms.driver(in: shared.index)
    positions = 1...terms.lastPosition
    sequences = 1..<(terms.lastSequence + 1)
    let search = SequenceSearch(shared: shared, tenant: tenant, feed: terms.feed)
    if let reachedBefore {
      let edge = try search.first(in: sequences) { [isDescending] routing, _ in
        isDescending ? routing.position < reachedBefore : routing.position <= reachedBefore
      }
      sequences =
        isDescending
        ? sequences.lowerBound..<edge : edge..<max(edge, sequences.upperBound)
    }
    if let since = match.filter.sinceMilliseconds {
      let edge = try search.first(in: sequences) { $1.storedMilliseconds < since }
      sequences = edge..<max(edge, sequences.upperBound)
    }
    if let until = match.filter.untilMilliseconds {
      let edge = try search.first(in: sequences) { $1.storedMilliseconds < until }
      sequences = sequences.lowerBound..<edge
    }
  }
}

extension QueryRun {
  /// Postings of one page: few at first, since most queries want few.
  private static let pageMax = PagedRead.pageLimit

  private mutating func readPage(
    _ terms: QueryTerms, _ body: (ReadEvent, Span<UInt8>) -> Bool
  ) throws(StoreError) {
    guard !sequences.isEmpty, let driver else {
      isEnded = true
      return
    }
    let pageLimit =
      examined == 0
      ? min(Self.pageMax, max(EventReader.pageEvents, limit)) : Self.pageMax
    let postings = try postings(terms.terms(of: driver), limit: pageLimit)
    let isLastPage = postings.count < pageLimit
    let test = QueryTest(match, terms, positions: positions)
    var rest = postings[...]
    while !rest.isEmpty {
      let slice = rest.prefix(EventReader.pageEvents)
      rest = rest.dropFirst(EventReader.pageEvents)
      let isLast = isLastPage && rest.isEmpty
      try read(slice, test, isLast: isLast, body)
      guard !isEnded else { return }
      examined += slice.count
      if examined >= examinedMax, reached != nil, !isLast {
        isEnded = true
        return
      }
    }
    if isLastPage {
      (isEnded, reached) = (true, nil)
    } else if let last = postings.last?.sequence {
      sequences =
        isDescending
        ? sequences.lowerBound..<last : (last + 1)..<max(last + 1, sequences.upperBound)
    }
  }

  /// Reads at most a page of the reader's; `isLast` says that nothing comes behind.
  private mutating func read(
    _ slice: ArraySlice<Posting>, _ test: QueryTest, isLast: Bool,
    _ body: (ReadEvent, Span<UInt8>) -> Bool
  ) throws(StoreError) {
    var lastSeen: UInt64?
    var lastWanted: UInt64 = 0
    var lastDelivered: UInt64 = 0
    var count = delivered
    let limit = limit
    let goesOn = try reader.read(
      slice,
      isWanted: { routing, header, _ in
        lastSeen = routing.position
        guard test.isWanted(routing, header) else { return false }
        lastWanted = routing.position
        return true
      },
      { event, plain in
        guard event.state == .live, test.matches(plain) else { return true }
        count += 1
        lastDelivered = event.position
        return body(event, plain) && count < limit
      })
    delivered = count
    if goesOn {
      reached = lastSeen ?? reached
    } else {
      isEnded = true
      reached = isLast && lastDelivered == lastWanted ? nil : lastDelivered
    }
  }

  /// The next postings of the terms together, in the query's order.
  private func postings(_ terms: [TermKey], limit: Int) throws(StoreError) -> [Posting] {
    let range = PostingRange(sequences: sequences.lowerBound...(sequences.upperBound - 1))
    var found: [Posting] = []
    for term in terms {
      found += try term.postings(
        in: shared.index, range, isDescending: isDescending, limit: limit)
    }
    guard terms.count > 1 else { return found }
    found.sort { isDescending ? $0.sequence > $1.sequence : $0.sequence < $1.sequence }
    return Array(found.prefix(limit))
  }
}
