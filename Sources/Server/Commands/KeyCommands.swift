import EventStore
import RESP

/// `KEY STATUS | ROTATE ROOT | REWRAP TENANT tenant`.
enum KeyCommands {
  private static let roles: RoleSet = [.operator]

  static let all = [
    Command("STATUS", 0...0, .admin([.operator, .auditor]), "Epoch, holders and counts.") {
      (_, _) throws(CommandError) in .control(.keyStatus, .keyStatus)
    },
    Command("ROTATE", 1...2, .admin(roles), "A new root; no old copy of the keyring opens then.") {
      (arguments, context) throws(CommandError) in
      if arguments.word(at: 1) == "TENANT" { throw .unavailable("KEY ROTATE TENANT") }
      guard arguments.word(at: 1) == "ROOT", arguments.count == 2 else { throw .syntax }
      guard context.state.rights.reachStore(with: roles) else { throw .forbidden("key|rotate") }
      return .control(.rotateRoot, .rotated)
    },
    Command("REWRAP", 2...2, .admin(roles), "Fresh keys for all nodes of a tenant, and a new root.")
    {
      (arguments, context) throws(CommandError) in
      guard arguments.word(at: 1) == "TENANT" else { throw .syntax }
      let tenant = try Administration.tenant(arguments[2], context, roles)
      return .control(.rewrapTenant(tenant), .rotated)
    },
  ]
}
