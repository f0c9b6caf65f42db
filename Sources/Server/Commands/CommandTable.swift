import EventModel
import RESP

/// All commands by name.
enum CommandTable {
  static let all: [Command] =
    handshake + introspection + appending + reading + querying + proving + transactions
    + administration
    + unavailable

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
