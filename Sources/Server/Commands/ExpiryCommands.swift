import EventStore
import RESP

/// `RETENTION RUN | STATUS`: what is over goes.
enum ExpiryCommands {
  static let all = [
    Command(
      "RUN", 0...1, .admin([.operator]), "Destroys the keys of all that is over, of all tenants."
    ) { (arguments, _) throws(CommandError) in
      guard arguments.count == 2 else { return .control(.expire(isDryRun: false), .asAnswered) }
      guard arguments.word(at: 1) == "DRYRUN" else { throw .syntax }
      return .control(.expire(isDryRun: true), .asAnswered)
    },
    Command(
      "STATUS", 0...0, .admin([.operator, .officer, .auditor]), "What is due and what was done."
    ) { (_, _) throws(CommandError) in .control(.retentionStatus, .asAnswered) },
  ]
}
