import EventModel
import EventStore
import RESP
#if DEBUG
  import Storage
#endif

/// What a connection is: who, through which socket, in which protocol, for which tenant.
///
/// A plain value; sockets and time are elsewhere.
struct ConnectionState {
  /// From 1, never reused while the daemon runs.
  let id: UInt64
  let endpoint: Endpoint
  let peer: Peer
  /// Follows the access file when that is read anew.
  var rights: Rights
  var encoder = ReplyEncoder(version: .resp2)
  /// The tenant that `AUTH` named, or the only permitted one.
  private(set) var tenant: TenantName?
  /// The tenant's number, once it was looked up.
  private(set) var tenantNumber: TenantNumber?
  /// What was queued since `MULTI`; nil when there was none.
  var transaction: Transaction?
  /// What `EVENT.PURPOSE` said.
  private var statedPurpose: String?
  var clientName: [UInt8] = []
  var libraryName: [UInt8] = []
  var libraryVersion: [UInt8] = []

  init(id: UInt64, endpoint: Endpoint, peer: Peer, rights: Rights) {
    self.id = id
    self.endpoint = endpoint
    self.peer = peer
    self.rights = rights
    tenant = rights.soleTenant
  }

  /// True while nobody knows which tenant the connection is for; it gets little time and memory.
  var isUnbound: Bool { tenant == nil && endpoint != .admin }

  /// The peer as the ledger records it.
  var actor: Actor {
    var socketName: String?
    if case .named(let name) = endpoint { socketName = name.text }
    return Actor(
      uid: peer.uid, socketName: socketName, isApprover: rights.allRoles.contains(.approver))
  }

  /// What the peer reads for, a code; as the access log has it.
  var purpose: String { knownPurpose ?? "unstated" }

  /// True when the peer may read for several purposes and has not said for which.
  var needsPurpose: Bool { knownPurpose == nil && !purposes.isEmpty }

  private var purposes: [String] { tenant.map { rights.purposes(for: $0) } ?? [] }

  private var knownPurpose: String? {
    let purposes = purposes
    if let statedPurpose, purposes.contains(statedPurpose) { return statedPurpose }
    return purposes.count == 1 ? purposes[0] : nil
  }

  /// Takes what the peer says it reads for; false when the access file does not have it.
  mutating func choose(purpose: Span<UInt8>) -> Bool {
    guard let found = purposes.first(where: { $0.utf8.elementsEqual(purpose.array) }) else {
      return false
    }
    statedPurpose = found
    return true
  }

  /// The roles for the connection's tenant.
  var roles: RoleSet {
    guard let tenant else { return [] }
    return rights.roles(for: tenant)
  }

  /// Binds the connection to the tenant that `user` names, if the peer may and the tenant exists.
  ///
  /// `default` is what clients say that were given a password only: the only permitted tenant.
  mutating func authenticate(
    user: Span<UInt8>, password: Span<UInt8>, in surroundings: Surroundings
  ) throws(CommandError) {
    guard password.isEmpty || Word(password) == "PEER" else { throw .wrongPass }
    var wanted = TenantName(user.array)
    if let name = wanted, name.text == "default",
      !rights.permits(name) || surroundings.tenantNumber(name) == nil
    {
      wanted = impliedTenant(in: surroundings)
    }
    guard let name = wanted, mayBind(to: name),
      let number = surroundings.tenantNumber(name)
    else { throw .wrongPass }
    if tenant != name { statedPurpose = nil }
    (tenant, tenantNumber) = (name, number)
  }

  private func mayBind(to name: TenantName) -> Bool {
    #if DEBUG
      if TestHooks.isVariant("tenant-unchecked") { return true }
    #endif
    return rights.permits(name)
  }

  /// The number of the connection's tenant.
  mutating func boundTenant(
    in surroundings: Surroundings
  ) throws(CommandError) -> TenantNumber {
    if let tenantNumber { return tenantNumber }
    bindOnlyTenant(in: surroundings)
    guard let tenant else { throw .authenticationRequired }
    guard let number = surroundings.tenantNumber(tenant) else { throw .noTenant }
    tenantNumber = number
    return number
  }

  /// The tenant of a peer who names none: the only permitted one, or the store's only one.
  func impliedTenant(in surroundings: Surroundings) -> TenantName? {
    rights.soleTenant ?? (rights.reachesAllTenants ? surroundings.onlyTenant() : nil)
  }

  /// Binds a peer who may use all tenants to the store's only one, as if `AUTH` had named it.
  mutating func bindOnlyTenant(in surroundings: Surroundings) {
    guard isUnbound, rights.reachesAllTenants else { return }
    tenant = surroundings.onlyTenant()
  }

  /// The tenant is gone, or another has its name: the next command looks again.
  mutating func forgetTenantNumber() { tenantNumber = nil }

  /// Takes over what a new access file says.
  mutating func setRights(_ rights: Rights) {
    self.rights = rights
    if let tenant, rights.permits(tenant) { return }
    (tenant, tenantNumber) = (rights.soleTenant, nil)
  }

  /// Back to how the connection began (`RESET`).
  mutating func reset() {
    encoder.version = .resp2
    (tenant, tenantNumber) = (rights.soleTenant, nil)
    statedPurpose = nil
    transaction = nil
    (clientName, libraryName, libraryVersion) = ([], [], [])
  }
}
