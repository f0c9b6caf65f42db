import EventModel
import Testing

@testable import Server

@Suite struct HandshakeTests {
  private static let hello3 =
    "%7\r\n$6\r\nserver\r\n$5\r\nlethe\r\n$7\r\nversion\r\n$5\r\n0.1.0\r\n$5\r\nproto\r\n:3\r\n"
    + "$2\r\nid\r\n:3\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
    + "$7\r\nmodules\r\n*0\r\n"

  @Test func `HELLO 3 answers all seven fields`() {
    var harness = Harness()
    #expect(harness.reply("HELLO 3") == Self.hello3)
    #expect(harness.reply("hello") == Self.hello3)
  }

  @Test func `HELLO 2 answers a flat list`() {
    var harness = Harness()
    #expect(harness.reply("HELLO 2").hasPrefix("*14\r\n$6\r\nserver\r\n"))
  }

  @Test func `HELLO changes nothing unless all of it is right`() {
    var harness = Harness()
    #expect(harness.reply("HELLO 3 AUTH other peer").hasPrefix("-WRONGPASS "))
    #expect(harness.reply("CLIENT GETNAME") == "$-1\r\n")
    #expect(harness.reply("HELLO 3 AUTH acme peer SETNAME app") == Self.hello3)
    #expect(harness.reply("CLIENT GETNAME") == "$3\r\napp\r\n")
  }

  @Test(arguments: [
    ("PING", "+PONG\r\n"),
    ("PING a", "$1\r\na\r\n"),
    ("PING a b", "-ERR wrong number of arguments for 'ping' command\r\n"),
    ("ECHO a", "$1\r\na\r\n"),
    ("SELECT 0", "+OK\r\n"),
    ("SELECT 1", "-ERR DB index is out of range\r\n"),
    ("SELECT x", "-ERR value is not an integer or out of range\r\n"),
    ("QUIT", "+OK\r\n"),
    ("RESET", "+RESET\r\n"),
    ("HELLO 4", "-NOPROTO unsupported protocol version\r\n"),
    ("HELLO x", "-ERR Protocol version is not an integer or out of range\r\n"),
    ("HELLO 3 NOPE", "-ERR Syntax error in HELLO option\r\n"),
    ("AUTH acme peer", "+OK\r\n"),
    ("AUTH acme ", "+OK\r\n"),
    ("AUTH acme", "+OK\r\n"),
    ("AUTH peer", "+OK\r\n"),
    ("AUTH default peer", "+OK\r\n"),
    ("AUTH acme secret", "-WRONGPASS invalid username-password pair or user is disabled.\r\n"),
    ("AUTH", "-ERR wrong number of arguments for 'auth' command\r\n"),
    ("CLIENT SETNAME a", "+OK\r\n"),
    ("CLIENT SETINFO LIB-NAME redis-py", "+OK\r\n"),
    ("CLIENT SETINFO lib-ver 8.1.0", "+OK\r\n"),
    ("CLIENT SETINFO other x", "-ERR Unrecognized option\r\n"),
    ("CLIENT ID", ":3\r\n"),
    ("CLIENT NO-EVICT on", "+OK\r\n"),
    ("CLIENT TRACKING on", "-ERR unknown subcommand; see COMMAND DOCS CLIENT\r\n"),
    ("CLIENT", "-ERR wrong number of arguments for 'client' command\r\n"),
    ("CLIENT ID x", "-ERR wrong number of arguments for 'client|id' command\r\n"),
    ("CONFIG GET save", "*2\r\n$4\r\nsave\r\n$0\r\n\r\n"),
    ("CONFIG GET appendonly", "*2\r\n$10\r\nappendonly\r\n$3\r\nyes\r\n"),
    ("CONFIG GET requirepass", "*0\r\n"),
    ("CONFIG SET save x", "-ERR unknown subcommand; see COMMAND DOCS CONFIG\r\n"),
    ("TIME", "*2\r\n$10\r\n1764000000\r\n$1\r\n1\r\n"),
    ("COMMAND INFO nope", "*1\r\n*-1\r\n"),
    (
      "COMMAND INFO get ping",
      "*2\r\n*-1\r\n*6\r\n$4\r\nping\r\n:-1\r\n*1\r\n+readonly\r\n:0\r\n:0\r\n:0\r\n"
    ),
  ])
  func `the handshake is as Redis answers it`(line: String, reply: String) {
    var harness = Harness()
    #expect(harness.reply(line) == reply)
  }

  @Test func `absent and forbidden tenants answer alike`() {
    let some = [Grant(tenants: .some([TenantName("acme")!, TenantName("gone")!]), roles: .all)]
    var harness = Harness(grants: some, tenants: ["acme", "other"])
    let forbidden = harness.reply("AUTH other peer")
    #expect(harness.reply("AUTH gone peer") == forbidden)
    #expect(harness.reply("AUTH never peer") == forbidden)
    #expect(harness.reply("AUTH NEVER peer") == forbidden)
    #expect(harness.reply("AUTH acme peer") == "+OK\r\n")
  }

  @Test func `with one permitted tenant nobody needs AUTH`() {
    var harness = Harness()
    #expect(harness.reply("EVENT.COUNT") == ":7\r\n")
    #expect(!harness.context.state.isUnbound)
  }

  @Test func `in a store of one tenant whoever may use all of them needs no AUTH`() {
    var harness = Harness(grants: [Grant(tenants: .all, roles: .reader)])
    harness.context.state.bindOnlyTenant(in: harness.context.surroundings)
    #expect(!harness.context.state.isUnbound)
    var administrator = Harness(grants: [Grant(tenants: .all, roles: .operator)])
    administrator.context.state.bindOnlyTenant(in: administrator.context.surroundings)
    #expect(administrator.context.state.isUnbound)
  }

  @Test func `with several tenants AUTH comes first`() {
    var harness = Harness(
      grants: [Grant(tenants: .all, roles: .all)], tenants: ["acme", "other"])
    harness.context.state.bindOnlyTenant(in: harness.context.surroundings)
    #expect(harness.context.state.isUnbound)
    #expect(harness.reply("EVENT.COUNT") == "-NOAUTH Authentication required.\r\n")
    #expect(harness.reply("AUTH acme peer") == "+OK\r\n")
    #expect(harness.reply("EVENT.COUNT") == ":7\r\n")
    #expect(harness.reply("RESET") == "+RESET\r\n")
    #expect(harness.reply("EVENT.COUNT") == "-NOAUTH Authentication required.\r\n")
  }

  @Test func `COMMAND DOCS describes every command of the socket`() {
    var harness = Harness()
    let text = harness.reply("COMMAND DOCS")
    #expect(text.contains("event.append"))
    #expect(!text.contains("shred"))
    var admin = Harness(endpoint: .admin)
    #expect(admin.reply("COMMAND DOCS").contains("shred"))
  }

  @Test func `a tenant that an access file took away is gone`() {
    var harness = Harness()
    harness.context.state.setRights(.none)
    #expect(harness.reply("EVENT.COUNT") == "-NOAUTH Authentication required.\r\n")
  }
}
