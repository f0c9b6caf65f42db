import EventModel
import Storage

/// Finds where in the store's sequence a tenant's positions or times begin, by halving.
///
/// Within a tenant positions and stored times ascend with the sequence. Sequences are halved and not
/// positions, since the segments that have none of the sequences in question need not be read: a
/// look costs about one block.
struct SequenceSearch {
  private let shared: SharedEngine
  private let tenant: TenantNumber
  private let feed: TermKey

  init(shared: SharedEngine, tenant: TenantNumber, feed: TermKey) {
    self.shared = shared
    self.tenant = tenant
    self.feed = feed
  }

  /// A sequence of `range`, or its end, such that every record of the tenant before it `isBefore`
  /// and no other one is.
  func first(
    in range: Range<UInt64>, beforeWhich isBefore: (Routing, RecordHeader) -> Bool
  ) throws(StoreError) -> UInt64 {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high {
      let middle = low + (high - low) / 2
      guard let found = try record(in: middle..<high) else {
        high = middle
        continue
      }
      if isBefore(found.routing, found.header) { low = found.sequence + 1 } else { high = middle }
    }
    return low
  }

  private struct Found {
    let sequence: UInt64
    let routing: Routing
    let header: RecordHeader
  }

  /// The tenant's first record in the range whose header can be read.
  private func record(in range: Range<UInt64>) throws(StoreError) -> Found? {
    var low = range.lowerBound
    var limit = 1
    var bytes: [UInt8] = []
    var places: [ByteRange] = []
    while low < range.upperBound {
      let postings = try feed.postings(
        in: shared.index, PostingRange(sequences: low...(range.upperBound - 1)),
        isDescending: false, limit: limit)
      try shared.log.copyRecords(postings.map(\.sequence), into: &bytes, &places)
      for (place, posting) in zip(places, postings) {
        guard !place.isEmpty else { throw .corrupt }
        let record = bytes.span.extracting(place.range)
        let tenant = tenant
        let opened = try shared.withState { (state) throws(StoreError) in
          try shared.log.open(record, state: state)
        }
        guard let (routing, header) = opened, routing.tenant == tenant,
          routing.position == posting.ordinal
        else { continue }
        return Found(sequence: posting.sequence, routing: routing, header: header)
      }
      guard postings.count == limit, let last = postings.last?.sequence else { return nil }
      low = last + 1
      limit = min(limit * 16, PagedRead.pageLimit)
    }
    return nil
  }
}
