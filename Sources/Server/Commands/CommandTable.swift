import EventModel
import EventStore
import RESP

/// All commands by name.
enum CommandTable {
  static let all: [Command] =
    handshake + introspection + appending + reading + querying + exporting + proving + transactions
    + administration

  private static let byName: [Word: Command] = Dictionary(
    uniqueKeysWithValues: all.map { ($0.name, $0) })

  /// Found without the table, since it is by far the most frequent.
  private static let append = appending[0]

  /// The command that `arguments` name, if it exists on the socket and has as many arguments.
  static func find(
    _ arguments: Arguments, on endpoint: Endpoint
  ) throws(CommandError) -> Command {
    guard let word = arguments.word(at: 0),
      let command = word == append.name ? append : byName[word], command.exists(on: endpoint)
    else { throw unknown(arguments[0]) }
    try command.check(argumentCount: arguments.count - 1)
    return command
  }

  /// The command of this name on this socket, for `COMMAND INFO`.
  static func command(named word: Word?, on endpoint: Endpoint) -> Command? {
    guard let word, let command = byName[word], command.exists(on: endpoint) else { return nil }
    return command
  }

  /// The command as errors and the ledger spell it, `tenant|create`; nil when there is none.
  static func verb(_ arguments: Arguments, on endpoint: Endpoint) -> String? {
    guard arguments.count > 0,
      let command = command(named: arguments.word(at: 0), on: endpoint)
    else { return nil }
    let name = command.name.text.lowercased()
    guard arguments.count > 1, let word = arguments.word(at: 1),
      let found = command.subcommands.first(where: { $0.name == word })
    else { return name }
    return "\(name)|\(found.name.text.lowercased())"
  }

  /// What the ledger says of an error: administration that the peer has no right to.
  static func refusal(
    _ error: CommandError, _ arguments: Arguments, on endpoint: Endpoint
  ) -> Refusal? {
    guard endpoint == .admin, error.word == .noPerm || error.word == .noTenant,
      let verb = verb(arguments, on: endpoint)
    else { return nil }
    return Refusal(verb: verb, reason: error.word == .noPerm ? .noPermission : .noTenant)
  }

  /// Repeats the name only when it looks like one: what stands there by mistake may be personal.
  private static func unknown(_ name: Span<UInt8>) -> CommandError {
    var isPlain = !name.isEmpty && name.count <= 32
    for index in name.indices where isPlain {
      let byte = name[index]
      isPlain =
        (0x41...0x5A).contains(byte & 0xDF) || byte == 0x2E || byte == 0x5F || byte == 0x2D
    }
    guard isPlain else { return CommandError(.err, "unknown command") }
    return CommandError(.err, "unknown command '\(String(decoding: name.array, as: UTF8.self))'")
  }
}
