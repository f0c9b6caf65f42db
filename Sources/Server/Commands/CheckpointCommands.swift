import EventModel
import EventStore
import RESP

/// `AUDIT CHECKPOINT`: what an auditor keeps, so that nobody can take back what was.
enum CheckpointCommands {
  private static let roles: RoleSet = [.operator, .officer, .approver, .auditor]

  static let all = [
    Command("CHECKPOINT", 0...1, .admin(roles), "A signed checkpoint of the ledger or of a tenant.")
    {
      (arguments, context) throws(CommandError) in
      .control(.evidence(.checkpoint(try tenant(arguments, context, "checkpoint"))), .asAnswered)
    },
    Command("CHECKPOINTS", 0...1, .admin(roles), "Those that were kept, oldest first.") {
      (arguments, context) throws(CommandError) in
      .control(.evidence(.checkpoints(try tenant(arguments, context, "checkpoints"))), .asAnswered)
    },
    Command("KEY", 0...0, .admin(roles), "The key that checkpoints are checked with.") {
      (_, _) throws(CommandError) in .control(.evidence(.noteKey), .asAnswered)
    },
  ]

  /// Nil is the ledger, which is about all tenants.
  private static func tenant(
    _ arguments: Arguments, _ context: CommandContext, _ name: String
  ) throws(CommandError) -> TenantName? {
    guard arguments.count > 1 else {
      guard context.state.rights.reachStore(with: roles) else { throw .forbidden("audit|\(name)") }
      return nil
    }
    return try Administration.tenant(arguments[1], context, roles)
  }
}
