/// What an access file grants, as far as an operator should look at it again.
package struct AccessReview: Hashable, Sendable {
  /// One user may administrate and read events.
  package let isUnseparated: Bool
  /// True without an access file.
  package let isDefault: Bool
  /// True when some rule lets somebody confirm what another user planned.
  package let hasApprover: Bool
  /// True when uid 0 is named: every root process of the machine is let in.
  package let namesRoot: Bool
  /// Files of the sockets that the daemon listens on.
  package let socketFiles: [String]

  /// Reads the file as the daemon of this user would; nil stands for no file.
  package static func read(
    path: String?, ownUID: UInt32
  ) throws(AccessFileError) -> AccessReview {
    let policy = try AccessLoader(path: path, ownUID: ownUID).load()
    let roles = policy.peers.map(\.grant.roles)
    return AccessReview(
      isUnseparated: policy.isUnseparated, isDefault: policy.isDefault,
      hasApprover: roles.contains { $0.contains(.approver) },
      namesRoot: !policy.isDefault && policy.peers.contains { $0.match == .uid(0) },
      socketFiles: ["query.sock", "admin.sock"]
        + policy.sockets.map {
          Endpoint.named($0.name).fileName
        })
  }
}
