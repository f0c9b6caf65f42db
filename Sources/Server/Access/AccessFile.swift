import EventModel

/// Why an access file is refused; its owner corrects it.
package enum AccessFileError: Error, Hashable, Sendable {
  /// It cannot be read, or belongs to somebody who must not decide about access.
  case file(String)
  /// It is not JSON.
  case syntax(line: Int, reason: String)
  /// It says something that has no meaning here; the path names the place, never a value.
  case meaning(path: String, reason: String)

  /// One plain sentence for the operator.
  package var sentence: String {
    switch self {
    case .file(let reason): "the access file is refused: \(reason)"
    case .syntax(let line, let reason): "the access file is refused: line \(line): \(reason)"
    case .meaning(let path, let reason): "the access file is refused: \(path): \(reason)"
    }
  }
}

extension AccessPolicy {
  /// Reads the text of an access file.
  ///
  /// Unknown names are errors, since a misspelled one would silently grant or withhold something.
  init(parsing text: [UInt8]) throws(AccessFileError) {
    let json: JSON
    do { json = try JSON(parsing: text) } catch {
      throw .syntax(line: error.line, reason: error.reason)
    }
    let file = try AccessObject(json, at: "file", names: ["peers", "sockets", "unseparated"])
    var peers: [PeerRule] = []
    for (index, item) in try file.list("peers", isOptional: true).enumerated() {
      peers.append(try Self.peerRule(item, at: "peers[\(index)]"))
    }
    var sockets: [SocketRule] = []
    for (index, item) in try file.list("sockets", isOptional: true).enumerated() {
      let rule = try Self.socketRule(item, at: "sockets[\(index)]")
      guard !sockets.contains(where: { $0.name == rule.name }) else {
        throw .meaning(path: "sockets[\(index)]", reason: "the name appears twice")
      }
      sockets.append(rule)
    }
    var isUnseparated = false
    switch file["unseparated"] {
    case nil: break
    case .boolean(let value): isUnseparated = value
    default: throw .meaning(path: "unseparated", reason: "true or false")
    }
    self.init(peers: peers, sockets: sockets, isUnseparated: isUnseparated)
    if !isUnseparated { try checkSeparation() }
  }

  private func checkSeparation() throws(AccessFileError) {
    var roles: [Match: RoleSet] = [:]
    for rule in peers { roles[rule.match, default: []].formUnion(rule.grant.roles) }
    guard !roles.values.contains(where: \.isUnseparated),
      !sockets.contains(where: { $0.roles.isUnseparated })
    else {
      throw .meaning(
        path: "peers",
        reason: "operator together with reader or exporter needs \"unseparated\": true")
    }
  }

  private static func peerRule(_ json: JSON, at path: String) throws(AccessFileError) -> PeerRule {
    let rule = try AccessObject(
      json, at: path, names: ["uid", "gid", "tenants", "roles", "purposes"])
    let match: Match
    switch (rule["uid"], rule["gid"]) {
    case (.integer(let uid), nil): match = .uid(try rule.userNumber(uid))
    case (nil, .integer(let gid)): match = .gid(try rule.userNumber(gid))
    default: throw .meaning(path: path, reason: "either uid or gid, a number")
    }
    let tenants: TenantScope
    if rule["tenants"] == .text("*") {
      tenants = .all
    } else {
      var names: [TenantName] = []
      for text in try rule.texts("tenants") { names.append(try rule.tenant(text)) }
      guard !names.isEmpty else { throw .meaning(path: "\(path).tenants", reason: "none named") }
      tenants = .some(names)
    }
    return PeerRule(
      match: match,
      grant: Grant(tenants: tenants, roles: try rule.roles(), purposes: try rule.purposes()))
  }

  private static func socketRule(
    _ json: JSON, at path: String
  ) throws(AccessFileError) -> SocketRule {
    let rule = try AccessObject(json, at: path, names: ["name", "tenant", "roles", "purposes"])
    guard case .text(let text) = rule["name"], let name = SocketName(text) else {
      throw .meaning(
        path: "\(path).name", reason: "1 to 32 of a-z, 0-9 and -, neither query nor admin")
    }
    guard case .text(let tenant) = rule["tenant"] else {
      throw .meaning(path: "\(path).tenant", reason: "one tenant's name")
    }
    return SocketRule(
      name: name, tenant: try rule.tenant(tenant), roles: try rule.roles(),
      purposes: try rule.purposes())
  }
}

/// An object of the access file whose names are all known.
private struct AccessObject {
  let path: String
  let members: [JSON.Member]

  init(_ json: JSON, at path: String, names: [String]) throws(AccessFileError) {
    guard case .object(let members) = json else {
      throw .meaning(path: path, reason: "an object")
    }
    guard members.allSatisfy({ names.contains($0.name) }) else {
      throw .meaning(
        path: path, reason: "only these names: \(names.joined(separator: ", "))")
    }
    (self.path, self.members) = (path, members)
  }

  subscript(name: String) -> JSON? { members.first { $0.name == name }?.value }

  func list(_ name: String, isOptional: Bool) throws(AccessFileError) -> [JSON] {
    if isOptional, self[name] == nil { return [] }
    guard case .array(let items) = self[name] else {
      throw .meaning(path: "\(path).\(name)", reason: "a list")
    }
    return items
  }

  func texts(_ name: String) throws(AccessFileError) -> [String] {
    var texts: [String] = []
    for item in try list(name, isOptional: false) {
      guard case .text(let text) = item else {
        throw .meaning(path: "\(path).\(name)", reason: "a list of strings")
      }
      texts.append(text)
    }
    return texts
  }

  func roles() throws(AccessFileError) -> RoleSet {
    var roles: RoleSet = []
    for text in try texts("roles") {
      guard let role = Role(rawValue: text) else {
        let known = Role.allCases.map(\.rawValue).joined(separator: ", ")
        throw .meaning(path: "\(path).roles", reason: "one of \(known)")
      }
      roles.formUnion(RoleSet(role))
    }
    guard !roles.isEmpty else { throw .meaning(path: "\(path).roles", reason: "none named") }
    return roles
  }

  func purposes() throws(AccessFileError) -> [String] {
    let purposes = self["purposes"] == nil ? [] : try texts("purposes")
    guard purposes.allSatisfy({ SocketName($0) != nil }) else {
      throw .meaning(path: "\(path).purposes", reason: "codes of a-z, 0-9 and -")
    }
    return purposes
  }

  func tenant(_ text: String) throws(AccessFileError) -> TenantName {
    guard let name = TenantName(text) else {
      throw .meaning(path: path, reason: "a tenant's name is [a-z0-9][a-z0-9._-]{0,62}")
    }
    return name
  }

  func userNumber(_ number: Int64) throws(AccessFileError) -> UInt32 {
    guard let value = UInt32(exactly: number), value != .max, value != Peer.overflowUID else {
      throw .meaning(path: path, reason: "not the number of a user or group")
    }
    return value
  }
}
