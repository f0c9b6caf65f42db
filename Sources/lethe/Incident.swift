import ArgumentParser
import Client
import EventModel
import RESP

/// `lethe incident`: what somebody got who should not have, and whom to tell.
struct Incident: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what somebody got who should not have, and whom to tell.",
    discussion: """
      A report is the same byte for byte as long as nothing has changed; else it is a new version that \
      supersedes the last. Its summary names no person; what names them goes to each tenant alone, \
      sealed to the key of `lethe tenant enrolkey`.

      EXAMPLES
        $ lethe incident scope --exposed peer --uid 1201 --from 2026-11-08T00:00:00Z --to 2026-11-09T06:00:00Z
        $ lethe incident report --exposed storage --from 2026-11-08T00:00:00Z --to 2026-11-09T06:00:00Z \
      --output incident-12
      """,
    subcommands: [IncidentScope.self, IncidentReport.self])
}

/// What a report is to be about.
struct IncidentOptions: ParsableArguments {
  @Option(help: "storage, storage+root, peer, operator or memory; without it, all five.")
  var exposed: String?

  @Option(help: "The first moment in question (RFC 3339).")
  var from: String

  @Option(help: "The last moment in question.")
  var to: String

  @Option(help: "When somebody became aware; without it, now.")
  var aware: String?

  @Option(help: "One tenant; without it, all.")
  var of: String?

  @Option(help: "The peer's uid; without it, any.")
  var uid: UInt32?

  @Option(help: "The peer's named socket; without it, any.")
  var peerSocket: String?

  /// The command of this verb.
  func request(_ verb: String) -> Request {
    var request = Request("INCIDENT", verb, "FROM", from, "TO", to)
    request.append("AWARE", aware ?? Timestamp.text(SystemCalls.wallClockMilliseconds))
    if let exposed { request.append("EXPOSED", exposed) }
    if let of { request.append("TENANT", of) }
    if let uid { request.append("UID", "\(uid)") }
    if let peerSocket { request.append("SOCKET", peerSocket) }
    return request
  }
}

/// `lethe incident scope`.
struct IncidentScope: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scope", abstract: "Look at what a report would say.",
    discussion: """
      EXAMPLES
        $ lethe incident scope --from 2026-11-08T00:00:00Z --to 2026-11-09T06:00:00Z
        $ lethe incident scope --exposed operator --uid 1000 --from 2026-11-08T00:00:00Z \
      --to 2026-11-09T06:00:00Z --json
      """)

  @OptionGroup var incident: IncidentOptions
  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try Output.details(
      options.openAdmin().call(incident.request("SCOPE")), isJSON: options.json)
  }
}

/// `lethe incident report`.
struct IncidentReport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Make a report, and the packages of the tenants.",
    discussion: """
      Writes OUTPUT.summary.json and OUTPUT.NAME.N.sealed for each tenant with a key, in parts of 4 MiB: \
      the tenant opens each with its secret key (libsodium's crypto_box_seal_open) and puts them \
      behind one another.

      EXAMPLES
        $ lethe incident report --from 2026-11-08T00:00:00Z --to 2026-11-09T06:00:00Z --output incident-12
        $ lethe incident report --exposed peer --peer-socket web-7 --from 2026-11-08T00:00:00Z \
      --to 2026-11-09T06:00:00Z --aware 2026-11-09T05:10:00Z --output incident-13
      """)

  @OptionGroup var incident: IncidentOptions

  @Option(help: "What the names of the files begin with; none of them may exist.")
  var output: String

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    let session = try options.openAdmin()
    let report = try session.call(incident.request("REPORT"))
    guard case .bulk(let summary)? = report["summary"], case .bulk(let id)? = report["incident"]
    else { throw Failure(.software, "INCIDENT REPORT answered something else") }
    try Self.write(summary, "\(output).summary.json")
    var withoutKey = 0
    for package in report["packages"]?.items ?? [] {
      let parts = Table.cell(package).split(separator: "=").map(String.init)
      guard parts.count == 2, let count = Int(parts[1]) else { continue }
      if count == 0 { withoutKey += 1 }
      for part in 1..<(count + 1) {
        let sealed = try session.call(
          Request(
            "INCIDENT", "PACKAGE", String(decoding: id, as: UTF8.self), parts[0], "\(part)"))
        guard case .bulk(let bytes) = sealed else { continue }
        try Self.write(bytes, "\(output).\(parts[0]).\(part).sealed")
      }
    }
    try show(report, withoutKey: withoutKey)
  }

  private static func write(_ bytes: [UInt8], _ path: String) throws {
    let file = try ExportFile(path: path, isResumed: false)
    try file.write(bytes: bytes)
    try file.finish()
  }

  private func show(_ report: Reply, withoutKey: Int) throws {
    let minutes = report["minutes-left"].map(Table.cell).flatMap(Int.init) ?? 0
    Output.message(
      minutes < 0
        ? "the 72 hours are over since \(-minutes / 60) h \(-minutes % 60) min"
        : "\(minutes / 60) h \(minutes % 60) min left of 72")
    if withoutKey > 0 {
      Output.message("tenants without a key, which get no package: \(withoutKey)")
    }
    if options.json { return try Output.details(report, isJSON: true) }
    for name in ["incident", "version", "notify-until", "minutes-left", "packages"] {
      try Output.line("\(name)  \(report[name].map(Table.cell) ?? "")")
    }
  }
}
