import EventModel

/// Where the fields of a body lie.
struct BodyFields {
  private(set) var reader: EventBodyReader
  private(set) var data: Range<Int>
  var stream: Range<Int>?
  var type: Range<Int>?
  var id: Range<Int>?
  var uuid: Range<Int>?
  var source: Range<Int>?
  var cloudEventsSubject: Range<Int>?
  var time: Range<Int>?
  var contentType: Range<Int>?
  var schema: Range<Int>?
  var subjects = InlineArray<4, Range<Int>>(repeating: 0..<0)
  var subjectCount = 0
  var attributeCount = 0

  /// Nil when `body` is empty, that is, not to be shown.
  init?(_ body: Span<UInt8>) {
    guard let reader = EventBodyReader(body) else { return nil }
    self.reader = reader
    data = reader.data
    var places = self
    reader.forEachField(in: body) { tag, place in places.take(tag, place, body) }
    self = places
  }

  private mutating func take(_ tag: UInt8, _ place: Range<Int>, _ body: Span<UInt8>) {
    switch BodyField(rawValue: tag) {
    case .stream: stream = place
    case .type: type = place
    case .id: id = place
    case .uuid: uuid = place
    case .source: source = place
    case .cloudEventsSubject: cloudEventsSubject = place
    case .time: time = place
    case .contentType: contentType = place
    case .schema: schema = place
    case .dataSubject where subjectCount < Limits.subjectsMax:
      subjects[subjectCount] = place
      subjectCount += 1
    case .attribute where Self.split(place, in: body) != nil: attributeCount += 1
    default: break
    }
  }

  /// The name and the value of an attribute.
  static func split(
    _ place: Range<Int>, in body: Span<UInt8>
  ) -> (name: Range<Int>, value: Range<Int>)? {
    guard let first = place.first else { return nil }
    let end = first + 1 + Int(body[first])
    guard end <= place.upperBound else { return nil }
    return ((first + 1)..<end, end..<place.upperBound)
  }
}
