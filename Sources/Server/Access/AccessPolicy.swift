import EventModel

/// Who may connect and what they may do: the access file, or what holds without one.
struct AccessPolicy: Hashable, Sendable {
  /// Whom a rule is about.
  enum Match: Hashable, Sendable {
    case uid(UInt32)
    case gid(UInt32)
  }

  struct PeerRule: Hashable, Sendable {
    let match: Match
    let grant: Grant

    init(match: Match, grant: Grant) {
      self.match = match
      self.grant = grant
    }
  }

  struct SocketRule: Hashable, Sendable {
    let name: SocketName
    let tenant: TenantName
    let roles: RoleSet
    let purposes: [String]

    init(name: SocketName, tenant: TenantName, roles: RoleSet, purposes: [String] = []) {
      self.name = name
      self.tenant = tenant
      self.roles = roles
      self.purposes = purposes
    }
  }

  let peers: [PeerRule]
  let sockets: [SocketRule]
  /// One user may administrate and read events; shown by INFO and on certificates.
  let isUnseparated: Bool
  /// True when there is no access file.
  let isDefault: Bool

  init(peers: [PeerRule], sockets: [SocketRule], isUnseparated: Bool) {
    self.peers = peers
    self.sockets = sockets
    self.isUnseparated = isUnseparated
    isDefault = false
  }

  /// Without an access file: the daemon's own user may do everything, nobody else anything.
  init(onlyUID uid: UInt32) {
    peers = [PeerRule(match: .uid(uid), grant: Grant(tenants: .all, roles: .all))]
    sockets = []
    isUnseparated = true
    isDefault = true
  }

  /// Whether a peer gets in.
  enum Admission: Hashable, Sendable {
    case admitted(Rights)
    /// The text of the error, which says what to do.
    case refused(String)
  }

  /// Decides about a peer that connected through `endpoint`.
  func admit(_ peer: Peer, through endpoint: Endpoint) -> Admission {
    if case .named(let name) = endpoint { return admit(through: name) }
    guard peer.uid != Peer.overflowUID else {
      return .refused(
        "NOPERM uid 65534 is nobody: the peer lives in another user namespace, where its uid "
          + "says nothing; declare a named socket for it in the access file")
    }
    let grants = peers.filter { rule in
      switch rule.match {
      case .uid(let uid): peer.uid == uid
      case .gid(let gid): peer.isIn(group: gid)
      }
    }.map(\.grant)
    let rights = Rights(grants: grants)
    guard !rights.allRoles.isEmpty else {
      return .refused("NOPERM this user is not in the access file")
    }
    guard isUnseparated || !rights.allRoles.isUnseparated else {
      return .refused(
        "NOPERM the access file makes this user operator and reader, by uid and groups together, "
          + "without \"unseparated\": true")
    }
    return .admitted(rights)
  }

  /// The peer's uid does not matter here: in a container it says nothing.
  private func admit(through name: SocketName) -> Admission {
    guard let rule = sockets.first(where: { $0.name == name }) else {
      return .refused("NOPERM this socket is no longer in the access file")
    }
    let grant = Grant(
      tenants: .some([rule.tenant]), roles: rule.roles, purposes: rule.purposes)
    return .admitted(Rights(grants: [grant]))
  }
}
