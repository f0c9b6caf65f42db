import EventModel
import Storage

/// Decides whether a record matches: what the index says is never trusted.
///
/// Tags collide, so a record that a term's posting names must carry the term itself.
struct QueryTest {
  private let match: QueryMatch
  private let stream: Slot?
  private let subjects: [Slot]
  private let positions: ClosedRange<UInt64>

  /// `positions` are those that the query is about, behind its cursor.
  init(_ match: QueryMatch, _ terms: QueryTerms, positions: ClosedRange<UInt64>) {
    self.match = match
    stream = terms.stream?.slot
    subjects = terms.subjects.map(\.slot)
    self.positions = positions
  }

  /// What routing fields and header tell.
  func isWanted(_ routing: Routing, _ header: RecordHeader) -> Bool {
    guard positions.contains(routing.position) else { return false }
    let filter = match.filter
    if let since = filter.sinceMilliseconds, header.storedMilliseconds < since { return false }
    if let until = filter.untilMilliseconds, header.storedMilliseconds >= until { return false }
    #if DEBUG
      if TestHooks.isVariant("posting-trusted") { return true }
    #endif
    if let stream, header.stream != stream { return false }
    if filter.subject != nil {
      guard subjects.contains(where: { header.subjects.contains($0) }) else { return false }
    }
    return true
  }

  /// What the opened body tells.
  func matches(_ body: Span<UInt8>) -> Bool {
    guard match.filter.type != nil || match.filter.source != nil || match.id != nil else {
      return true
    }
    #if DEBUG
      if TestHooks.isVariant("posting-trusted") { return true }
    #endif
    guard let reader = EventBodyReader(body) else { return false }
    /// A field that was not given is as good as empty.
    func has(_ field: BodyField, _ wanted: [UInt8]?) -> Bool {
      guard let wanted else { return true }
      let place = reader.place(of: field, in: body) ?? 0..<0
      return place.count == wanted.count
        && wanted.indices.allSatisfy { wanted[$0] == body[place.lowerBound + $0] }
    }
    return has(.type, match.filter.type) && has(.source, match.filter.source)
      && has(.id, match.id)
  }
}
