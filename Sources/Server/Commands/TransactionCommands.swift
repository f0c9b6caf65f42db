import EventModel
import EventStore
import RESP

extension CommandTable {
  /// `MULTI`, `EXEC`, `DISCARD` and what goes with them.
  static let transactions = [
    Command("MULTI", 0...0, .everybody, "Begins a transaction.") {
      (_, context) throws(CommandError) in
      guard context.state.endpoint != .admin else {
        throw CommandError(.err, "there are no transactions on this socket")
      }
      guard context.state.transaction == nil else {
        throw CommandError(.err, "MULTI calls can not be nested")
      }
      context.state.transaction = Transaction()
      return Handshake.ok(&context)
    },
    Command("EXEC", 0...0, .everybody, "Runs what was queued since MULTI, all or nothing.") {
      (_, context) throws(CommandError) in
      guard let transaction = context.state.transaction else {
        throw CommandError(.err, "EXEC without MULTI")
      }
      context.state.transaction = nil
      guard !transaction.isBroken else {
        throw CommandError(.execAbort, "Transaction discarded because of previous errors.")
      }
      return .execute(transaction)
    },
    Command("DISCARD", 0...0, .everybody, "Forgets what was queued since MULTI.") {
      (_, context) throws(CommandError) in
      guard context.state.transaction != nil else {
        throw CommandError(.err, "DISCARD without MULTI")
      }
      context.state.transaction = nil
      return Handshake.ok(&context)
    },
    Command("WATCH", 0...Command.many, .everybody, "Does not exist: EXPECT does what it is for.") {
      (_, _) throws(CommandError) in throw CommandError(.err, "use EXPECT instead of WATCH")
    },
    Command("UNWATCH", 0...0, .everybody, "Has no meaning here.") {
      (_, context) throws(CommandError) in Handshake.ok(&context)
    },
  ]
}

/// What was queued since `MULTI`.
struct Transaction: Sendable {
  /// Commands and events of one transaction: as many as of a batch.
  static let commandsMax = Limits.batchEventsMax
  static let eventsMax = Limits.batchEventsMax
  static let bytesMax = Limits.commandBytesMax

  private(set) var commands: [QueuedCommand] = []
  private(set) var byteCount = 0
  private(set) var eventCount = 0
  /// A command was refused, so that `EXEC` runs none.
  private(set) var isBroken = false

  /// Copies a command; `events` is how many it appends.
  mutating func add(
    _ command: Command, _ arguments: Arguments, events: Int
  ) throws(CommandError) {
    var bytes = 0
    for index in 0..<arguments.count {
      bytes += arguments[index].count + MemoryLayout<ByteRange>.size
    }
    guard commands.count < Self.commandsMax, eventCount + events <= Self.eventsMax,
      byteCount + bytes <= Self.bytesMax
    else {
      throw CommandError(
        .tooBig,
        "transaction maximum \(Self.eventsMax) events or commands and \(Self.bytesMax) bytes")
    }
    commands.append(QueuedCommand(command, arguments))
    byteCount += bytes
    eventCount += events
  }

  /// Nothing of it will be run, so nothing of it is kept.
  mutating func refuse() {
    isBroken = true
    (commands, byteCount, eventCount) = ([], 0, 0)
  }
}

/// A command of a transaction with a copy of its arguments.
struct QueuedCommand: Sendable {
  let command: Command
  private let bytes: [UInt8]
  private let ranges: [ByteRange]

  init(_ command: Command, _ arguments: Arguments) {
    self.command = command
    var bytes: [UInt8] = []
    var ranges: [ByteRange] = []
    for index in 0..<arguments.count {
      ranges.append(ByteRange(offset: bytes.count, count: arguments[index].count))
      bytes.appendSpan(arguments[index])
    }
    (self.bytes, self.ranges) = (bytes, ranges)
  }

  func run(_ context: inout CommandContext) throws(CommandError) -> CommandOutcome {
    try command.run(Arguments(bytes: bytes.span, ranges: ranges.span), &context)
  }
}

extension CommandContext {
  /// Commands that are run at once although a transaction is being queued.
  private static let immediate: Set<Word> = [
    "MULTI", "EXEC", "DISCARD", "WATCH", "RESET", "QUIT",
  ]

  /// Runs a command, or queues it when a transaction is open.
  mutating func perform(
    _ command: Command, _ arguments: Arguments
  ) throws(CommandError) -> CommandOutcome {
    guard state.transaction != nil, !Self.immediate.contains(command.name) else {
      return try command.run(arguments, &self)
    }
    let events = try checkQueued(command, arguments)
    try state.transaction?.add(command, arguments, events: events)
    state.encoder.simple("QUEUED", to: &output)
    return .answered
  }

  /// A command was refused: the transaction that is being queued, if any, will not be run.
  mutating func refuseTransaction() { state.transaction?.refuse() }

  /// Throws what would be wrong with a command when it is run; returns how many events it appends.
  private func checkQueued(
    _ command: Command, _ arguments: Arguments
  ) throws(CommandError) -> Int {
    guard command.name != "AUTH", command.name != "HELLO" else {
      throw CommandError(.err, "not allowed between MULTI and EXEC")
    }
    guard !command.isAppend else {
      if command.name == "EVENT.BATCH" { return try BatchGrammar.check(arguments) }
      try AppendGrammar.check(arguments)
      return 1
    }
    // Everything but appends has no effect outside of the copy.
    var copy = self
    copy.state.transaction = nil
    copy.output = []
    _ = try command.run(arguments, &copy)
    return 0
  }
}
