/// Compares events as clients mean them.
package enum BodyComparison {
  /// True when two bodies say the same: equal payloads and fields, attributes in whichever order.
  ///
  /// Padding behind the payload does not count.
  package static func areEqual(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard let first = EventBodyReader(left), let second = EventBodyReader(right) else {
      return false
    }
    guard areSame(left.extracting(first.data), right.extracting(second.data)) else { return false }
    let (mine, yours) = (fields(first, left), fields(second, right))
    guard mine.plain.count == yours.plain.count, mine.attributes == yours.attributes else {
      return false
    }
    return zip(mine.plain, yours.plain).allSatisfy {
      $0.tag == $1.tag && areSame(left.extracting($0.place), right.extracting($1.place))
    }
  }

  /// True when both name an id of the client's, and the same, under the same source or none.
  package static func haveSameID(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard let first = EventBodyReader(left), let second = EventBodyReader(right),
      let id = first.place(of: .id, in: left), let otherID = second.place(of: .id, in: right)
    else { return false }
    let source = first.place(of: .source, in: left) ?? 0..<0
    let otherSource = second.place(of: .source, in: right) ?? 0..<0
    return areSame(left.extracting(id), right.extracting(otherID))
      && areSame(left.extracting(source), right.extracting(otherSource))
  }

  private struct Fields {
    var plain: [(tag: UInt8, place: Range<Int>)] = []
    /// Sorted, since their order says nothing.
    var attributes: [[UInt8]] = []
  }

  private static func fields(_ reader: EventBodyReader, _ body: Span<UInt8>) -> Fields {
    var found = Fields()
    reader.forEachField(in: body) { tag, place in
      if tag == BodyField.attribute.rawValue {
        found.attributes.append(body.extracting(place).array)
      } else {
        found.plain.append((tag, place))
      }
    }
    found.attributes.sort { $0.lexicographicallyPrecedes($1) }
    return found
  }

  private static func areSame(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    for index in left.indices where left[index] != right[index] { return false }
    return true
  }
}
