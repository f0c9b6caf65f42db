/// Walks a range of ordinals page by page, so that a long read holds few postings at a time.
struct PagedRead {
  struct Page: Equatable {
    let range: ClosedRange<UInt64>
    let limit: Int
  }

  /// Postings of one page.
  static let pageLimit = 1_024

  private var rest: ClosedRange<UInt64>?
  private let isDescending: Bool
  private var limit: Int

  init(range: ClosedRange<UInt64>, isDescending: Bool, limit: Int) {
    rest = range
    self.isDescending = isDescending
    self.limit = limit
  }

  /// What to ask the index for next, or nil at the end.
  var nextPage: Page? {
    guard let rest, limit > 0 else { return nil }
    return Page(range: rest, limit: min(limit, Self.pageLimit))
  }

  /// Leaves out 0 and what is beyond `last`.
  mutating func clamp(to last: UInt64) {
    guard let range = rest, range.upperBound > 0, range.lowerBound <= last else {
      return rest = nil
    }
    rest = range.clamped(to: 1...last)
  }

  /// Goes on behind what the index had for ``nextPage``.
  mutating func advance(found postings: [Posting]) {
    advance(count: postings.count, last: postings.last?.ordinal)
  }

  /// Goes on behind the ordinals that the index had for ``nextPage``.
  mutating func advance(found ordinals: [UInt64]) {
    advance(count: ordinals.count, last: ordinals.last)
  }

  /// Postings that led to nothing do not count.
  mutating func give(back count: Int) { limit += count }

  private mutating func advance(count: Int, last: UInt64?) {
    guard let page = nextPage else { return }
    limit -= count
    guard count == page.limit, let last, let range = rest else {
      rest = nil
      return
    }
    if isDescending {
      rest = last > range.lowerBound ? range.lowerBound...(last - 1) : nil
    } else {
      rest = last < range.upperBound ? (last + 1)...range.upperBound : nil
    }
  }
}
