import EventModel

/// The tenants that a rule of the access file is about.
enum TenantScope: Hashable, Sendable {
  case all
  case some([TenantName])

  func contains(_ tenant: TenantName) -> Bool {
    switch self {
    case .all: true
    case .some(let names): names.contains(tenant)
    }
  }

  /// True when it is about all tenants, or one that `isMeant`.
  func contains(where isMeant: (TenantName) -> Bool) -> Bool {
    switch self {
    case .all: true
    case .some(let names): names.contains(where: isMeant)
    }
  }
}

/// What one rule of the access file grants.
struct Grant: Hashable, Sendable {
  let tenants: TenantScope
  let roles: RoleSet
  /// What the data may be read for; empty means that nothing was said.
  let purposes: [String]

  init(tenants: TenantScope, roles: RoleSet, purposes: [String] = []) {
    self.tenants = tenants
    self.roles = roles
    self.purposes = purposes
  }
}

/// All that a peer may do: the union of its grants.
struct Rights: Hashable, Sendable {
  let grants: [Grant]

  init(grants: [Grant]) { self.grants = grants }

  static let none = Rights(grants: [])

  /// The roles for one tenant.
  func roles(for tenant: TenantName) -> RoleSet {
    grants.reduce(into: []) { roles, grant in
      if grant.tenants.contains(tenant) { roles.formUnion(grant.roles) }
    }
  }

  /// The roles for any tenant; for verbs that concern the whole store.
  var allRoles: RoleSet {
    grants.reduce(into: []) { $0.formUnion($1.roles) }
  }

  /// What the peer may read the tenant's events for, each once, in order; empty: nothing was said.
  func purposes(for tenant: TenantName) -> [String] {
    let readers: RoleSet = [.reader, .exporter]
    var found: Set<String> = []
    for grant in grants
    where grant.tenants.contains(tenant) && !grant.roles.isDisjoint(with: readers) {
      found.formUnion(grant.purposes)
    }
    return found.sorted()
  }

  func permits(_ tenant: TenantName) -> Bool {
    grants.contains { $0.tenants.contains(tenant) }
  }

  /// True when the peer has one of `roles` for every tenant, also for those that are gone.
  func reachStore(with roles: RoleSet) -> Bool {
    grants.contains { $0.tenants == .all && !$0.roles.isDisjoint(with: roles) }
  }

  /// True when the peer may use the events of every tenant, of those to come too.
  var reachesAllTenants: Bool {
    grants.contains { $0.tenants == .all && !$0.roles.isDisjoint(with: RoleSet.events) }
  }

  /// The tenant, when there is exactly one whose events the peer may use (or, when it may use none,
  /// exactly one that it may do anything with); `"*"` names none.
  var soleTenant: TenantName? {
    var sole: TenantName?
    let working = grants.filter { !$0.roles.isDisjoint(with: RoleSet.events) }
    for grant in working.isEmpty ? grants : working {
      guard case .some(let names) = grant.tenants else { return nil }
      for name in names {
        if let sole, sole != name { return nil }
        sole = name
      }
    }
    return sole
  }
}
