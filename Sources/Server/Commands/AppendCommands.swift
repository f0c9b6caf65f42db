import EventModel
import EventStore
import RESP

extension CommandTable {
  /// `EVENT.APPEND` and `EVENT.BATCH`.
  static let appending = [
    Command(
      "EVENT.APPEND", 4...Command.many, .tenant(.writer), "Appends an event to a stream.",
      isAppend: true
    ) { (arguments, context) throws(CommandError) in
      let tenant = try context.state.boundTenant(in: context.surroundings)
      let options = try AppendGrammar.options(arguments)
      let group = context.appends.beginGroup()
      context.appends.append(
        arguments, stream: 1, options, tenant: tenant,
        expectation: options.expectation ?? .any, group: group, isBatch: false)
      return .appended
    },
    Command(
      "EVENT.BATCH", 6...Command.many, .tenant(.writer),
      "Appends events to streams, all or none of them.", isAppend: true
    ) { (arguments, context) throws(CommandError) in
      let tenant = try context.state.boundTenant(in: context.surroundings)
      // Twice over the arguments: what is written must not be taken back.
      _ = try BatchGrammar.check(arguments)
      let skipsErased = try BatchGrammar.skipsErased(arguments)
      let group = context.appends.beginGroup()
      let appends = context.appends
      _ = try BatchGrammar.walk(arguments) { stream, expectation, options in
        appends.append(
          arguments, stream: stream, options, tenant: tenant, expectation: expectation,
          group: group, isBatch: true, skipsErased: skipsErased)
      }
      return .appended
    },
  ]
}

/// Reads `stream type options.. DATA payload`.
enum AppendGrammar {
  static func options(_ arguments: Arguments) throws(CommandError) -> EventOptions {
    try EventName.checkStream(arguments[1])
    let options = try EventOptions(arguments, type: 2, allowsExpectation: true)
    guard options.end == arguments.count else {
      throw CommandError(.badArgument, "DATA ends the event")
    }
    return options
  }

  static func check(_ arguments: Arguments) throws(CommandError) { _ = try options(arguments) }
}

/// Reads `[ONERASED reject|skip] {STREAM stream [EXPECT v] {EVENT type options.. DATA payload}..}..`.
enum BatchGrammar {
  private static let stream: Word = "STREAM"
  private static let event: Word = "EVENT"
  private static let onErased: Word = "ONERASED"

  /// Throws what is wrong with a batch; returns how many events it has.
  static func check(_ arguments: Arguments) throws(CommandError) -> Int {
    _ = try skipsErased(arguments)
    return try walk(arguments) { _, _, _ in }
  }

  /// True when events of erased persons are to be left out rather than refused with all others.
  static func skipsErased(_ arguments: Arguments) throws(CommandError) -> Bool {
    guard arguments.word(at: 1) == onErased else { return false }
    switch arguments.word(at: 2) {
    case "REJECT": return false
    case "SKIP": return true
    default: throw .syntax
    }
  }

  /// Calls `body` with the place of the stream, what is expected of it and the options, for each
  /// event.
  ///
  /// What is expected of a stream holds for the first event behind it.
  static func walk(
    _ arguments: Arguments, _ body: (Int, Expectation, EventOptions) -> Void
  ) throws(CommandError) -> Int {
    var index = 1
    var count = 0
    if arguments.word(at: index) == onErased { index = 3 }
    while index < arguments.count {
      guard arguments.word(at: index) == stream, index + 1 < arguments.count else {
        throw .syntax
      }
      let name = index + 1
      try EventName.checkStream(arguments[name])
      index += 2
      var expectation = Expectation.any
      if index + 1 < arguments.count, arguments.word(at: index) == OptionWord.expect {
        expectation = try Expectation(parsing: arguments[index + 1])
        index += 2
      }
      let before = count
      while index + 1 < arguments.count, arguments.word(at: index) == event {
        let options = try EventOptions(arguments, type: index + 1, allowsExpectation: false)
        body(name, expectation, options)
        expectation = .any
        index = options.end
        count += 1
        guard count <= Limits.batchEventsMax else {
          throw CommandError(.tooBig, "batch maximum \(Limits.batchEventsMax) events")
        }
      }
      guard count > before else { throw .syntax }
    }
    guard count > 0 else { throw .syntax }
    return count
  }
}

extension AppendCollector {
  /// Writes one event, whose options were checked, into the current batch.
  func append(
    _ arguments: Arguments, stream: Int, _ options: EventOptions, tenant: TenantNumber,
    expectation: Expectation, group: UInt32, isBatch: Bool, skipsErased: Bool = false
  ) {
    // The buffer is taken out for the time: each access to it in place would be checked.
    var bytes: [UInt8] = []
    swap(&bytes, &current.batch.bytes)
    bytes.makeRoom(for: arguments[options.data].count + Self.envelopeRoom)
    var writer = EventWriter(arguments: arguments, options: options, bytes: bytes)
    bytes = []
    writer.writeNames(stream: stream)
    writer.writeID(from: self)
    writer.writeRest()
    var request = AppendRequest(
      tenant: tenant, ticket: 0, group: group, expectation: expectation,
      body: writer.body, stream: writer.stream, subjects: writer.subjects,
      subjectCount: UInt8(options.subjectCount), className: .none)
    if options.className != 0 {
      request.className = writer.appendBeside(options.className)
    }
    // An id that was made here is nobody's to repeat.
    if options.id != 0 { request.id = writer.id }
    request.source = writer.source
    request.skipsErased = skipsErased
    let note = AppendNote(
      connection: connection, group: group, isBatch: isBatch, id: writer.id,
      isUUID: options.id == 0, time: writer.time)
    swap(&writer.bytes, &current.batch.bytes)
    current.batch.requests.append(request)
    current.notes.append(note)
  }

  /// Usually all of an event but its payload fits.
  private static let envelopeRoom = 1_024
}

/// Writes the fields of an event in the order of their numbers.
private struct EventWriter: ~Escapable {
  let arguments: Arguments
  let options: EventOptions
  var bytes: [UInt8]
  private let fields: EventBodyWriter
  private(set) var stream = ByteRange.none
  private(set) var subjects = InlineArray<4, ByteRange>(repeating: .none)
  private(set) var id = ByteRange.none
  private(set) var source = ByteRange.none
  private(set) var time = ByteRange.none
  private(set) var body = ByteRange.none

  @_lifetime(copy arguments)
  init(arguments: Arguments, options: EventOptions, bytes: consuming [UInt8]) {
    self.arguments = arguments
    self.options = options
    self.bytes = bytes
    fields = EventBodyWriter(in: &self.bytes)
  }

  @_lifetime(self: copy self)
  mutating func writeNames(stream name: Int) {
    stream = fields.append(.stream, arguments[name], in: &bytes)
    fields.append(.type, arguments[options.type], in: &bytes)
    for index in 0..<options.subjectCount {
      subjects[index] = fields.append(
        .dataSubject, arguments[options.subjects[index]], in: &bytes)
    }
  }

  @_lifetime(self: copy self)
  mutating func writeID(from collector: AppendCollector) {
    if options.id != 0 {
      id = fields.append(.id, arguments[options.id], in: &bytes)
      return
    }
    bytes.append(contentsOf: [BodyField.uuid.rawValue, 0, 16])
    id = ByteRange(offset: bytes.count, count: 16)
    collector.appendUUID(to: &bytes)
  }

  @_lifetime(self: copy self)
  mutating func writeRest() {
    if options.source != 0 {
      source = fields.append(.source, arguments[options.source], in: &bytes)
    }
    write(.cloudEventsSubject, options.cloudEventsSubject)
    if options.time != 0 { time = fields.append(.time, arguments[options.time], in: &bytes) }
    write(.contentType, options.contentType)
    write(.schema, options.schema)
    if options.attributeCount > 0 {
      var index = options.type + 1
      while index < options.end {
        let word = arguments.word(at: index)
        if word == OptionWord.attribute {
          fields.appendAttribute(
            name: arguments[index + 1], value: arguments[index + 2], in: &bytes)
        }
        index += word == OptionWord.attribute ? 3 : word == OptionWord.impersonal ? 1 : 2
      }
    }
    body = fields.finish(data: arguments[options.data], in: &bytes)
  }

  /// Appends an argument behind the body.
  @_lifetime(self: copy self)
  mutating func appendBeside(_ argument: Int) -> ByteRange {
    let start = bytes.count
    bytes.appendSpan(arguments[argument])
    return ByteRange(offset: start, count: bytes.count - start)
  }

  @_lifetime(self: copy self)
  private mutating func write(_ field: BodyField, _ place: Int) {
    if place != 0 { fields.append(field, arguments[place], in: &bytes) }
  }
}

extension [UInt8] {
  /// Makes sure that `count` more bytes fit, by at least doubling: `reserveCapacity` alone reserves
  /// exactly, which makes many small appends quadratic.
  mutating func makeRoom(for count: Int) {
    guard capacity - self.count < count else { return }
    reserveCapacity(Swift.max(2 * capacity, self.count + count))
  }
}
