import EventModel
import Testing

@testable import Server

private func policy(_ text: String) throws(AccessFileError) -> AccessPolicy {
  try AccessPolicy(parsing: Array(text.utf8))
}

private func rights(
  _ policy: AccessPolicy, uid: UInt32, gid: UInt32 = 1, groups: [UInt32] = [],
  through endpoint: Endpoint = .query
) -> Rights? {
  let admission = policy.admit(Peer(uid: uid, gid: gid, groups: groups), through: endpoint)
  guard case .admitted(let rights) = admission else { return nil }
  return rights
}

private func name(_ text: String) -> TenantName { TenantName(text)! }

@Suite struct AccessPolicyTests {
  private let example = """
    {"peers": [
       {"uid": 1201, "tenants": ["acme"], "roles": ["writer", "reader"], "purposes": ["product"]},
       {"uid": 1201, "tenants": ["beta"], "roles": ["writer"]},
       {"gid": 700, "tenants": "*", "roles": ["operator"]}],
     "sockets": [{"name": "web-7", "tenant": "acme", "roles": ["writer"]}]}
    """

  @Test func `rights are the union of all rules that match`() throws {
    let granted = try #require(rights(policy(example), uid: 1201))
    #expect(granted.roles(for: name("acme")) == [.writer, .reader])
    #expect(granted.roles(for: name("beta")) == [.writer])
    #expect(granted.roles(for: name("gamma")) == [])
    #expect(granted.soleTenant == nil)
  }

  @Test func `a group counts whether primary or supplementary`() throws {
    let policy = try policy(example)
    #expect(rights(policy, uid: 5, gid: 700)?.allRoles == [.operator])
    #expect(rights(policy, uid: 5, gid: 1, groups: [3, 700])?.allRoles == [.operator])
    #expect(rights(policy, uid: 5, gid: 1, groups: [3]) == nil)
  }

  @Test func `root has nothing implicitly`() throws {
    #expect(try rights(policy(example), uid: 0, gid: 0) == nil)
  }

  @Test func `the overflow user is refused with a hint`() throws {
    let peer = Peer(uid: 65_534, gid: 700, groups: [700])
    let admission = try policy(example).admit(peer, through: .query)
    guard case .refused(let text) = admission else {
      Issue.record("admitted")
      return
    }
    #expect(text.contains("named socket"))
  }

  @Test func `a declared socket has one tenant whoever connects`() throws {
    let policy = try policy(example)
    let web = Endpoint.named(SocketName("web-7")!)
    let granted = try #require(rights(policy, uid: 65_534, through: web))
    #expect(granted.soleTenant == name("acme"))
    #expect(granted.allRoles == [.writer])
    let other = Endpoint.named(SocketName("web-8")!)
    #expect(rights(policy, uid: 1201, through: other) == nil)
  }

  @Test func `uid and groups together do not make an operator who reads`() throws {
    let policy = try policy(example)
    #expect(rights(policy, uid: 1201, gid: 700) == nil)
    let loose = try Self.unseparated(example)
    #expect(rights(loose, uid: 1201, gid: 700) != nil)
  }

  private static func unseparated(_ text: String) throws -> AccessPolicy {
    try policy(text.replacing("{\"peers\"", with: "{\"unseparated\": true, \"peers\""))
  }

  @Test func `without a file only the daemon's user may connect`() {
    let policy = AccessPolicy(onlyUID: 42)
    #expect(rights(policy, uid: 42)?.allRoles == .all)
    #expect(rights(policy, uid: 0) == nil)
    #expect(policy.isUnseparated)
    #expect(rights(policy, uid: 42)?.soleTenant == nil)
  }

  @Test(arguments: [
    "", "[]", "{", "{\"peers\": 1}", "{\"pears\": []}", "{\"peers\": [1]}", "{\"peers\": []} x",
    "{\"peers\": [], \"peers\": []}", "{\"unseparated\": 1}",
    "{\"peers\": [{\"tenants\": [\"a\"], \"roles\": [\"writer\"]}]}",
    "{\"peers\": [{\"uid\": 1, \"gid\": 1, \"tenants\": [\"a\"], \"roles\": [\"writer\"]}]}",
    "{\"peers\": [{\"uid\": -1, \"tenants\": [\"a\"], \"roles\": [\"writer\"]}]}",
    "{\"peers\": [{\"uid\": 65534, \"tenants\": [\"a\"], \"roles\": [\"writer\"]}]}",
    "{\"peers\": [{\"uid\": 4294967295, \"tenants\": [\"a\"], \"roles\": [\"writer\"]}]}",
    "{\"peers\": [{\"uid\": 1.5, \"tenants\": [\"a\"], \"roles\": [\"writer\"]}]}",
    "{\"peers\": [{\"uid\": \"1\", \"tenants\": [\"a\"], \"roles\": [\"writer\"]}]}",
    "{\"peers\": [{\"uid\": 1, \"tenants\": [], \"roles\": [\"writer\"]}]}",
    "{\"peers\": [{\"uid\": 1, \"tenants\": \"a\", \"roles\": [\"writer\"]}]}",
    "{\"peers\": [{\"uid\": 1, \"tenants\": [\"A\"], \"roles\": [\"writer\"]}]}",
    "{\"peers\": [{\"uid\": 1, \"tenants\": [\"a\"], \"roles\": []}]}",
    "{\"peers\": [{\"uid\": 1, \"tenants\": [\"a\"], \"roles\": [\"admin\"]}]}",
    "{\"peers\": [{\"uid\": 1, \"tenants\": [\"a\"], \"roles\": [\"writer\"], \"x\": 1}]}",
    "{\"peers\": [{\"uid\": 1, \"tenants\": [\"a\"], \"roles\": [\"operator\", \"reader\"]}]}",
    "{\"peers\": [{\"uid\": 1, \"tenants\": [\"a\"], \"roles\": [\"operator\"]},"
      + "{\"uid\": 1, \"tenants\": [\"b\"], \"roles\": [\"exporter\"]}]}",
    "{\"sockets\": [{\"name\": \"query\", \"tenant\": \"a\", \"roles\": [\"writer\"]}]}",
    "{\"sockets\": [{\"name\": \"../x\", \"tenant\": \"a\", \"roles\": [\"writer\"]}]}",
    "{\"sockets\": [{\"name\": \"x\", \"tenant\": \"*\", \"roles\": [\"writer\"]}]}",
    "{\"sockets\": [{\"name\": \"x\", \"tenant\": \"a\", \"roles\": [\"writer\"]},"
      + "{\"name\": \"x\", \"tenant\": \"b\", \"roles\": [\"writer\"]}]}",
    "{\"a\":[[[[[[[[[[[1]]]]]]]]]]]}",
  ])
  func `a file with a mistake is refused`(text: String) {
    #expect(throws: AccessFileError.self) { try policy(text) }
  }

  @Test func `a mistake is told with its line and never with a value`() {
    #expect(throws: AccessFileError.syntax(line: 2, reason: "unexpected character")) {
      try policy("{\"peers\":\n?}")
    }
    do {
      _ = try policy(
        "{\"peers\": [{\"uid\": 1, \"tenants\": [\"SECRET\"], \"roles\": [\"writer\"]}]}")
    } catch {
      #expect(!"\(error)".contains("SECRET"))
    }
  }
}
