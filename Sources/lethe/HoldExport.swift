import ArgumentParser
import Client
import RESP

/// `lethe hold export`.
struct HoldExport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write the events that a hold keeps, as CloudEvents 1.0.",
    discussion: """
      One JSON object a line, by position; also what is shown to nobody else, since only the hold \
      has kept it. A file is private (0600). The ledger says that it was asked for.

      What is written is plaintext that no shred reaches any more: keep it as long as the dispute \
      lasts, and no longer.

      EXAMPLES
        $ lethe hold export 2-1 > held.ndjson
        $ lethe hold export 2-1 --after 1200 --output held.ndjson
      """)

  @Argument(help: "The hold, as lethe hold list shows it.")
  var hold: String

  @Option(help: ArgumentHelp("Only events behind this position.", valueName: "n"))
  var after: UInt64?

  @Option(
    name: [.short, .long], help: ArgumentHelp("The file; stdout if none.", valueName: "file"))
  var output: String?

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    let session = try options.openAdmin()
    let file = try ExportFile(path: output, isResumed: false)
    var (last, count) = (after ?? 0, 0)
    while true {
      let reply = try session.call(
        Request("HOLD", "EXPORT", hold, "AFTER", "\(last)", "COUNT", "1000"))
      guard let events = reply["events"]?.items else { throw session.unexpectedReply }
      try file.write(events)
      count += events.count
      Output.progress("\(count) events written")
      guard case .integer(let next)? = reply["next"] else { break }
      last = UInt64(next)
    }
    try file.finish()
    Output.endProgress()
    Output.message("\(count) events written")
  }
}
