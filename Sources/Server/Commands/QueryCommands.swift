import EventModel
import EventStore
import RESP

extension CommandTable {
  /// `EVENT.QUERY`, `EVENT.COUNT`, `EVENT.STREAMS` and `EVENT.ERASURES`.
  static let querying = [
    Command(
      "EVENT.QUERY", 0...Command.many, .tenant(.reader),
      "Live events by stream, type, person, source and time, page by page."
    ) { (arguments, context) throws(CommandError) in
      let tenant = try context.state.boundTenant(in: context.surroundings)
      let options = try QueryOptions(
        arguments, from: 1, tenant: tenant, name: context.state.tenant, isPaged: true)
      return .read(.query(.events(options.read)))
    },
    Command(
      "EVENT.COUNT", 0...Command.many, .tenant(.reader),
      "The tenant's newest position, or how many live events match."
    ) { (arguments, context) throws(CommandError) in
      let tenant = try context.state.boundTenant(in: context.surroundings)
      guard arguments.count == 1 else {
        let options = try QueryOptions(
          arguments, from: 1, tenant: tenant, name: nil, isPaged: false)
        return .read(.query(.count(tenant, options.read.filter)))
      }
      let position: UInt64
      do throws(StoreError) {
        position = try context.surroundings.lastPosition(tenant)
      } catch {
        throw CommandError(error)
      }
      context.state.encoder.integer(position, to: &context.output)
      return .answered
    },
    Command(
      "EVENT.STREAMS", 0...4, .tenant(.reader), "The tenant's streams, page by page."
    ) { (arguments, context) throws(CommandError) in
      let tenant = try context.state.boundTenant(in: context.surroundings)
      let page = try PageOptions.parse(arguments, from: 1)
      return .read(.query(.streams(tenant, count: page.count, cursor: page.cursor)))
    },
    Command(
      "EVENT.ERASURES", 1...5, .tenant([.reader, .auditor]),
      "Positions that were erased behind a number, waiting for them if asked to."
    ) { (arguments, context) throws(CommandError) in
      let tenant = try context.state.boundTenant(in: context.surroundings)
      let (read, block) = try ErasureOptions.parse(arguments, tenant: tenant)
      return .read(.query(.erasures(read, blockMilliseconds: block)))
    },
  ]
}

/// Reads the filters of `EVENT.QUERY` and `EVENT.COUNT`, and what pages a query; each at most once.
struct QueryOptions {
  private(set) var read: QueryRead
  private var seen: Set<Word> = []

  /// `isPaged` allows `REV`, `COUNT`, `CURSOR`, `FORMAT` and `LIVEONLY`.
  init(
    _ arguments: Arguments, from start: Int, tenant: TenantNumber, name: TenantName?,
    isPaged: Bool
  ) throws(CommandError) {
    read = QueryRead(tenant: tenant)
    var index = start
    while index < arguments.count {
      guard let word = arguments.word(at: index) else { throw .syntax }
      let isNew = seen.insert(word).inserted
      guard isNew else { throw CommandError(.badArgument, "an option was given twice") }
      if isPaged, word == "REV" || word == "LIVEONLY" {
        // Only live events match anyway.
        if word == "REV" { read.isDescending = true }
        index += 1
        continue
      }
      guard index + 1 < arguments.count else { throw .syntax }
      if isPaged, try takePaging(word, arguments, at: index + 1, name) {
        index += 2
        continue
      }
      try takeFilter(word, arguments[index + 1])
      index += 2
    }
  }

  private mutating func takePaging(
    _ word: Word, _ arguments: Arguments, at index: Int, _ name: TenantName?
  ) throws(CommandError) -> Bool {
    switch word {
    case "COUNT": read.count = try PageOptions.count(arguments, at: index)
    case "CURSOR": read.cursor = try PageOptions.cursor(arguments[index])
    case "FORMAT": read.format = try EventFormat(arguments, at: index, name)
    default: return false
    }
    return true
  }

  private mutating func takeFilter(_ word: Word, _ value: Span<UInt8>) throws(CommandError) {
    switch word {
    case "STREAM":
      try EventName.checkStream(value)
      read.filter.stream = value.array
    case "TYPE":
      try EventName.check(value, "TYPE")
      read.filter.type = value.array
    case "DATASUBJECT": read.filter.subject = try Administration.person(value)
    case "SOURCE":
      try EventName.check(value, "SOURCE")
      read.filter.source = value.array
    case "SINCE": read.filter.sinceMilliseconds = try Self.time(value, "SINCE")
    case "UNTIL": read.filter.untilMilliseconds = try Self.time(value, "UNTIL")
    default: throw .syntax
    }
  }

  private static func time(
    _ value: Span<UInt8>, _ label: StaticString
  ) throws(CommandError) -> Int64 {
    guard let time = Timestamp.milliseconds(value) else {
      throw CommandError(.badArgument, "\(label): a time of RFC 3339")
    }
    return time
  }
}

/// Reads `[CURSOR c] [COUNT n]`.
enum PageOptions {
  /// Longer cursors were not made here.
  private static let cursorBytesMax = 256

  static func parse(
    _ arguments: Arguments, from start: Int
  ) throws(CommandError) -> (count: Int, cursor: [UInt8]?) {
    var count: Int?
    var cursor: [UInt8]?
    var isCursorSeen = false
    var index = start
    while index < arguments.count {
      guard index + 1 < arguments.count else { throw .syntax }
      switch arguments.word(at: index) {
      case "COUNT" where count == nil: count = try self.count(arguments, at: index + 1)
      case "CURSOR" where !isCursorSeen:
        cursor = try self.cursor(arguments[index + 1])
        isCursorSeen = true
      default: throw .syntax
      }
      index += 2
    }
    return (count ?? Limits.countDefault, cursor)
  }

  /// The value of `COUNT` where an empty page would look like the end.
  static func count(_ arguments: Arguments, at index: Int) throws(CommandError) -> Int {
    let count = try RangeOptions.count(arguments, at: index)
    guard count > 0 else {
      throw CommandError(.badArgument, "COUNT: 1 to \(Limits.countMax)")
    }
    return count
  }

  /// A cursor, or nil for `0`, the beginning.
  static func cursor(_ bytes: Span<UInt8>) throws(CommandError) -> [UInt8]? {
    if bytes.count == 1, bytes[0] == 0x30 { return nil }
    var isPlain = (1...cursorBytesMax).contains(bytes.count)
    for index in bytes.indices where isPlain {
      let byte = bytes[index]
      isPlain =
        (0x41...0x5A).contains(byte & 0xDF) || (0x30...0x39).contains(byte) || byte == 0x2D
        || byte == 0x5F
    }
    guard isPlain else { throw CommandError(StoreError.badCursor) }
    return bytes.array
  }
}

/// Reads `after [COUNT n] [BLOCK ms]`.
enum ErasureOptions {
  static func parse(
    _ arguments: Arguments, tenant: TenantNumber
  ) throws(CommandError) -> (ErasureRead, blockMilliseconds: Int?) {
    var read = ErasureRead(tenant: tenant)
    if !(arguments[1].count == 1 && arguments[1][0] == 0x24) {
      guard let after = DecimalNumber.parseUnsigned(arguments[1]) else {
        throw CommandError(.badArgument, "after: the number of an erasure or '$'")
      }
      read.after = after
    }
    var block: Int?
    var isCountSeen = false
    var index = 2
    while index < arguments.count {
      guard index + 1 < arguments.count else { throw .syntax }
      switch arguments.word(at: index) {
      case "COUNT" where !isCountSeen:
        read.count = try PageOptions.count(arguments, at: index + 1)
        isCountSeen = true
      case "BLOCK" where block == nil:
        block = try TailOptions.blockMilliseconds(arguments[index + 1])
      default: throw .syntax
      }
      index += 2
    }
    return (read, block)
  }
}
