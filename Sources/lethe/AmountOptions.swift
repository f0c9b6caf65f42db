import ArgumentParser
import EventModel

/// How many events, and from which end: what `query` and `read` have in common.
struct AmountOptions: ParsableArguments {
  @Flag(help: "Newest first.")
  var reverse = false

  @Option(help: ArgumentHelp("At most this many events.", valueName: "n"))
  var count: UInt64?

  @Flag(help: "All events, however many.")
  var all = false

  mutating func validate() throws {
    guard !all || count == nil else {
      throw ValidationError("--all and --count exclude each other")
    }
  }

  /// How many events are wanted.
  var most: UInt64 { all ? .max : count ?? UInt64(Limits.countDefault) }
}
