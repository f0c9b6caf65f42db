import EventModel

/// What of an event's plaintext is looked up by: its type, and its id if the client gave one.
///
/// The writer takes them from the body that it seals, recovery from the body that it opens, by the same
/// code, so that a rebuilt index has the postings of the lost one.
struct EventTerms {
  /// The type's place in the body; nil when the body names none.
  private(set) var type: Range<Int>?
  private(set) var id: Range<Int>?
  private(set) var source: Range<Int>?

  /// Reads the fields that stand in front of all others, which are in ascending order.
  init(_ body: Span<UInt8>) {
    guard body.count >= 6, body[0] == 1 else { return }
    var index = 5
    while index + 3 <= body.count, let field = BodyField(rawValue: body[index]),
      field.rawValue <= BodyField.source.rawValue
    {
      let count = Int(body[index + 1]) << 8 + Int(body[index + 2])
      let place = (index + 3)..<(index + 3 + count)
      guard place.upperBound <= body.count else { return }
      switch field {
      case .type: type = place
      case .id: id = place
      case .source: source = place
      default: break
      }
      index = place.upperBound
    }
  }
}
