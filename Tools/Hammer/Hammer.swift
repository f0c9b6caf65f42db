import ArgumentParser

/// Appends events that follow from a seed, checks every answer and reads them back.
@main
struct Hammer: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lethe-hammer",
    abstract: "Appends events that follow from a seed, checks every answer and reads them back.",
    subcommands: [Append.self, Cold.self], defaultSubcommand: Append.self)
}

/// Where the daemon is.
struct Target: ParsableArguments {
  @Option(help: "The daemon's query socket.")
  var socket: String
  @Option(help: "The daemon's admin socket, to make the tenants.")
  var admin: String?
  @Option(help: "The daemon's process, to print its memory.")
  var process: Int?
}

extension Hammer {
  /// Runs `body`; says what was found, and ends with 1 when the store is wrong, 3 when it is gone.
  static func report(_ body: () throws(HammerError) -> Void) throws {
    do throws(HammerError) {
      try body()
    } catch {
      switch error {
      case .wrong(let text):
        print("WRONG  \(text)")
        throw ExitCode(1)
      case .gone(let text):
        print("stopped: \(text)")
        throw ExitCode(3)
      }
    }
  }
}

/// `append`: the load.
struct Append: ParsableCommand {
  @OptionGroup var target: Target
  @Option(help: "Tenants; each has a connection of its own.")
  var tenants = 1
  @Option(help: "Streams, of all tenants together.")
  var streams = 1_000
  @Option(help: "Persons, of all tenants together.")
  var persons = 8_000
  @Option(help: "Events to append now.")
  var events = 100_000
  @Option(help: "Exponent of the distribution of tenants, streams and persons; 0 is uniform.")
  var zipf = 0.0
  @Option(help: "Bursts that are under way at the same time.")
  var connections = 50
  @Option(help: "Events of a burst.")
  var pipeline = 16
  @Option(help: "Bytes of a payload.")
  var payload = 200
  @Option(help: "What all events follow from.")
  var seed: UInt64 = 1
  @Option(help: "Threads of the hammer.")
  var threads = 2
  @Option(help: "So many percent of the events are sent twice; needs --ids.")
  var `repeat` = 0
  @Option(help: "Remembers what was acknowledged; a second run goes on where the first one ended.")
  var state: String?
  @Option(help: "Reads back all events, or a sample.")
  var verify = "sample"
  @Option(help: "Seconds between two lines.")
  var interval = 5
  @Flag(help: "Every event has an id.")
  var ids = false
  @Flag(help: "Every person gets an event before the load begins.")
  var enrol = false

  func validate() throws {
    guard tenants > 0, connections > 0, pipeline > 0, threads > 0, interval > 0, persons > 0 else {
      throw ValidationError("nothing to do")
    }
    guard ["all", "sample"].contains(verify) else { throw ValidationError("--verify all|sample") }
    guard `repeat` == 0 || ids else { throw ValidationError("--repeat needs --ids") }
  }

  func run() throws {
    let plan = Plan(
      seed: seed, tenants: tenants, streams: streams, persons: persons, payloadBytes: payload,
      exponent: zipf, connections: connections, hasIDs: ids, repeatPercent: `repeat`,
      enrols: enrol)
    let session = Session(
      plan: plan, path: target.socket, adminPath: target.admin, pipeline: pipeline,
      workers: threads, events: events, process: target.process,
      state: state.map { StateFile(path: $0) }, verifiesAll: verify == "all",
      intervalSeconds: interval)
    try Hammer.report { () throws(HammerError) in try session.run() }
  }
}
