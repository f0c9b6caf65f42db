import ArgumentParser
import Client
import RESP

/// `lethe checkpoint`: what an auditor keeps.
struct CheckpointCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint",
    abstract: "Write a signed checkpoint of a tenant's log or of the ledger.",
    discussion: """
      A checkpoint says how long a log was at a time, and its root: whoever keeps one can prove later \
      that nothing before it was changed or taken out. It is a signed note as the transparency logs of \
      others use it (c2sp.org/tlog-checkpoint), checked with the key of --key, which must have come \
      from elsewhere. The store keeps one of each log that grows, once an hour.

      EXAMPLES
        $ lethe checkpoint --tenant acme > acme.checkpoint
        $ lethe checkpoint --ledger > ledger.checkpoint
        $ lethe checkpoint --ledger --kept
        $ lethe checkpoint --key
      """)

  @Flag(help: "Of the ledger: what was done in the whole store.")
  var ledger = false

  @Flag(help: "Those that the store kept, oldest first, an empty line between two.")
  var kept = false

  @Flag(help: "Write the key that checkpoints are checked with.")
  var key = false

  @OptionGroup var options: ConnectionOptions

  mutating func validate() throws {
    guard !key || !(ledger || kept) else {
      throw ValidationError("--key goes with neither --ledger nor --kept")
    }
  }

  func run() throws {
    if key { return try write(Request("AUDIT", "KEY"), to: options.openAdmin()) }
    if !ledger, !kept { return try write(Request("EVENT.CHECKPOINT"), to: options.openQuery()) }
    var request = Request("AUDIT", kept ? "CHECKPOINTS" : "CHECKPOINT")
    if !ledger {
      request.append(try options.requiredTenant())
    }
    try write(request, to: options.openAdmin())
  }

  private func write(_ request: Request, to session: Session) throws {
    switch try session.callAgain(request) {
    case .bulk(let note): try Output.text(note)
    case .array(let notes):
      for (index, note) in notes.enumerated() {
        guard case .bulk(let text) = note else { throw session.unexpectedReply }
        try Output.text((index == 0 ? [] : [0x0A]) + text)
      }
    default: throw session.unexpectedReply
    }
  }
}
