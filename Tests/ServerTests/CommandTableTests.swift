import EventModel
import EventStore
import Testing

@testable import Server

@Suite struct CommandTableTests {
  @Test func `names are unique`() {
    #expect(Set(CommandTable.all.map(\.name)).count == CommandTable.all.count)
  }

  @Test(arguments: [
    "GET", "SET", "KEYS", "FLUSHALL", "FLUSHDB", "MONITOR", "DEBUG", "EVAL", "SAVE", "SHUTDOWN",
    "SLAVEOF", "MIGRATE", "MODULE", "SUBSCRIBE", "XADD", "TENANT", "SHRED", "KEY", "ACCESS",
  ])
  func `on the query socket this does not exist`(name: String) {
    var harness = Harness()
    #expect(harness.reply("\(name) secret") == "-ERR unknown command '\(name)'\r\n")
  }

  @Test(arguments: ["EVENT.APPEND", "EVENT.RANGE", "EVENT.COUNT", "EVENT.READ"])
  func `on the admin socket there are no events`(name: String) {
    var harness = Harness(endpoint: .admin)
    #expect(harness.reply("\(name) secret") == "-ERR unknown command '\(name)'\r\n")
  }

  @Test(arguments: ["secret@example.com", "ä", "a b", "", String(repeating: "x", count: 33)])
  func `what does not look like a name is not repeated`(name: String) {
    var harness = Harness()
    #expect(harness.reply([Array(name.utf8)]) == "-ERR unknown command\r\n")
  }

  @Test(arguments: [
    (RoleSet.reader, "EVENT.APPEND s t IMPERSONAL DATA x"),
    (.operator, "EVENT.APPEND s t IMPERSONAL DATA x"),
    (.auditor, "EVENT.RANGE s - +"), (.writer, "EVENT.RANGE s - +"),
    (.operator, "EVENT.COUNT"), (.officer, "EVENT.GET POSITION 1"),
  ])
  func `another role does not do`(roles: RoleSet, line: String) {
    var harness = Harness(grants: [Grant(tenants: .some(Harness.acme), roles: roles)])
    #expect(harness.reply("AUTH acme peer") == "+OK\r\n")
    #expect(harness.reply(line).hasPrefix("-NOPERM "))
  }

  @Test(arguments: [
    (RoleSet.writer, "TENANT LIST"), (.reader, "KEY STATUS"), (.auditor, "TENANT SUSPEND acme"),
    (.approver, "SHRED DATASUBJECT acme u REASON art17 DRYRUN"),
    (.officer, "SHRED TENANT acme REASON offboarding DRYRUN"), (.exporter, "ACCESS LIST"),
  ])
  func `administration needs its role`(roles: RoleSet, line: String) {
    var harness = Harness(
      endpoint: .admin, grants: [Grant(tenants: .some(Harness.acme), roles: roles)])
    #expect(harness.reply(line).hasPrefix("-NOPERM "))
  }

  @Test func `an administrator of one tenant does not see the others`() {
    let grants = [Grant(tenants: .some(Harness.acme), roles: .operator)]
    var harness = Harness(endpoint: .admin, grants: grants, tenants: ["acme", "other"])
    let forbidden = harness.reply("TENANT INFO other")
    #expect(forbidden == "-NOTENANT there is no such tenant\r\n")
    #expect(harness.reply("TENANT INFO absent") == forbidden)
  }

  @Test(
    arguments: [
      ("TENANT CREATE acme RETENTION 395d", nil),
      ("TENANT CREATE Acme RETENTION 395d", "-BADARG name: [a-z0-9][a-z0-9._-]{0,62}\r\n"),
      (
        "TENANT CREATE acme RETENTION 0d",
        "-BADARG RETENTION: days as 395d or hours as 36h, at most 36500d\r\n"
      ),
      ("TENANT CREATE acme KEEP 395d", "-ERR syntax error\r\n"),
      ("SHRED DATASUBJECT acme u REASON art17 DRYRUN", nil),
      ("SHRED DATASUBJECT acme u REASON art17 TICKET A-1 RECEIVED 2026-11-24 CONFIRM abc", nil),
      (
        "SHRED DATASUBJECT acme u REASON art17 TICKET A-1",
        "-CONFIRM destroying needs a token: say DRYRUN, look, then CONFIRM with its token\r\n"
      ),
      (
        "SHRED DATASUBJECT acme null REASON art17 DRYRUN",
        "-BADSUBJECT 1 to 255 bytes of UTF-8, not a placeholder\r\n"
      ),
      (
        "SHRED DATASUBJECT acme u REASON because DRYRUN",
        "-BADARG REASON: one of art17 consent objection captured-secret offboarding retention other\r\n"
      ),
      (
        "SHRED DATASUBJECT acme u REASON art17 TICKET a_b DRYRUN",
        "-BADARG TICKET: 1 to 32 of A-Z, a-z, 0-9 and -\r\n"
      ),
      ("SHRED DATASUBJECT acme u TICKET a DRYRUN", "-BADARG REASON is missing\r\n"),
      ("SHRED TENANT acme REASON offboarding DRYRUN", nil),
      ("SUBJECT ENROL acme u", nil),
      ("KEY STATUS", nil), ("KEY STATUS acme", nil), ("KEY REWRAP TENANT acme", nil),
      (
        "KEY ROTATE ROOT",
        "-NOPERM this peer has no permissions to run the 'key|rotate' command\r\n"
      ),
      ("KEY ROTATE LEAF", "-ERR syntax error\r\n"),
      ("KEY ROTATE ROOT now", "-ERR syntax error\r\n"),
      ("KEY ROTATE TENANT acme", nil), ("KEY ROTATE TENANT acme REASON compromise", nil),
      ("KEY ROTATE TENANT acme REASON because", "-ERR syntax error\r\n"),
      ("KEY ROTATE TENANT acme REASON", "-ERR syntax error\r\n"),
      ("KEY ROTATE TENANT absent", "-NOTENANT there is no such tenant\r\n"),
      ("KEY REWRAP acme", "-ERR wrong number of arguments for 'key|rewrap' command\r\n"),
      ("KEY REWRAP TENANT absent", "-NOTENANT there is no such tenant\r\n"),
    ] as [(String, String?)])
  func `administration is parsed`(line: String, error: String?) {
    var harness = Harness(endpoint: .admin)
    let outcome = harness.run(line.split(separator: " ").map { Array($0.utf8) })
    if let error {
      #expect(String(decoding: harness.context.output, as: UTF8.self) == error)
    } else {
      guard case .control = outcome else {
        Issue.record("no act: \(String(decoding: harness.context.output, as: UTF8.self))")
        return
      }
    }
  }
}
