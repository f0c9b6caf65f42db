import RESP

extension CommandTable {
  /// Verbs of the protocol that do not exist yet: said so, rather than "unknown".
  static let unavailable =
    ["EVENT.QUERY", "EVENT.STREAMS", "EVENT.ERASURES", "EVENT.PROOF", "EVENT.CHECKPOINT"]
    .map { Command.unavailable($0, .tenant([.reader, .auditor])) }
    + ["MULTI", "EXEC", "DISCARD", "WATCH"].map { Command.unavailable($0, .everybody) }
    + ["RETENTION", "HOLD", "PLAN", "CLOCK", "EXPORT", "AUDIT", "INCIDENT", "GRANT"]
    .map { Command.unavailable($0, .admin(.all)) }
}
