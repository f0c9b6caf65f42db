import EventModel
import EventStore
import RESP

/// `PLAN`: what was confirmed and waits.
enum PlanCommands {
  private static let readers: RoleSet = [.operator, .officer, .approver, .auditor]

  static let all = [
    Command("LIST", 0...0, .admin(readers), "Plans, and what became of the newest.") {
      (_, context) throws(CommandError) in
      .control(.plan(.list(permission(context, readers))), .done)
    },
    command("STATUS", readers, "One plan.") { .status($0, $1) },
    command("APPROVE", [.approver], "Lets a plan of another user go on.") { .approve($0, $1) },
    command("CANCEL", [.operator, .officer, .approver], "Takes a plan back.") { .cancel($0, $1) },
  ]

  private static func command(
    _ name: Word, _ roles: RoleSet, _ summary: String,
    _ act: @escaping @Sendable (UInt32, @escaping PlanPermission) -> PlanAct
  ) -> Command {
    Command(name, 1...1, .admin(roles), summary) { (arguments, context) throws(CommandError) in
      guard let number = DecimalNumber.parseUnsigned(arguments[1]), number <= UInt64(UInt32.max)
      else { throw .notInteger }
      return .control(.plan(act(UInt32(number), permission(context, roles))), .done)
    }
  }

  /// Plans of a tenant that is gone are for those who administrate all.
  static func permission(
    _ context: CommandContext, _ roles: RoleSet
  ) -> PlanPermission {
    let rights = context.state.rights
    return { tenant in
      guard let tenant else {
        return rights.grants.contains { $0.tenants == .all && !$0.roles.isDisjoint(with: roles) }
      }
      return !rights.roles(for: tenant).isDisjoint(with: roles)
    }
  }
}
