import EventModel
import EventStore
import RESP

/// `AUDIT LOG`: what was done with the store and its keys, and what was refused.
enum LedgerCommands {
  private static let roles: RoleSet = [.operator, .officer, .approver, .auditor]

  static let all = [
    Command("LOG", 0...4, .admin(roles), "The ledger, oldest first.") {
      (arguments, context) throws(CommandError) in
      var read = LedgerRead(
        after: 0, count: Limits.countDefault, isPermitted: PlanCommands.permission(context, roles))
      var index = 1
      while index < arguments.count {
        guard index + 1 < arguments.count else { throw .syntax }
        switch arguments.word(at: index) {
        case "AFTER":
          guard let after = DecimalNumber.parseUnsigned(arguments[index + 1]), after < .max else {
            throw CommandError(.badArgument, "AFTER: the index of a line, or 0")
          }
          read.after = after
        case "COUNT": read.count = try RangeOptions.count(arguments, at: index + 1)
        default: throw .syntax
        }
        index += 2
      }
      return .read(.ledger(read))
    }
  ]
}

/// Lines of the ledger as `AUDIT LOG` asked for them.
struct LedgerRead: Sendable {
  var after: UInt64
  var count: Int
  /// Lines of no tenant, and of tenants that are gone, are for those who see all.
  let isPermitted: PlanPermission

  func run(on store: EventStore, _ encoder: ReplyEncoder) throws(StoreError) -> [UInt8] {
    let lines = try store.ledger(after: after, limit: count, isPermitted)
    var bytes: [UInt8] = []
    encoder.array(lines.count, to: &bytes)
    for line in lines { LedgerReply.append(line, encoder, to: &bytes) }
    return bytes
  }
}
