import EventModel
import RESP

/// `CLIENT ..`: what libraries say about themselves when they connect.
enum ClientCommands {
  static let all = [
    Command("SETNAME", 1...1, .everybody, "Names the connection.") {
      (arguments, context) throws(CommandError) in
      context.state.clientName = try plain(arguments[1], "Client names")
      return Handshake.ok(&context)
    },
    Command("GETNAME", 0...0, .everybody, "The connection's name.") {
      (_, context) throws(CommandError) in
      if context.state.clientName.isEmpty {
        context.state.encoder.null(to: &context.output)
      } else {
        let name = context.state.clientName
        context.state.encoder.bulk(name.span, to: &context.output)
      }
      return .answered
    },
    Command("SETINFO", 2...2, .everybody, "Names the client's library.") {
      (arguments, context) throws(CommandError) in
      switch arguments.word(at: 1) {
      case "LIB-NAME": context.state.libraryName = try plain(arguments[2], "lib-name")
      case "LIB-VER": context.state.libraryVersion = try plain(arguments[2], "lib-ver")
      default: throw CommandError(.err, "Unrecognized option")
      }
      return Handshake.ok(&context)
    },
    Command("ID", 0...0, .everybody, "The connection's number.") {
      (_, context) throws(CommandError) in
      context.state.encoder.integer(context.state.id, to: &context.output)
      return .answered
    },
    Command("INFO", 0...0, .everybody, "This connection.") {
      (_, context) throws(CommandError) in
      context.state.encoder.bulk(line(context.state), to: &context.output)
      return .answered
    },
    Command("LIST", 0...Command.many, .everybody, "This connection; others are not shown.") {
      (_, context) throws(CommandError) in
      context.state.encoder.bulk(line(context.state), to: &context.output)
      return .answered
    },
    Command("NO-EVICT", 1...1, .everybody, "Has no meaning here.") {
      (_, context) throws(CommandError) in Handshake.ok(&context)
    },
    Command("NO-TOUCH", 1...1, .everybody, "Has no meaning here.") {
      (_, context) throws(CommandError) in Handshake.ok(&context)
    },
  ]

  /// Text of at most 255 printable ASCII bytes without blanks, since it comes in lists of words.
  static func plain(_ bytes: Span<UInt8>, _ label: String) throws(CommandError) -> [UInt8] {
    let text = bytes.array
    guard text.count <= Limits.nameBytesMax, text.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw CommandError(
        .err, "\(label) cannot contain spaces, newlines or special characters.")
    }
    return text
  }

  private static func line(_ state: ConnectionState) -> String {
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    return "id=\(state.id) name=\(text(state.clientName)) db=0 "
      + "resp=\(state.encoder.version.rawValue) user=\(state.tenant?.text ?? "") "
      + "lib-name=\(text(state.libraryName)) lib-ver=\(text(state.libraryVersion))\n"
  }
}
