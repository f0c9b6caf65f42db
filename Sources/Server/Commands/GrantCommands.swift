import EventModel
import EventStore
import RESP

/// `GRANT`: who may take a tenant's events out in bulk, and until when.
enum GrantCommands {
  private static let readers: RoleSet = [.officer, .operator, .approver, .auditor]

  static let all = [
    Command("SET", 5...5, .admin(.officer), "GRANT SET tenant {UID uid | SOCKET name} UNTIL date") {
      (arguments, context) throws(CommandError) in
      let tenant = try Administration.tenant(arguments[1], context, .officer)
      let peer: GrantPeer
      switch arguments.word(at: 2) {
      case "UID":
        guard let uid = DecimalNumber.parseUnsigned(arguments[3]),
          uid < UInt64(Peer.overflowUID)
            || uid > UInt64(Peer.overflowUID) && uid < UInt64(UInt32.max)
        else { throw CommandError(.badArgument, "UID: the number of a user") }
        peer = .uid(UInt32(uid))
      case "SOCKET":
        guard let name = SocketName(String(decoding: arguments[3].array, as: UTF8.self)) else {
          throw CommandError(.badArgument, "SOCKET: the name of a socket in the access file")
        }
        peer = .socket(Array(name.text.utf8))
      default: throw .syntax
      }
      guard arguments.word(at: 4) == "UNTIL" else { throw .syntax }
      let day = try ShredTargets.day(arguments[5])
      return .control(.grant(.set(tenant, peer, untilDay: day)), .asAnswered)
    },
    Command("LIST", 0...0, .admin(readers), "The grants that have not ended.") {
      (_, context) throws(CommandError) in
      .control(.grant(.list(PlanCommands.permission(context, readers))), .asAnswered)
    },
    command("APPROVE", .approver, "Lets another user's grant come into force.") {
      .approve($0, $1)
    },
    command("REVOKE", [.officer, .operator, .approver], "Ends a grant at once.") {
      .revoke($0, $1)
    },
  ]

  private static func command(
    _ name: Word, _ roles: RoleSet, _ summary: String,
    _ act: @escaping @Sendable (GrantID, @escaping PlanPermission) -> GrantAct
  ) -> Command {
    Command(name, 1...1, .admin(roles), summary) { (arguments, context) throws(CommandError) in
      guard let id = GrantID(arguments[1].array) else {
        throw CommandError(.badArgument, "id: as GRANT LIST shows it")
      }
      return .control(
        .grant(act(id, PlanCommands.permission(context, roles))), .asAnswered)
    }
  }
}
