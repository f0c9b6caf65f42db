import EventStore
import RESP

/// `CLOCK STATUS | CONFIRM`: whether the clock is believed as far as destroying goes.
enum ClockCommands {
  static let all = [
    Command(
      "STATUS", 0...0, .admin([.operator, .officer, .auditor]), "Whether the clock is believed."
    ) { (_, _) throws(CommandError) in .control(.clockStatus, .asAnswered) },
    Command("CONFIRM", 0...0, .admin([.operator]), "The clock is right: let expire what is over.") {
      (_, context) throws(CommandError) in
      // What is over expires at once, of every tenant.
      guard context.state.rights.reachStore(with: [.operator]) else {
        throw .forbidden("clock|confirm")
      }
      return .control(.confirmClock, .done)
    },
  ]
}
