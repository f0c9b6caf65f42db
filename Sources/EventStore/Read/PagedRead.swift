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

  /// Goes on behind the ordinals that the index had for ``nextPage``.
  mutating func advance(found ordinals: [UInt64]) {
    guard let page = nextPage else { return }
    limit -= ordinals.count
    guard ordinals.count == page.limit, let last = ordinals.last, let range = rest else {
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
