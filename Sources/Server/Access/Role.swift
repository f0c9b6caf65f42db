/// What a peer may be allowed to do; design: those who administrate cannot read events.
enum Role: String, CaseIterable, Sendable {
  case writer, reader, exporter, officer, `operator`, approver, auditor
}

/// A set of roles.
struct RoleSet: OptionSet, Hashable, Sendable {
  let rawValue: UInt8

  init(rawValue: UInt8) { self.rawValue = rawValue }

  init(_ role: Role) {
    let place = Role.allCases.firstIndex(of: role) ?? 0
    self.init(rawValue: 1 << UInt8(place))
  }

  static let writer = RoleSet(.writer)
  static let reader = RoleSet(.reader)
  static let exporter = RoleSet(.exporter)
  static let officer = RoleSet(.officer)
  static let `operator` = RoleSet(.operator)
  static let approver = RoleSet(.approver)
  static let auditor = RoleSet(.auditor)
  static let all = RoleSet(Role.allCases.map(RoleSet.init))

  /// The roles' names, in the order of ``Role``.
  var names: [String] {
    Role.allCases.filter { contains(RoleSet($0)) }.map(\.rawValue)
  }

  /// True when someone with these roles could both administrate and read events.
  var isUnseparated: Bool {
    contains(.operator) && !isDisjoint(with: [.reader, .exporter])
  }
}
