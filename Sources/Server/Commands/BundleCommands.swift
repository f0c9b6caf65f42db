import EventModel
import EventStore
import RESP
import TransparencyLog

/// `AUDIT BUNDLE`: all that an auditor needs to check the store elsewhere; it has no plaintext.
enum BundleCommands {
  static let all = [
    Command(
      "BUNDLE", 1...5, .admin([.auditor]),
      "AUDIT BUNDLE BEGIN [CHALLENGE seed SAMPLE n] | NEXT bundle"
    ) { (arguments, context) throws(CommandError) in
      guard context.state.rights.reachStore(with: [.auditor]) else {
        throw .forbidden("audit|bundle")
      }
      switch arguments.word(at: 1) {
      case "BEGIN": return .control(.bundle(.begin(try challenge(arguments))), .asAnswered)
      case "NEXT":
        guard arguments.count == 3 else { throw .syntax }
        return .control(.bundle(.next(arguments[2].array)), .asAnswered)
      default: throw .syntax
      }
    }
  ]

  private static func challenge(_ arguments: Arguments) throws(CommandError) -> Challenge? {
    guard arguments.count > 2 else { return nil }
    guard arguments.count == 6, arguments.word(at: 2) == "CHALLENGE",
      arguments.word(at: 4) == "SAMPLE"
    else { throw .syntax }
    guard let count = Int(String(decoding: arguments[5].array, as: UTF8.self)),
      (1...Challenge.countMax).contains(count)
    else { throw CommandError(.badArgument, "SAMPLE: 1 to \(Challenge.countMax)") }
    let seed = String(decoding: arguments[3].array, as: UTF8.self)
    guard let challenge = Challenge(seed: seed, count: count) else {
      throw CommandError(.badArgument, "CHALLENGE: 1 to 64 of [A-Za-z0-9-]")
    }
    return challenge
  }
}
