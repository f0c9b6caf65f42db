import EventModel
import EventStore
import RESP

/// `ACCESS LOG`: who read what.
enum AccessCommands {
  private static let roles: RoleSet = [.officer, .auditor]

  static let all = [
    Command("LOG", 1...5, .admin(roles), "ACCESS LOG tenant [AFTER n] [COUNT n]") {
      (arguments, context) throws(CommandError) in
      let tenant = try Administration.tenant(arguments[1], context, roles)
      var (after, count) = (UInt64(0), Limits.countDefault)
      var index = 2
      while index < arguments.count {
        guard index + 1 < arguments.count else { throw .syntax }
        guard let value = DecimalNumber.parseUnsigned(arguments[index + 1]) else {
          throw .notInteger
        }
        switch arguments.word(at: index) {
        case "AFTER": after = min(value, Limits.positionMax)
        case "COUNT":
          guard (1...UInt64(Limits.countMax)).contains(value) else {
            throw CommandError(.badArgument, "COUNT: 1 to \(Limits.countMax)")
          }
          count = Int(value)
        default: throw .syntax
        }
        index += 2
      }
      return .control(.accessLog(tenant, after: after, limit: count), .asAnswered)
    }
  ]
}
