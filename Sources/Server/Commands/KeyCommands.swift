import EventStore
import Keyring
import RESP

/// `KEY STATUS [tenant] | ROTATE ROOT | ROTATE TENANT tenant [REASON code] | REWRAP TENANT tenant`.
enum KeyCommands {
  private static let roles: RoleSet = [.operator]
  private static let readers: RoleSet = [.operator, .auditor]

  static let all = [
    Command("STATUS", 0...1, .admin(readers), "Epoch, holders and counts, or a tenant's keys.") {
      (arguments, context) throws(CommandError) in
      guard arguments.count == 2 else { return .control(.keyStatus, .keyStatus) }
      let tenant = try Administration.tenant(arguments[1], context, readers)
      return .control(.tenantKeyStatus(tenant), .keyStatus)
    },
    Command("ROTATE", 1...4, .admin(roles), "A new root, or new keys for a tenant's new events.") {
      (arguments, context) throws(CommandError) in
      if arguments.word(at: 1) == "TENANT" { return try rotateTenant(arguments, context) }
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

  private static func rotateTenant(
    _ arguments: Arguments, _ context: CommandContext
  ) throws(CommandError) -> CommandOutcome {
    guard arguments.count == 3 || arguments.count == 5 else { throw .syntax }
    let tenant = try Administration.tenant(arguments[2], context, roles)
    guard arguments.count == 5 else { return .control(.rotateTenant(tenant, .rotated), .rotated) }
    guard arguments.word(at: 3) == "REASON" else { throw .syntax }
    switch arguments.word(at: 4) {
    case "SCHEDULED": return .control(.rotateTenant(tenant, .rotated), .rotated)
    case "COMPROMISE": return .control(.rotateTenant(tenant, .compromised), .rotated)
    default: throw .syntax
    }
  }
}
