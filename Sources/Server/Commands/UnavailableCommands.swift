import RESP

extension CommandTable {
  /// Verbs of the protocol that do not exist yet: said so, rather than "unknown".
  static let unavailable =
    ["EVENT.QUERY", "EVENT.STREAMS", "EVENT.ERASURES", "EVENT.PROOF", "EVENT.CHECKPOINT"]
    .map { Command.unavailable($0, .tenant([.reader, .auditor])) }
    + [
      .unavailable("WATCH", .everybody), transaction("MULTI", isBeginning: true),
      transaction("EXEC", isBeginning: false), transaction("DISCARD", isBeginning: false),
    ]
    + ["RETENTION", "HOLD", "PLAN", "CLOCK", "EXPORT", "AUDIT", "INCIDENT", "GRANT"]
    .map { Command.unavailable($0, .admin(.all)) }

  /// Clients do not look at the answer to `MULTI` before they send the rest; run without it, the
  /// rest would be stored in part, reported as failed and sent again.
  private static func transaction(_ name: Word, isBeginning: Bool) -> Command {
    Command(name, 0...Command.many, .everybody, "Not available in this version.") {
      (_, context) throws(CommandError) in
      context.state.isTransactionRefused = isBeginning
      throw .unavailable(name.text)
    }
  }
}
