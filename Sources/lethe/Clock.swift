import ArgumentParser
import Client

/// `lethe clock`: whether the daemon believes its clock.
struct Clock: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "See whether the daemon believes its clock, and vouch for it.",
    discussion: """
      EXAMPLES
        $ lethe clock status
        $ lethe clock confirm
      """,
    subcommands: [ClockShow.self, ClockConfirm.self])
}

/// `lethe clock status`.
struct ClockShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show the clock, and what was expected of it.",
    discussion: """
      EXAMPLES
        $ lethe clock status
        $ lethe clock status --json
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try Output.details(
      options.openAdmin().call(Request("CLOCK", "STATUS")), isJSON: options.json)
  }
}

/// `lethe clock confirm`.
struct ClockConfirm: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "confirm", abstract: "Vouch for the daemon's clock after it leapt ahead.",
    discussion: """
      Compare the time that status shows with another clock first: what is over by the daemon's \
      clock expires at once and for good.

      EXAMPLES
        $ lethe clock status
        $ lethe clock confirm
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    _ = try options.openAdmin().call(Request("CLOCK", "CONFIRM"))
    Output.message("the clock is believed; what is over expires now")
  }
}
