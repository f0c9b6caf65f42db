import EventModel
import RESP

extension CommandTable {
  /// What clients say before and besides their own commands, answered as Redis does.
  static let handshake = [
    Command("PING", 0...1, .everybody, "Answers PONG, or the argument.") {
      (arguments, context) throws(CommandError) in
      if arguments.count == 2 {
        context.state.encoder.bulk(arguments[1], to: &context.output)
      } else {
        context.state.encoder.simple("PONG", to: &context.output)
      }
      return .answered
    },
    Command("ECHO", 1...1, .everybody, "Answers the argument.") {
      (arguments, context) throws(CommandError) in
      context.state.encoder.bulk(arguments[1], to: &context.output)
      return .answered
    },
    Command("HELLO", 0...Command.many, .everybody, "Chooses the protocol's version.") {
      (arguments, context) throws(CommandError) in
      try Handshake.hello(arguments, &context)
      return .answered
    },
    Command("AUTH", 1...2, .everybody, "Binds the connection to a tenant: AUTH tenant peer.") {
      (arguments, context) throws(CommandError) in
      try Handshake.authenticate(arguments, &context)
      return Handshake.ok(&context)
    },
    Command("SELECT", 1...1, .everybody, "There is one database: 0.") {
      (arguments, context) throws(CommandError) in
      guard let number = DecimalNumber.parse(arguments[1]) else { throw .notInteger }
      guard number == 0 else { throw CommandError(.err, "DB index is out of range") }
      return Handshake.ok(&context)
    },
    Command("QUIT", 0...Command.many, .everybody, "Closes the connection.") {
      (_, context) throws(CommandError) in
      _ = Handshake.ok(&context)
      return .close
    },
    Command("RESET", 0...0, .everybody, "Puts the connection back to its beginning.") {
      (_, context) throws(CommandError) in
      context.state.reset()
      context.state.encoder.simple("RESET", to: &context.output)
      return .answered
    },
    Command("CLIENT", .everybody, "About this connection.", subcommands: ClientCommands.all),
  ]
}

enum Handshake {
  static func ok(_ context: inout CommandContext) -> CommandOutcome {
    context.state.encoder.simple("OK", to: &context.output)
    return .answered
  }

  /// `AUTH tenant peer`, `AUTH tenant`, or `AUTH peer` for the only permitted tenant.
  static func authenticate(
    _ arguments: Arguments, _ context: inout CommandContext
  ) throws(CommandError) {
    let surroundings = context.surroundings
    if arguments.count == 3 {
      try context.state.authenticate(
        user: arguments[1], password: arguments[2], in: surroundings)
    } else if arguments.word(at: 1) == "PEER",
      let sole = context.state.impliedTenant(in: surroundings)
    {
      try context.state.authenticate(
        user: sole.bytes.span, password: arguments[1], in: surroundings)
    } else {
      let empty: [UInt8] = []
      try context.state.authenticate(user: arguments[1], password: empty.span, in: surroundings)
    }
  }

  /// Answers `HELLO [version [AUTH tenant peer] [SETNAME name]]`.
  static func hello(
    _ arguments: Arguments, _ context: inout CommandContext
  ) throws(CommandError) {
    var version = context.state.encoder.version
    if arguments.count > 1 {
      guard let number = DecimalNumber.parse(arguments[1]) else {
        throw CommandError(.err, "Protocol version is not an integer or out of range")
      }
      guard let known = ProtocolVersion(rawValue: Int(number)) else {
        throw CommandError(.noProto, "unsupported protocol version")
      }
      version = known
    }
    // Nothing changes unless all of it is right.
    var state = context.state
    var index = 2
    while index < arguments.count {
      switch arguments.word(at: index) {
      case "AUTH" where index + 2 < arguments.count:
        try state.authenticate(
          user: arguments[index + 1], password: arguments[index + 2], in: context.surroundings)
        index += 3
      case "SETNAME" where index + 1 < arguments.count:
        state.clientName = try ClientCommands.plain(arguments[index + 1], "Client names")
        index += 2
      default: throw CommandError(.err, "Syntax error in HELLO option")
      }
    }
    state.encoder.version = version
    context.state = state
    describe(&context)
  }

  /// The seven fields that clients look for.
  private static func describe(_ context: inout CommandContext) {
    let encoder = context.state.encoder
    encoder.map(7, to: &context.output)
    for (name, value) in [("server", "lethe"), ("version", context.surroundings.version)] {
      encoder.bulk(name, to: &context.output)
      encoder.bulk(value, to: &context.output)
    }
    encoder.bulk("proto", to: &context.output)
    encoder.integer(Int64(encoder.version.rawValue), to: &context.output)
    encoder.bulk("id", to: &context.output)
    encoder.integer(context.state.id, to: &context.output)
    for (name, value) in [("mode", "standalone"), ("role", "master")] {
      encoder.bulk(name, to: &context.output)
      encoder.bulk(value, to: &context.output)
    }
    encoder.bulk("modules", to: &context.output)
    encoder.array(0, to: &context.output)
  }
}
