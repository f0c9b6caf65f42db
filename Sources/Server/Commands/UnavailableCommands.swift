import RESP

extension CommandTable {
  /// Verbs of the protocol that do not exist yet: said so, rather than "unknown".
  static let unavailable =
    ["EXPORT", "GRANT"]
    .map { Command.unavailable($0, .admin(.all)) }
}
