import ArgumentParser
import Client
import RESP

/// `lethe audit`: what was done with the store, for those who must answer for it.
struct Audit: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at what was done with the store and its keys.",
    discussion: """
      EXAMPLES
        $ lethe audit log
        $ lethe audit log --after 1200 --json
      """,
    subcommands: [AuditLog.self])
}

/// `lethe audit log`.
struct AuditLog: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "List the ledger, oldest first.",
    discussion: """
      Every act on tenants, keys, retention, holds, plans, backups and grants has a line, what was \
      refused too, and each start and end of the daemon. Lines have numbers without gaps and no \
      names of persons. Those of one tenant are shown to its officers, operators, approvers and \
      auditors; those that concern all tenants to such of all.

      EXAMPLES
        $ lethe audit log
        $ lethe audit log --after 1200 --count 1000
        $ lethe audit log --all --json
      """)

  @Option(help: ArgumentHelp("Only lines behind this one.", valueName: "index"))
  var after: UInt64 = 0

  @Option(help: "At most so many.")
  var count = 100

  @Flag(help: "All, however many there are.")
  var all = false

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    let session = try options.openAdmin()
    var after = after
    var lines: [Reply] = []
    repeat {
      let request = Request(
        "AUDIT", "LOG", "AFTER", String(after), "COUNT", String(all ? Self.page : count))
      let reply = try session.callAgain(request)
      guard let page = reply.items else { throw session.unexpectedReply }
      guard all, options.json else {
        lines += page
        if page.isEmpty || !all { break }
        after = try index(page.last, session)
        continue
      }
      if page.isEmpty { return }
      try Output.list(reply, isJSON: true)
      after = try index(page.last, session)
    } while all
    guard !options.json else { return try Output.list(.array(lines), isJSON: true) }
    let shown = ["index", "time", "act", "result", "actor", "tenant", "count", "ticket", "verb"]
    let rows = lines.map { line in shown.map { line[$0].map(Table.cell) ?? "" } }
    for text in Table.lines([shown.map { $0.uppercased() }] + rows) { try Output.line(text) }
  }

  private static let page = 1_000

  private func index(_ line: Reply?, _ session: Session) throws -> UInt64 {
    guard case .integer(let index)? = line?["index"] else { throw session.unexpectedReply }
    return UInt64(index)
  }
}
