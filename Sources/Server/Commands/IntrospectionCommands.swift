import EventModel
import EventStore
import RESP

extension CommandTable {
  /// `COMMAND`, `CONFIG GET`, `INFO` and `TIME`.
  static let introspection = [
    Command("COMMAND", 0...Command.many, .everybody, "The commands of this socket.") {
      (arguments, context) throws(CommandError) in
      try Introspection.command(arguments, &context)
      return .answered
    },
    Command(
      "CONFIG", .everybody, "Settings that clients ask for.",
      subcommands: [
        Command("GET", 1...Command.many, .everybody, "Values of settings.") {
          (arguments, context) throws(CommandError) in
          Introspection.configuration(arguments, &context)
          return .answered
        }
      ]),
    Command("INFO", 0...Command.many, .everybody, "About the daemon.") {
      (_, context) throws(CommandError) in
      Introspection.info(&context)
      return .answered
    },
    Command("TIME", 0...0, .everybody, "Seconds and microseconds since 1970.") {
      (_, context) throws(CommandError) in
      let now = context.surroundings.nowMicroseconds()
      context.state.encoder.array(2, to: &context.output)
      context.state.encoder.bulk("\(now / 1_000_000)", to: &context.output)
      context.state.encoder.bulk("\(now % 1_000_000)", to: &context.output)
      return .answered
    },
  ]
}

enum Introspection {
  /// Answers `COMMAND [COUNT | LIST | INFO name.. | DOCS name..]`.
  static func command(
    _ arguments: Arguments, _ context: inout CommandContext
  ) throws(CommandError) {
    let commands = CommandTable.all.filter { $0.exists(on: context.state.endpoint) }
    let encoder = context.state.encoder
    if arguments.count == 1 { return list(commands, encoder, to: &context.output) }
    switch arguments.word(at: 1) {
    case "COUNT": encoder.integer(Int64(commands.count), to: &context.output)
    case "LIST":
      encoder.array(commands.count, to: &context.output)
      for command in commands {
        encoder.bulk(command.name.text.lowercased(), to: &context.output)
      }
    case "INFO" where arguments.count == 2: list(commands, encoder, to: &context.output)
    case "INFO":
      encoder.array(arguments.count - 2, to: &context.output)
      for index in 2..<arguments.count {
        let found = CommandTable.command(
          named: arguments.word(at: index), on: context.state.endpoint)
        if let found {
          append(found, encoder, to: &context.output)
        } else {
          encoder.nullArray(to: &context.output)
        }
      }
    case "DOCS":
      let wanted = (2..<arguments.count).map { arguments.word(at: $0) }
      documents(
        commands.filter { wanted.isEmpty || wanted.contains($0.name) }, encoder,
        to: &context.output)
    default: throw CommandError(.err, "unknown subcommand; see COMMAND DOCS COMMAND")
    }
  }

  private static func list(
    _ commands: [Command], _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    encoder.array(commands.count, to: &bytes)
    for command in commands { append(command, encoder, to: &bytes) }
  }

  /// Name, arity (negative: at least), flags, and no keys.
  private static func append(
    _ command: Command, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    let isFixed = command.arity.lowerBound == command.arity.upperBound
    let count = Int64(command.arity.lowerBound + 1)
    encoder.array(6, to: &bytes)
    encoder.bulk(command.name.text.lowercased(), to: &bytes)
    encoder.integer(isFixed ? count : -count, to: &bytes)
    encoder.array(1, to: &bytes)
    encoder.simple(command.isAppend ? "write" : "readonly", to: &bytes)
    for _ in 0..<3 { encoder.integer(Int64(0), to: &bytes) }
  }

  private static func documents(
    _ commands: [Command], _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    encoder.map(commands.count, to: &bytes)
    for command in commands { CommandDocs.append(command, encoder, to: &bytes) }
  }

  /// Answers the settings that load generators and clients ask for; others do not exist.
  static func configuration(_ arguments: Arguments, _ context: inout CommandContext) {
    let settings: [(Word, String)] = [("SAVE", ""), ("APPENDONLY", "yes"), ("DATABASES", "1")]
    var found: [(Word, String)] = []
    for index in 1..<arguments.count {
      let word = arguments.word(at: index)
      for setting in settings where word == setting.0 || word == "*" {
        if !found.contains(where: { $0.0 == setting.0 }) { found.append(setting) }
      }
    }
    context.state.encoder.map(found.count, to: &context.output)
    for (name, value) in found {
      context.state.encoder.bulk(name.text.lowercased(), to: &context.output)
      context.state.encoder.bulk(value, to: &context.output)
    }
  }

  private static func health(_ health: StoreHealth?) -> [String] {
    guard let health else { return [] }
    return [
      "# Store", "read_only:\(health.isReadOnly ? 1 : 0)", "device_full:\(health.isFull ? 1 : 0)",
      "index_tail:\(health.indexTail)", "index_failing:\(health.isIndexFailing ? 1 : 0)",
      "root_holders:\(health.rootHolderCount)",
      "root_holders_missing:\(health.missingHolderCount)",
      "root_holders_weak:\(health.weakHolderCount)",
      "root_holders_beside_data:\(health.besideDataCount)",
      "erasure_pending:\(health.isErasurePending ? 1 : 0)",
      "memory_locked:\(health.isMemoryLocked ? 1 : 0)", "",
    ]
  }

  /// What monitoring and careful clients read; nothing about tenants.
  static func info(_ context: inout CommandContext) {
    let surroundings = context.surroundings
    let seconds = (surroundings.nowMicroseconds() - surroundings.startMicroseconds) / 1_000_000
    var lines = [
      "# Server", "server_name:lethe", "lethe_version:\(surroundings.version)",
      "redis_mode:standalone", "process_id:\(surroundings.processID)",
      "uptime_in_seconds:\(seconds)", "",
      "# Clients", "connected_clients:\(surroundings.connectionCount())", "",
      "# Persistence", "loading:0", "aof_enabled:1",
      "writer_queue_bytes:\(surroundings.queuedBytes())", "",
      "# Access", "unseparated:\(surroundings.policy.isUnseparated ? 1 : 0)",
      "access_file:\(surroundings.policy.isDefault ? 0 : 1)", "",
      "# Replication", "role:master", "connected_slaves:0", "",
    ]
    lines += health(surroundings.health())
    lines += surroundings.counters.lines
    context.state.encoder.bulk(lines.joined(separator: "\r\n"), to: &context.output)
  }
}
