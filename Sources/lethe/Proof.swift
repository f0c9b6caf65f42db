import ArgumentParser
import Client
import EventModel
import RESP

/// `lethe proof`: that an event is in its tenant's log, or that a log only grew.
struct Proof: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prove that an event is in its tenant's log, or that the log only grew.",
    discussion: """
      What is written can be checked without the store: the proof, then the signed checkpoint that it \
      leads to (c2sp.org/tlog-proof; with --since the form of c2sp.org/tlog-witness). It shows nothing \
      of the event but its place, and stays true when the event is erased.

      EXAMPLES
        $ lethe proof 17 --tenant acme > 17.proof
        $ lethe proof --since 1200 --tenant acme
      """)

  @Argument(help: "The event's position.")
  var position: UInt64?

  @Option(help: "How many events an older checkpoint says that there were.")
  var since: UInt64?

  @OptionGroup var options: ConnectionOptions

  mutating func validate() throws {
    guard (position == nil) != (since == nil) else {
      throw ValidationError("a position, or --since")
    }
  }

  func run() throws {
    let session = try options.openQuery()
    guard case .bulk(let checkpoint) = try session.callAgain(Request("EVENT.CHECKPOINT")),
      let size = Self.size(checkpoint)
    else { throw session.unexpectedReply }
    if let since {
      let proof = try session.callAgain(
        Request("EVENT.PROOF", "CONSISTENCY", String(since), String(size)))
      return try write("old \(since)\n", proof, checkpoint, session)
    }
    guard let position else { return }
    let proof = try session.callAgain(
      Request("EVENT.PROOF", "POSITION", String(position), "SIZE", String(max(position, size))))
    try write("c2sp.org/tlog-proof@v1\nindex \(position - 1)\n", proof, checkpoint, session)
  }

  /// The second line of a checkpoint.
  private static func size(_ checkpoint: [UInt8]) -> UInt64? {
    let lines = checkpoint.split(separator: 0x0A, maxSplits: 2, omittingEmptySubsequences: false)
    return lines.count > 2 ? UInt64(String(decoding: lines[1], as: UTF8.self)) : nil
  }

  private func write(
    _ head: String, _ proof: Reply, _ checkpoint: [UInt8], _ session: Session
  ) throws {
    guard case .array(let hashes) = proof["hashes"] else { throw session.unexpectedReply }
    var text = Array(head.utf8)
    for hash in hashes {
      guard case .bulk(let hash) = hash else { throw session.unexpectedReply }
      text += hash + [0x0A]
    }
    try Output.text(text + [0x0A] + checkpoint)
  }
}
