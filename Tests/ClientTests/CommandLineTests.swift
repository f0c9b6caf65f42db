import ArgumentParser
import Client
import RESP
import Testing

@testable import lethe

private func parse<Command>(_ words: String...) throws -> Command? {
  try Lethe.parseAsRoot(words) as? Command
}

@Test func `sockets are found by option, environment and default, the admin socket beside`() throws
{
  let count: Count? = try parse("count", "--socket", "/tmp/x/query.sock")
  #expect(count?.options.queryPath == "/tmp/x/query.sock")
  #expect(count?.options.adminPath == "/tmp/x/admin.sock")
  let list: TenantList? = try parse("tenant", "list", "--sockets", "/tmp/y")
  #expect(list?.options.queryPath == "/tmp/y/query.sock")
  #expect(list?.options.adminPath == "/tmp/y/admin.sock")
}

@Test(arguments: [
  ["append", "orders"], ["append", "orders", "t", "--atomic"],
  ["append", "--ndjson", "--impersonal"],
  ["append", "s", "t", "--impersonal", "--subject-fd", "3"],
  ["read"], ["read", "s", "--position", "3"], ["read", "s", "--all", "--count", "1"],
  ["read", "s", "--from", "5", "--to", "4"], ["tail"], ["tail", "a", "a"],
  ["shred", "subject"], ["shred", "subject", "--reason", "art17", "--dry-run", "--confirm", "x"],
  ["shred", "subject", "u-42", "--reason", "art17"], ["subject", "enrol", "u-42"],
  ["hold", "set", "subject", "u-42", "--reason", "audit", "--review", "2027-01-01"],
  ["hold", "set", "stream", "--reason", "audit", "--review", "2027-01-01"],
  ["hold", "set", "planet", "x", "--reason", "audit", "--review", "2027-01-01"],
  ["hold", "set", "subject", "--reason", "audit"], ["hold", "release"],
  ["hold", "release", "2-1", "--dry-run", "--confirm", "x"],
  ["get"], ["get", "4", "--id", "x"], ["get", "4", "--source", "x"], ["count", "--live"],
  ["query", "--since", "yesterday"], ["query", "--subject-prompt", "--subject-fd", "3"],
  ["query", "--all", "--count", "1"], ["tail", "a", "b", "c", "--after", "1", "--after", "2"],
  ["import", "--stream", "s", "--stream-from", "type"], ["import", "--from-line", "0"],
  ["export", "range"], ["export", "range", "s", "--resume"],
  ["export", "range", "s", "--from", "3", "--to", "2"], ["tenant", "create", "acme"],
  ["count", "--timeout", "0"], ["frobnicate"],
])
func `wrong usage is status 64`(words: [String]) {
  do {
    _ = try Lethe.parseAsRoot(words)
    Issue.record("accepted")
  } catch {
    #expect(Lethe.exitCode(for: error).rawValue == 64)
  }
}

@Test func `no option takes a person's identifier`() {
  for help in [
    Append.helpMessage(), Query.helpMessage(), Count.helpMessage(), Import.helpMessage(),
    ShredSubject.helpMessage(), SubjectEnrol.helpMessage(), HoldSet.helpMessage(),
  ] {
    #expect(!help.contains("--subject "))
    #expect(!help.contains("--datasubject"))
  }
}

@Test func `every command teaches by at least two examples`() {
  func walk(_ command: any ParsableCommand.Type) {
    let configuration = command.configuration
    let examples = configuration.discussion.split(separator: "\n").filter {
      $0.drop { $0 == " " }.hasPrefix("$ lethe ")
    }
    #expect(examples.count >= 2, "\(configuration.commandName ?? "\(command)")")
    for child in configuration.subcommands { walk(child) }
  }
  walk(Lethe.self)
}

@Test func `tables line up, with numbers to the right`() {
  #expect(
    Table.lines([["NAME", "EVENTS"], ["acme", "7"], ["b", "1200"]])
      == ["NAME  EVENTS", "acme       7", "b       1200"])
}

@Test func `what a terminal would obey is not shown`() {
  #expect(Table.cell(.bulk(Array("a\u{1B}[2Jb\n\u{202E}c".utf8))) == "a·[2Jb··c")
  #expect(Table.cell(.bulk([0xFF, 0xFE])) == "<2 bytes>")
}

@Test func `an answer of the live tail is a list per stream`() {
  #expect(Follower.lists(.null)?.isEmpty == true)
  let lists = Follower.lists(.map([(.bulk(Array("s".utf8)), .array([.map([])]))]))
  #expect(lists?.count == 1)
  #expect(lists?.first?.stream == "s")
  #expect(Follower.lists(.integer(1)) == nil)
}
