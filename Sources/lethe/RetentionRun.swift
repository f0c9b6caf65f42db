import ArgumentParser
import Client

/// `lethe retention run`.
struct RetentionRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Destroy the keys of all that is over, of all tenants.",
    discussion: """
      The daemon does this by itself when a full hour has begun. What is destroyed was promised when the \
      events were stored, so no plan and no second user is asked for.

      EXAMPLES
        $ lethe retention run --dry-run --json
        $ lethe retention run
      """)

  @OptionGroup var options: ConnectionOptions

  @Flag(help: "Only count what would go.")
  var dryRun = false

  func run() throws {
    var request = Request("RETENTION", "RUN")
    if dryRun { request.append("DRYRUN") }
    try Output.details(options.openAdmin().call(request), isJSON: options.json)
  }
}

/// `lethe retention status`.
struct RetentionStatus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show what is due and what was done.",
    discussion: """
      EXAMPLES
        $ lethe retention status
        $ lethe retention status --json
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try Output.details(
      options.openAdmin().call(Request("RETENTION", "STATUS")), isJSON: options.json)
  }
}
