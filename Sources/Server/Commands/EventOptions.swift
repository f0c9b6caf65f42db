import EventModel
import EventStore
import RESP

/// Where an event's options lie among the arguments of `EVENT.APPEND` or `EVENT.BATCH`; checked.
///
/// Holds places, not values, so that reading an event allocates nothing. Place 0 means "not given".
struct EventOptions {
  /// The event's type.
  let type: Int
  private(set) var subjects = InlineArray<4, Int>(repeating: 0)
  private(set) var subjectCount = 0
  private(set) var id = 0
  private(set) var source = 0
  private(set) var cloudEventsSubject = 0
  private(set) var time = 0
  private(set) var contentType = 0
  private(set) var schema = 0
  private(set) var className = 0
  private(set) var data = 0
  /// Attributes lie between the other options; they are found again when they are written.
  private(set) var attributeCount = 0
  private(set) var expectation: Expectation?
  /// The first argument behind the event.
  private(set) var end: Int
  private var isImpersonal = false
  private var envelopeBytes = 0

  /// Reads the type at `type` and the options behind it, up to and including `DATA payload`.
  init(
    _ arguments: Arguments, type: Int, allowsExpectation: Bool
  ) throws(CommandError) {
    self.type = type
    end = type + 1
    try EventName.check(arguments[type], "type")
    while data == 0 {
      guard end < arguments.count else { throw CommandError(.badArgument, "DATA is missing") }
      guard let word = arguments.word(at: end) else { throw .syntax }
      if word == OptionWord.impersonal {
        isImpersonal = true
        end += 1
      } else if word == OptionWord.attribute {
        guard end + 2 < arguments.count else { throw .syntax }
        try addAttribute(arguments)
        end += 3
      } else {
        guard end + 1 < arguments.count else { throw .syntax }
        try add(word, arguments, value: end + 1, allowsExpectation: allowsExpectation)
        end += 2
      }
    }
    guard isImpersonal || subjectCount > 0 else {
      throw CommandError(.noDataSubject, "say DATASUBJECT <id> or IMPERSONAL")
    }
    guard !isImpersonal || subjectCount == 0 else {
      throw CommandError(.badArgument, "DATASUBJECT and IMPERSONAL exclude each other")
    }
    guard envelopeBytes <= Limits.envelopeBytesMax else {
      throw CommandError(.tooBig, "options maximum \(Limits.envelopeBytesMax) bytes")
    }
  }
}

/// The options' names.
enum OptionWord {
  static let dataSubject: Word = "DATASUBJECT"
  static let impersonal: Word = "IMPERSONAL"
  static let data: Word = "DATA"
  static let expect: Word = "EXPECT"
  static let id: Word = "ID"
  static let source: Word = "SOURCE"
  static let cloudEventsSubject: Word = "CESUBJECT"
  static let time: Word = "TIME"
  static let contentType: Word = "CONTENT"
  static let schema: Word = "SCHEMA"
  static let className: Word = "CLASS"
  static let attribute: Word = "ATTR"
}

extension EventOptions {
  private mutating func add(
    _ word: Word, _ arguments: Arguments, value: Int, allowsExpectation: Bool
  ) throws(CommandError) {
    let bytes = arguments[value]
    if word == OptionWord.data {
      guard bytes.count <= Limits.dataBytesMax else {
        throw CommandError(.tooBig, "event maximum \(Limits.dataBytesMax) bytes")
      }
      data = value
      return
    }
    envelopeBytes += bytes.count
    switch word {
    case OptionWord.dataSubject: try addSubject(arguments, value)
    case OptionWord.expect:
      guard allowsExpectation, expectation == nil else { throw .syntax }
      expectation = try Expectation(parsing: bytes)
    case OptionWord.id:
      try EventName.check(bytes, "ID")
      try set(&id, value)
    case OptionWord.source:
      try EventName.check(bytes, "SOURCE")
      try set(&source, value)
    case OptionWord.cloudEventsSubject:
      try EventName.check(bytes, "CESUBJECT")
      try set(&cloudEventsSubject, value)
    case OptionWord.time:
      guard Timestamp.isRFC3339(bytes) else {
        throw CommandError(.badArgument, "TIME: a time of RFC 3339")
      }
      try set(&time, value)
    case OptionWord.contentType:
      try EventName.check(bytes, "CONTENT", bytesMax: Limits.attributeBytesMax)
      try set(&contentType, value)
    case OptionWord.schema:
      try EventName.check(bytes, "SCHEMA", bytesMax: Limits.attributeBytesMax)
      try set(&schema, value)
    case OptionWord.className:
      try EventName.check(bytes, "CLASS", bytesMax: 31)
      try set(&className, value)
    default: throw .syntax
    }
  }

  private func set(_ place: inout Int, _ value: Int) throws(CommandError) {
    guard place == 0 else { throw CommandError(.badArgument, "an option was given twice") }
    place = value
  }

  /// A person who is named twice counts once: sender and receiver may be the same.
  private mutating func addSubject(_ arguments: Arguments, _ value: Int) throws(CommandError) {
    let person = arguments[value]
    guard !Placeholder.isOne(person), EventName.isName(person) else {
      throw CommandError(
        .badSubject,
        "DATASUBJECT names a person: 1 to 255 bytes of UTF-8, not a placeholder; "
          + "say IMPERSONAL when there is none")
    }
    for index in 0..<subjectCount where arguments[subjects[index]].isEqual(to: person) { return }
    guard subjectCount < Limits.subjectsMax else {
      throw CommandError(.badArgument, "DATASUBJECT maximum \(Limits.subjectsMax)")
    }
    subjects[subjectCount] = value
    subjectCount += 1
  }

  private mutating func addAttribute(_ arguments: Arguments) throws(CommandError) {
    let name = arguments[end + 1]
    try EventName.check(name, "ATTR")
    guard arguments[end + 2].count <= Limits.attributeBytesMax else {
      throw CommandError(.tooBig, "attribute maximum \(Limits.attributeBytesMax) bytes")
    }
    attributeCount += 1
    guard attributeCount <= Limits.attributesMax else {
      throw CommandError(.badArgument, "ATTR maximum \(Limits.attributesMax)")
    }
    envelopeBytes += name.count + arguments[end + 2].count
    var isRepeated = false
    forEachAttribute(arguments, before: end) { other in
      if arguments[other].isEqual(to: name) { isRepeated = true }
    }
    guard !isRepeated else { throw CommandError(.badArgument, "an attribute was given twice") }
  }

  /// Calls `body` with the place of each attribute's name; its value lies behind it.
  func forEachAttribute(_ arguments: Arguments, before limit: Int, _ body: (Int) -> Void) {
    var index = type + 1
    while index < limit {
      guard let word = arguments.word(at: index) else { return }
      if word == OptionWord.attribute {
        body(index + 1)
        index += 3
      } else {
        index += word == OptionWord.impersonal ? 1 : 2
      }
    }
  }
}
