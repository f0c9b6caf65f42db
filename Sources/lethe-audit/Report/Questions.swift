import AuditReport

/// What the rows of each code answer, for people who see a page and not the program's documents.
struct Question {
  let code: String
  let group: String
  let topic: Topic
  let text: String

  /// The question of a code; one that is not listed stands for itself.
  static func of(_ code: String) -> Question {
    all.first { $0.code == code }
      ?? Question(code: code, group: "Further checks", topic: .integrity, text: "Check \(code)")
  }

  static let all = [
    Question("BUN-1", bundle, .integrity, "The manifest is the one that the store signed."),
    Question("BUN-2", bundle, .integrity, "Every file is the one that the manifest names."),
    Question("BUN-3", bundle, .integrity, "No file is there that the manifest does not name."),
    Question("TAB-1", bundle, .integrity, "The tables of rules, holds and keys can be read."),
    Question("KEY-1", bundle, .integrity, "The signing key is known from elsewhere."),
    Question("CHK-1", history, .integrity, "Every checkpoint is signed."),
    Question("CHK-2", history, .integrity, "The store continues what it signed before."),
    Question("CHK-3", history, .completeness, "Nothing that was signed before is gone."),
    Question("LED-1", ledger, .completeness, "The ledger is the one that its checkpoint signs."),
    Question("LED-2", ledger, .completeness, "The ledger continues that of earlier audits."),
    Question("LED-3", ledger, .completeness, "No entry of the ledger is missing."),
    Question("LED-4", ledger, .keys, "The root never goes back to an older one."),
    Question("LED-5", ledger, .completeness, "Entries are dated in their order."),
    Question(
      "LOG-1", logs, .integrity, "Every tenant\u{2019}s log is the one that its checkpoint signs."),
    Question("LOG-2", logs, .integrity, "Every encrypted event has the hash that its log has."),
    Question("LOG-3", logs, .integrity, "No event is damaged or missing."),
    Question("LOG-4", logs, .retention, "Every period of every class was counted."),
    Question(
      "CER-1", erasures, .erasure, "Every certificate is signed and of an act in the ledger."),
    Question("CER-2", erasures, .erasure, "Every act that erased events has its certificate."),
    Question("ERA-1", erasures, .erasure, "Erased events name the act that erased them."),
    Question("ERA-2", erasures, .erasure, "What an act erased is not live."),
    Question("ERA-4", erasures, .completeness, "The list of erasures is that of the whole ledger."),
    Question("ERA-5", erasures, .erasure, "No sample opened after its erasure."),
    Question("ERA-6", erasures, .erasure, "The old root was overwritten where it lay."),
    Question("ERA-7", erasures, .erasure, "Requests were answered within a month."),
    Question("RET-1", retention, .retention, "Every class has its rules."),
    Question("RET-3", retention, .retention, "No event lives past its maximum."),
    Question("RET-4", retention, .holds, "Holds are reviewed in time."),
    Question("KEY-2", keys, .keys, "The root is not old."),
    Question("KEY-3", keys, .keys, "How long was one root in use?"),
    Question("KEY-4", keys, .keys, "The ledger and the store name the same root."),
    Question("KEY-5", keys, .erasure, "No old root waits to be overwritten."),
    Question(
      "KEY-6", keys, .keys, "Every holder of the root is there and forgets what it overwrites."),
    Question("CE-1", conditions, .erasure, "Data was encrypted before it was first stored."),
    Question("CE-2", conditions, .keys, "Keys and ciphers are strong enough."),
    Question("CE-3", conditions, .erasure, "Wrapping keys were replaced up to the root."),
    Question("CE-4", conditions, .erasure, "Every copy of the old root was overwritten."),
    Question("CE-5", conditions, .erasure, "No copy of the root was lost."),
    Question("CE-6", conditions, .erasure, "The medium forgets what is overwritten."),
    Question("CE-7", conditions, .erasure, "Samples opened before the act, and not after it."),
    Question("CE-8", conditions, .completeness, "It is known who asked and who confirmed."),
    Question("CE-9", conditions, .erasure, "Older copies of the data are known."),
    Question("CE-10", conditions, .keys, "Are the modules validated under FIPS 140?"),
  ]

  private static let conditions = "Cryptographic erase (NIST SP 800-88), over all certificates"
  private static let bundle = "The bundle"
  private static let history = "What was signed before"
  private static let ledger = "The ledger"
  private static let logs = "The events"
  private static let erasures = "Erasures"
  private static let retention = "Retention"
  private static let keys = "Keys"

  private init(_ code: String, _ group: String, _ topic: Topic, _ text: String) {
    self.init(code: code, group: group, topic: topic, text: text)
  }

  private init(code: String, group: String, topic: Topic, text: String) {
    self.code = code
    self.group = group
    self.topic = topic
    self.text = text
  }
}
