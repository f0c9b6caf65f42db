import EventModel
import Testing

@testable import Server

@Suite struct PurposeTests {
  private func harness(_ purposes: [[String]], roles: RoleSet = .reader) -> Harness {
    var harness = Harness(
      grants: purposes.map {
        Grant(tenants: .some(Harness.acme), roles: roles, purposes: $0)
      })
    #expect(harness.reply("AUTH acme peer") == "+OK\r\n")
    return harness
  }

  @Test func `a purpose that stands alone is the connection's, and none is unstated`() {
    #expect(harness([["product"]]).context.state.purpose == "product")
    #expect(harness([[]]).context.state.purpose == "unstated")
    var unstated = harness([[]])
    #expect(unstated.reply("EVENT.COUNT").hasPrefix(":"))
    #expect(unstated.reply("EVENT.PURPOSE product").hasPrefix("-PURPOSE "))
  }

  @Test func `of several one must be said before events are read`() {
    var harness = harness([["product"], ["billing"]])
    for line in ["EVENT.COUNT", "EVENT.RANGE s - +", "EVENT.GET POSITION 1"] {
      #expect(harness.reply(line).hasPrefix("-PURPOSE "), "\(line)")
    }
    #expect(harness.reply("EVENT.PURPOSE marketing").hasPrefix("-PURPOSE "))
    #expect(harness.reply("EVENT.PURPOSE billing") == "+OK\r\n")
    #expect(harness.context.state.purpose == "billing")
    #expect(harness.reply("EVENT.COUNT") == ":7\r\n")
    #expect(harness.reply("EVENT.PURPOSE product") == "+OK\r\n")
    // What the access file no longer has is no purpose any more.
    harness.context.state.setRights(
      Rights(grants: [
        Grant(tenants: .some(Harness.acme), roles: .reader, purposes: ["a", "b"])
      ]))
    #expect(harness.reply("EVENT.COUNT").hasPrefix("-PURPOSE "))
    #expect(harness.context.state.purpose == "unstated")
  }

  @Test func `RESET forgets the purpose, and writers need none`() {
    var reading = harness([["product", "billing"]])
    #expect(reading.reply("EVENT.PURPOSE billing") == "+OK\r\n")
    #expect(reading.reply("RESET") == "+RESET\r\n")
    #expect(reading.reply("AUTH acme peer") == "+OK\r\n")
    #expect(reading.reply("EVENT.COUNT").hasPrefix("-PURPOSE "))
    var writing = harness([["product", "billing"]], roles: .writer)
    #expect(
      writing.run(["EVENT.APPEND", "s", "t", "IMPERSONAL", "DATA", "x"].map { Array($0.utf8) })
        != nil)
  }
}
