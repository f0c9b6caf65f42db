import EventModel
import EventStore
import RESP

extension CommandTable {
  /// `EVENT.GET`, `EVENT.RANGE`, `EVENT.READ` and `EVENT.STREAM`.
  static let reading = [
    Command("EVENT.GET", 2...6, .tenant(.reader), "One event by its position or its id.") {
      (arguments, context) throws(CommandError) in
      let tenant = try context.state.boundTenant(in: context.surroundings)
      return .read(try GetOptions.parse(arguments, tenant: tenant, name: context.state.tenant))
    },
    Command(
      "EVENT.RANGE", 3...10, .tenant(.reader),
      "Events of a stream by version, or of the tenant (*) by position."
    ) { (arguments, context) throws(CommandError) in
      let tenant = try context.state.boundTenant(in: context.surroundings)
      let name = context.state.tenant
      guard let read = try RangeOptions.parse(arguments, tenant: tenant, name: name) else {
        context.state.encoder.array(0, to: &context.output)
        return .answered
      }
      return .read(.range(read))
    },
    Command(
      "EVENT.READ", 3...Command.many, .tenant(.reader),
      "Events behind a version or position, waiting for them if asked to."
    ) { (arguments, context) throws(CommandError) in
      let tenant = try context.state.boundTenant(in: context.surroundings)
      let (read, block) = try TailOptions.parse(
        arguments, tenant: tenant, name: context.state.tenant)
      return .read(.tail(read, blockMilliseconds: block))
    },
    Command("EVENT.STREAM", 1...1, .tenant(.reader), "What is known of a stream.") {
      (arguments, context) throws(CommandError) in
      try EventName.checkStream(arguments[1])
      let tenant = try context.state.boundTenant(in: context.surroundings)
      return .read(.summary(tenant, stream: arguments[1].array))
    },
  ]
}

/// Reads `{POSITION n | ID id [SOURCE uri]} [FORMAT map|ce]`.
enum GetOptions {
  static func parse(
    _ arguments: Arguments, tenant: TenantNumber, name: TenantName?
  ) throws(CommandError) -> ReadPlan {
    let kind = arguments.word(at: 1)
    var source: [UInt8]?
    var format: EventFormat?
    var index = 3
    while index < arguments.count {
      guard index + 1 < arguments.count else { throw .syntax }
      switch arguments.word(at: index) {
      case "SOURCE" where kind == "ID" && source == nil:
        try EventName.check(arguments[index + 1], "SOURCE")
        source = arguments[index + 1].array
      case "FORMAT" where format == nil:
        format = try EventFormat(arguments, at: index + 1, name)
      default: throw .syntax
      }
      index += 2
    }
    switch kind {
    case "POSITION":
      guard let position = DecimalNumber.parseUnsigned(arguments[2]) else { throw .notInteger }
      guard position > 0, position <= Limits.positionMax else {
        throw CommandError(StoreError.noEvent)
      }
      return .position(tenant, position, format ?? .map)
    case "ID":
      try EventName.check(arguments[2], "ID")
      return .query(.event(tenant, id: arguments[2].array, source: source ?? [], format ?? .map))
    default: throw .syntax
    }
  }
}

extension EventFormat {
  /// Reads `map` or `ce`; `name` is the connection's tenant.
  init(_ arguments: Arguments, at index: Int, _ name: TenantName?) throws(CommandError) {
    guard index < arguments.count else { throw .syntax }
    switch arguments.word(at: index) {
    case "MAP": self = .map
    case "CE":
      guard let name else { throw .authenticationRequired }
      self = .cloudEvents(name)
    default: throw .syntax
    }
  }
}

/// Reads `stream from to [REV] [COUNT n] [FORMAT map|ce] [LIVEONLY]`.
enum RangeOptions {
  /// The read, or nil when nothing can lie between the ends.
  static func parse(
    _ arguments: Arguments, tenant: TenantNumber, name: TenantName?
  ) throws(CommandError) -> RangeRead? {
    let stream = try streamName(arguments[1])
    var read = RangeRead(
      tenant: tenant, stream: stream, range: 1...1, isDescending: false,
      count: Limits.countDefault, isLiveOnly: false)
    var index = 4
    while index < arguments.count {
      switch arguments.word(at: index) {
      case "REV": read.isDescending = true
      case "LIVEONLY": read.isLiveOnly = true
      case "COUNT":
        index += 1
        read.count = try count(arguments, at: index)
      case "FORMAT":
        index += 1
        read.format = try EventFormat(arguments, at: index, name)
      default: throw .syntax
      }
      index += 1
    }
    let (low, high) = read.isDescending ? (3, 2) : (2, 3)
    guard let from = try bound(arguments[low], isLower: true),
      let to = try bound(arguments[high], isLower: false), from <= to, read.count > 0
    else { return nil }
    read.range = from...to
    return read
  }

  /// A stream's name, or nil for `*`.
  static func streamName(_ bytes: Span<UInt8>) throws(CommandError) -> [UInt8]? {
    if EventName.isAll(bytes) { return nil }
    try EventName.check(bytes, "stream")
    return bytes.array
  }

  /// The value of `COUNT`.
  static func count(_ arguments: Arguments, at index: Int) throws(CommandError) -> Int {
    guard index < arguments.count else { throw .syntax }
    guard let count = DecimalNumber.parse(arguments[index]) else { throw .notInteger }
    guard (0...Int64(Limits.countMax)).contains(count) else {
      throw CommandError(.badArgument, "COUNT maximum \(Limits.countMax)")
    }
    return Int(count)
  }

  /// One end of a range: `-`, `+`, a number, or `(` and a number that is not in it.
  ///
  /// Nil when nothing lies beyond it.
  private static func bound(
    _ bytes: Span<UInt8>, isLower: Bool
  ) throws(CommandError) -> UInt64? {
    let problem = CommandError(.badArgument, "from and to: '-', '+', a number or '(' and a number")
    guard !bytes.isEmpty else { throw problem }
    if bytes.count == 1, bytes[0] == 0x2D { return 1 }
    if bytes.count == 1, bytes[0] == 0x2B { return Limits.positionMax }
    let isOpen = bytes[0] == 0x28
    guard let number = DecimalNumber.parseUnsigned(bytes.extracting((isOpen ? 1 : 0)..<bytes.count))
    else { throw problem }
    let value = min(number, Limits.positionMax + 1)
    if isLower {
      return max(1, isOpen ? value + 1 : value)
    }
    guard !isOpen else { return value == 0 ? nil : value - 1 }
    return min(value, Limits.positionMax)
  }
}

/// Reads `[COUNT n] [BLOCK ms] [FORMAT map|ce] STREAMS s.. after..`.
enum TailOptions {
  static func parse(
    _ arguments: Arguments, tenant: TenantNumber, name: TenantName?
  ) throws(CommandError) -> (TailRead, blockMilliseconds: Int?) {
    var read = TailRead(tenant: tenant, cursors: [], count: Limits.countDefault)
    var block: Int?
    var index = 1
    while arguments.word(at: index) != "STREAMS" {
      switch arguments.word(at: index) {
      case "COUNT":
        read.count = try RangeOptions.count(arguments, at: index + 1)
      case "BLOCK":
        guard index + 1 < arguments.count else { throw .syntax }
        block = try blockMilliseconds(arguments[index + 1])
      case "FORMAT":
        read.format = try EventFormat(arguments, at: index + 1, name)
      default: throw .syntax
      }
      index += 2
      guard index < arguments.count else { throw .syntax }
    }
    let names = (arguments.count - index - 1) / 2
    guard names > 0, arguments.count - index - 1 == 2 * names else {
      throw CommandError(.err, "for each stream of STREAMS a version, a position or '$'")
    }
    guard names <= Limits.readStreamsMax else {
      throw CommandError(.badArgument, "STREAMS maximum \(Limits.readStreamsMax)")
    }
    for name in (index + 1)...(index + names) {
      read.cursors.append(
        TailRead.Cursor(
          stream: try RangeOptions.streamName(arguments[name]),
          after: try after(arguments[name + names])))
    }
    return (read, block)
  }

  /// Zero means as long as the server allows; so does more than that.
  static func blockMilliseconds(_ bytes: Span<UInt8>) throws(CommandError) -> Int {
    guard let number = DecimalNumber.parse(bytes) else {
      throw CommandError(.err, "timeout is not an integer or out of range")
    }
    guard number >= 0 else { throw CommandError(.err, "timeout is negative") }
    let most = Int64(Limits.blockMillisecondsMax)
    return Int(number == 0 ? most : min(number, most))
  }

  private static func after(_ bytes: Span<UInt8>) throws(CommandError) -> UInt64? {
    if bytes.count == 1, bytes[0] == 0x24 { return nil }
    guard let number = DecimalNumber.parseUnsigned(bytes) else {
      throw CommandError(.badArgument, "after: a version, a position or '$'")
    }
    return min(number, Limits.positionMax)
  }
}
