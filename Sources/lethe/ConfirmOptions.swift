import ArgumentParser
import Client
import RESP

/// What acts take that are looked at before they are carried out.
struct ConfirmOptions: ParsableArguments {
  @Flag(help: "Only show what would happen, and the token to confirm it with.")
  var dryRun = false

  @Option(help: "Go on without asking, with the token of a dry run.")
  var confirm: String?

  mutating func validate() throws {
    guard !dryRun || confirm == nil else {
      throw ValidationError("--dry-run and --confirm exclude each other")
    }
  }

  /// Sends the dry run of `request`, shows what it answers, and goes on with its token.
  ///
  /// At a terminal `question` is asked, and `typed` is what the operator must type.
  func carryOut(
    _ request: Request, question: String, typed: String, _ options: ConnectionOptions
  ) throws {
    let session = try options.openAdmin()
    if let confirm { return try goOn(request, token: confirm, session, options) }
    var dry = request
    dry.append("DRYRUN")
    let plan = try session.call(dry)
    guard let token = plan["confirm"]?.text else { throw session.unexpectedReply }
    if dryRun { return try Output.details(plan, isJSON: options.json) }
    guard case .map(let pairs) = plan else { throw session.unexpectedReply }
    for line in Table.lines(pairs.map { [Table.cell($0.key), Table.cell($0.value)] }) {
      Output.message(line)
    }
    guard let answer = try Terminal.ask(question, isHidden: false) else {
      throw Failure(.usage, "without a terminal say --dry-run, then --confirm TOKEN")
    }
    guard String(decoding: answer, as: UTF8.self) == typed else {
      throw Failure(.usage, "not confirmed; nothing was done")
    }
    try goOn(request, token: token, session, options)
  }

  private func goOn(
    _ request: Request, token: String, _ session: Session, _ options: ConnectionOptions
  ) throws {
    var request = request
    request.append("CONFIRM", token)
    try Output.details(session.call(request), isJSON: options.json)
  }
}
