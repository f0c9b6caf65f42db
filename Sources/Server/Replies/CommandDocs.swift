import RESP

/// What `COMMAND DOCS` answers for one command.
///
/// Besides what Redis has: `errors`, a map of the error words that the command may answer with to
/// whether sending it again helps (``ErrorWord/Retry``).
enum CommandDocs {
  static func append(_ command: Command, _ encoder: ReplyEncoder, to bytes: inout [UInt8]) {
    append(command, parent: nil, encoder, to: &bytes)
  }

  private static func append(
    _ command: Command, parent: String?, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    let name = (parent.map { "\($0)|" } ?? "") + command.name.text
    encoder.bulk(name.lowercased(), to: &bytes)
    let arguments = Synopses.of(name)?.arguments ?? []
    let errors = errors(of: command)
    let count =
      3 + (arguments.isEmpty ? 0 : 1) + (errors.isEmpty ? 0 : 1)
      + (command.subcommands.isEmpty ? 0 : 1)
    encoder.map(count, to: &bytes)
    pair("summary", command.summary, encoder, &bytes)
    pair("since", "0.1.0", encoder, &bytes)
    pair("group", group(of: parent ?? name), encoder, &bytes)
    if !arguments.isEmpty {
      encoder.bulk("arguments", to: &bytes)
      append(arguments, encoder, to: &bytes)
    }
    if !errors.isEmpty {
      encoder.bulk("errors", to: &bytes)
      encoder.map(errors.count, to: &bytes)
      for word in errors { pair(word.rawValue, word.retry.rawValue, encoder, &bytes) }
    }
    if !command.subcommands.isEmpty {
      encoder.bulk("subcommands", to: &bytes)
      encoder.map(command.subcommands.count, to: &bytes)
      for subcommand in command.subcommands {
        append(subcommand, parent: command.name.text, encoder, to: &bytes)
      }
    }
  }

  private static func append(
    _ arguments: [Synopsis.Argument], _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    encoder.array(arguments.count, to: &bytes)
    for argument in arguments {
      let flags =
        (argument.isOptional ? ["optional"] : []) + (argument.isMultiple ? ["multiple"] : [])
        + (argument.isTokenRepeated ? ["multiple_token"] : [])
      let isLeaf = argument.parts.isEmpty
      let count =
        3 + (argument.token == nil ? 0 : 1) + (flags.isEmpty ? 0 : 1)
      encoder.map(count, to: &bytes)
      pair("name", argument.name, encoder, &bytes)
      pair("type", argument.kind.rawValue, encoder, &bytes)
      if isLeaf { pair("display_text", argument.name, encoder, &bytes) }
      if let token = argument.token { pair("token", token, encoder, &bytes) }
      if !flags.isEmpty {
        encoder.bulk("flags", to: &bytes)
        encoder.array(flags.count, to: &bytes)
        for flag in flags { encoder.simple(flag, to: &bytes) }
      }
      if !isLeaf {
        encoder.bulk("arguments", to: &bytes)
        append(argument.parts, encoder, to: &bytes)
      }
    }
  }

  private static func pair(
    _ name: String, _ value: String, _ encoder: ReplyEncoder, _ bytes: inout [UInt8]
  ) {
    encoder.bulk(name, to: &bytes)
    encoder.bulk(value, to: &bytes)
  }

  /// A group that redis-cli knows.
  private static func group(of name: String) -> String {
    if name.hasPrefix("EVENT.") { return "stream" }
    switch name {
    case "MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH": return "transactions"
    case "TENANT", "SHRED", "SUBJECT", "KEY", "CLOCK", "ACCESS", "GRANT", "EXPORT", "COMMAND",
      "CONFIG", "INFO",
      "TIME":
      return "server"
    default: return "connection"
    }
  }

  private static let general: [ErrorWord] = [.err, .noPerm, .tryAgain]
  private static let bound: [ErrorWord] = [.noAuth, .noTenant, .suspended, .badArgument, .corrupt]

  /// The words that a command may answer with.
  static func errors(of command: Command) -> [ErrorWord] {
    switch command.audience {
    case .everybody:
      switch command.name {
      case "AUTH": [.err, .wrongPass]
      case "HELLO": [.err, .noProto, .wrongPass]
      case "EXEC": general + appending + reading + [.execAbort]
      default: []
      }
    case .tenant where command.isAppend: general + appending + [.execAbort]
    case .tenant: general + reading
    case .admin:
      general + [
        .noTenant, .tenantExists, .badArgument, .badSubject, .noSubject, .noEvent, .quota,
        .immutable, .held, .clock, .confirm, .planChanged, .noPlan, .approval, .pending,
        .noCertificate, .noGrant, .badCursor, .keyUnavailable, .readOnly, .noSpace, .misconf,
        .corrupt,
      ]
    }
  }

  private static let appending: [ErrorWord] =
    bound + [
      .wrongVersion, .idConflict, .erased, .noDataSubject, .badSubject, .subjectShredded,
      .restricted, .tooBig, .readOnly, .noSpace, .misconf,
    ]
  private static let reading: [ErrorWord] =
    bound + [
      .noEvent, .expired, .badCursor, .badSubject, .purpose, .noGrant,
    ]
}
