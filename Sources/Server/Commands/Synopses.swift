/// How each command is written, for `COMMAND DOCS` and so for the hints of redis-cli.
enum Synopses {
  private static let appendOptions =
    "{DATASUBJECT id .. | IMPERSONAL} [EXPECT expectation] [ID id] [SOURCE uri] [CESUBJECT text] "
    + "[TIME rfc3339] [CONTENT media] [SCHEMA uri] [CLASS name] [{ATTR name value} ...] DATA payload"
  private static let filters =
    "[STREAM stream] [TYPE type] [DATASUBJECT id] [SOURCE uri] [SINCE rfc3339] [UNTIL rfc3339]"
  private static let format = "[FORMAT {MAP | CE}]"
  private static let shred =
    "REASON code [TICKET ref] [RECEIVED date] {DRYRUN | CONFIRM token}"

  private static let incident =
    "[EXPOSED class] [TENANT tenant] [UID uid] [SOCKET name] FROM rfc3339 TO rfc3339 AWARE rfc3339"

  /// By name; subcommands as `container|name`.
  private static let lines: [String: String] = [
    "EVENT.APPEND": "stream type \(appendOptions)",
    "EVENT.BATCH":
      "[ONERASED {REJECT | SKIP}] {STREAM stream [EXPECT expectation] {EVENT type options} ...} ...",
    "EVENT.GET": "{POSITION position | {ID id [SOURCE uri]}} \(format)",
    "EVENT.RANGE": "stream from to [REV] [COUNT count] \(format) [LIVEONLY]",
    "EVENT.READ":
      "[COUNT count] [BLOCK milliseconds] \(format) STREAMS stream ... after ...",
    "EVENT.STREAM": "stream",
    "EVENT.QUERY": "\(filters) [REV] [COUNT count] [CURSOR cursor] \(format)",
    "EVENT.COUNT": filters,
    "EVENT.STREAMS": "[CURSOR cursor] [COUNT count]",
    "EVENT.ERASURES": "after [COUNT count] [BLOCK milliseconds]",
    "EVENT.PROOF": "{{POSITION position [SIZE size]} | {CONSISTENCY old new}}",
    "PING": "[message]", "ECHO": "message", "SELECT": "index",
    "HELLO": "[version [AUTH tenant password] [SETNAME name]]",
    "AUTH": "tenant [password]",
    "CLIENT|SETNAME": "name", "CLIENT|SETINFO": "{LIB-NAME name | LIB-VER version}",
    "CONFIG|GET": "parameter ...", "INFO": "[section ...]",
    "TENANT|CREATE": "name RETENTION retention", "TENANT|INFO": "name",
    "TENANT|SUSPEND": "name", "TENANT|RESUME": "name",
    "TENANT|SET":
      "name {IDS {REQUIRED | OPTIONAL} | GRACE kind time | STRICT {ON | OFF} | ACCESSLOG days | EXPORTAPPROVAL {REQUIRED | OPTIONAL}}",
    "TENANT|ENROLKEY": "name key", "ACCESS|LOG": "tenant [AFTER block] [COUNT count]",
    "INCIDENT|SCOPE": incident, "INCIDENT|REPORT": incident,
    "INCIDENT|PACKAGE": "incident tenant part",
    "TENANT|OFFBOARD": "tenant \(shred)",
    "PLAN|STATUS": "plan", "PLAN|APPROVE": "plan", "PLAN|CANCEL": "plan",
    "SHRED|EVENTS": "tenant position ... \(shred)", "SHRED|STREAM": "tenant stream \(shred)",
    "SHRED|PERIOD": "tenant class day \(shred)",
    "SHRED|DATASUBJECT": "tenant id [{DATASUBJECT id} ...] \(shred)",
    "SHRED|TENANT": "tenant \(shred)",
    "SUBJECT|ENROL": "tenant id", "SUBJECT|RESTRICT": "tenant id",
    "SUBJECT|OBJECT": "tenant id", "SUBJECT|UNRESTRICT": "tenant id",
    "KEY|ROTATE": "ROOT", "KEY|REWRAP": "TENANT tenant",
    "RETENTION|SET":
      "tenant class [MAX span] [MIN span] [PURPOSE code] [MODE {GOVERNANCE | COMPLIANCE}] "
      + "[ONREQUEST {ERASE | RESTRICT}] [{DRYRUN | CONFIRM token}]",
    "RETENTION|LIST": "tenant", "RETENTION|MAP": "tenant type class", "RETENTION|RUN": "[DRYRUN]",
    "AUDIT|CERTIFICATE": "certificate",
    "AUDIT|CHECKPOINT": "[tenant]", "AUDIT|CHECKPOINTS": "[tenant]",
    "AUDIT|RETIRE": "copy",
    "EVENT.EXPORT": "after [COUNT count]", "EVENT.PURPOSE": "purpose",
    "EXPORT|DATASUBJECT": "tenant id [COUNT count] [CURSOR cursor]",
    "GRANT|SET": "tenant {UID uid | SOCKET name} UNTIL date",
    "GRANT|APPROVE": "grant", "GRANT|REVOKE": "grant",
    "AUDIT|LOG": "[AFTER index] [COUNT count]",
    "AUDIT|BUNDLE": "{BEGIN [CHALLENGE seed SAMPLE count] | NEXT bundle}",
    "AUDIT|CERTIFICATES": "[AFTER certificate] [COUNT count]",
    "HOLD|SET":
      "tenant {DATASUBJECT id | STREAM stream | CLASS class | TENANT} REASON code REVIEW date",
    "HOLD|EXPORT": "id [AFTER position] [COUNT n]",
    "HOLD|RELEASE": "id {DRYRUN | CONFIRM token}",
    "COMMAND|DOCS": "[command ...]", "COMMAND|INFO": "[command ...]",
  ]

  private static let parsed = lines.mapValues { Synopsis($0) }

  static var names: [String] { lines.keys.sorted() }

  static func of(_ name: String) -> Synopsis? { parsed[name] }
}
