import Foundation
import EventModel
import EventStore
import RESP
import Testing

@testable import Server

@Suite struct AppendReplyTests {
  private func reply(
    _ line: String, _ results: [AppendResult], version: ProtocolVersion = .resp2
  ) -> Reply? {
    var harness = Harness()
    harness.run(line.split(separator: " ").map { Array($0.utf8) })
    let pending = harness.context.appends.take()
    pending.batch.results = results
    var bytes: [UInt8] = []
    let arena = pending.batch.bytes
    AppendReply.append(
      pending, 0..<pending.notes.count, batch: arena.span, ReplyEncoder(version: version),
      to: &bytes)
    var parser = ReplyParser()
    return try? parser.parse(bytes.span).reply
  }

  private let stored = AppendResult(
    position: 5, version: 2, storedMilliseconds: 1_764_000_000_123)

  @Test(arguments: [ProtocolVersion.resp2, .resp3])
  func `an append answers what the server filled in`(version: ProtocolVersion) throws {
    let found = reply("EVENT.APPEND s t IMPERSONAL ID e1 DATA x", [stored], version: version)
    let reply = try #require(found)
    #expect(reply["position"] == .integer(5))
    #expect(reply["version"] == .integer(2))
    #expect(reply["id"]?.text == "e1")
    #expect(reply["time"]?.text == "2025-11-24T16:00:00.123Z")
    #expect(reply["duplicate"] == .integer(0))
  }

  @Test func `the event's own time is answered when it has one`() {
    let reply = reply("EVENT.APPEND s t IMPERSONAL TIME 2026-01-02T03:04:05Z DATA x", [stored])
    #expect(reply?["time"]?.text == "2026-01-02T03:04:05Z")
    #expect(reply?["id"]?.text?.count == 36)
  }

  @Test func `a batch answers a list, even of one`() {
    let reply = reply("EVENT.BATCH STREAM s EVENT t IMPERSONAL DATA x", [stored])
    #expect(reply?.items?.count == 1)
    #expect(reply?.items?.first?["position"] == .integer(5))
  }

  @Test func `a refused batch says which event was refused`() {
    let reply = reply(
      "EVENT.BATCH STREAM s EVENT t IMPERSONAL DATA x EVENT t IMPERSONAL DATA y",
      [
        AppendResult(error: .batchRefused),
        AppendResult(error: .wrongVersion(expected: .version(4), actual: 6)),
      ])
    #expect(reply == .error("WRONGVERSION expected 4 actual 6 event 2"))
  }

  @Test func `a batch that the writer gave back without results was not stored`() {
    let reply = reply("EVENT.APPEND s t IMPERSONAL DATA x", [])
    #expect(reply == .error("TRYAGAIN the daemon is ending; nothing was stored"))
  }
}

@Suite struct ErrorWordTests {
  @Test(arguments: [
    (StoreError.noSpace, "READONLY"), (.ioFailure, "MISCONF"), (.readOnly, "READONLY"),
    (.corrupt, "CORRUPT"), (.rolledBack, "CORRUPT"), (.suspended, "SUSPENDED"),
    (.noTenant, "NOTENANT"), (.tenantExists, "TENANTEXISTS"), (.tooManyTenants, "QUOTA"),
    (.subjectShredded, "SUBJECTSHREDDED"),
    (.wrongVersion(expected: .none, actual: 1), "WRONGVERSION"), (.unknownClass, "BADARG"),
    (.tooBig, "TOOBIG"), (.noEvent, "NOEVENT"), (.noSubject, "NOSUBJECT"),
    (.confirmationMissing, "CONFIRM"), (.confirmationUnknown, "CONFIRM"),
    (.planChanged, "CONFIRM"), (.needsApproval, "APPROVAL"), (.tooManyPlans, "QUOTA"),
    (.keyUnavailable, "KEYUNAVAILABLE"), (.shuttingDown, "TRYAGAIN"),
    (.batchRefused, "EXECABORT"),
  ])
  func `what the engine refuses has its word`(error: StoreError, word: String) {
    #expect(CommandError(error).word.rawValue == word)
    #expect(CommandError(error).line.hasPrefix("\(word) "))
  }

  @Test func `words that cluster clients act on are not used`() {
    let words = ErrorWord.allCases.map(\.rawValue)
    #expect(
      Set(words).isDisjoint(with: ["MOVED", "ASK", "CLUSTERDOWN", "CROSSSLOT", "MASTERDOWN"]))
  }
}

@Suite struct ProtocolPageTests {
  /// Docs/Protocol.md, from this file's place in the repository.
  private static func page() throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOf: root.appending(path: "Docs/Protocol.md"), encoding: .utf8)
  }

  @Test(arguments: ErrorWord.allCases)
  func `the page names every error word with its advice`(word: ErrorWord) throws {
    let row = try Self.page().split(separator: "\n").first {
      $0.hasPrefix("| `\(word.rawValue)` |")
    }
    let cells = try #require(row).split(separator: "|").map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    #expect(cells.count == 3)
    #expect(cells.last == word.retry.rawValue)
  }
}
