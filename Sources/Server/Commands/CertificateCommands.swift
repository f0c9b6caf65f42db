import EventModel
import EventStore
import RESP

/// `AUDIT`: evidence of what was done; it needs no right to read events.
enum CertificateCommands {
  private static let roles: RoleSet = [.operator, .officer, .approver, .auditor]

  static let all =
    [
      Command("CERTIFICATE", 1...1, .admin(roles), "One certificate, to be kept and checked.") {
        (arguments, _) throws(CommandError) in
        .control(.certificate(arguments[1].array), .certificates(roles))
      },
      Command("CERTIFICATES", 0...4, .admin(roles), "What was certified, oldest first.") {
        (arguments, _) throws(CommandError) in
        var after: UInt64 = 0
        var count = Limits.countDefault
        var index = 1
        while index < arguments.count {
          guard index + 1 < arguments.count else { throw .syntax }
          let value = arguments[index + 1].array
          switch arguments.word(at: index) {
          case "AFTER": after = try Self.index(value)
          case "COUNT": count = try Self.count(value)
          default: throw .syntax
          }
          index += 2
        }
        return .control(.certificates(after: after, limit: count), .certificates(roles))
      },
    ]
    + [
      Command("COPIES", 0...0, .admin(roles), "The backups that certificates name.") {
        (_, context) throws(CommandError) in
        guard context.state.rights.reachStore(with: roles) else {
          throw .forbidden("audit|copies")
        }
        return .control(.copies, .copies)
      },
      Command("RETIRE", 1...1, .admin([.operator]), "Says that a backup is destroyed.") {
        (arguments, context) throws(CommandError) in
        guard context.state.rights.reachStore(with: [.operator]) else {
          throw .forbidden("audit|retire")
        }
        return .control(.retireCopy(try Self.copy(arguments[1].array)), .done)
      },
    ]

  /// The number behind the store's name, or a number alone.
  private static func index(_ text: [UInt8]) throws(CommandError) -> UInt64 {
    let digits = text.split(separator: UInt8(ascii: "-")).last ?? []
    guard let index = UInt64(String(decoding: digits, as: UTF8.self)), index < UInt64.max else {
      throw CommandError(.badArgument, "AFTER: a certificate, 3f0a91c2-17 or 17")
    }
    return index
  }

  private static func copy(_ text: [UInt8]) throws(CommandError) -> [UInt8] {
    let bytes = stride(from: 0, to: text.count - 1, by: 2).compactMap {
      UInt8(String(decoding: text[$0..<($0 + 2)], as: UTF8.self), radix: 16)
    }
    guard bytes.count == 16, bytes.hexadecimal.utf8.elementsEqual(text) else {
      throw CommandError(.badArgument, "copy: 32 hexadecimal digits, see AUDIT COPIES")
    }
    return bytes
  }

  private static func count(_ text: [UInt8]) throws(CommandError) -> Int {
    guard let count = Int(String(decoding: text, as: UTF8.self)),
      (1...Limits.countMax).contains(count)
    else { throw CommandError(.badArgument, "COUNT: 1 to \(Limits.countMax)") }
    return count
  }
}
