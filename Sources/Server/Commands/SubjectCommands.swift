import EventModel
import EventStore
import RESP

/// `SUBJECT`: what persons demand short of erasure, and their return.
enum SubjectCommands {
  private static let roles: RoleSet = [.operator, .officer]

  static let all = [
    command("ENROL", "Takes events for an erased person.") { .enrolSubject($0, subject: $1) },
    command("RESTRICT", "Neither shows nor takes events of a person.") {
      .restrictSubject($0, subject: $1, .restriction)
    },
    command("OBJECT", "Takes no more events of a person.") {
      .restrictSubject($0, subject: $1, .objection)
    },
    command("UNRESTRICT", "Ends what RESTRICT and OBJECT began.") {
      .unrestrictSubject($0, subject: $1)
    },
  ]

  private static func command(
    _ name: Word, _ summary: String,
    _ act: @escaping @Sendable (TenantName, [UInt8]) -> ControlAct
  ) -> Command {
    Command(name, 2...2, .admin(roles), summary) { (arguments, context) throws(CommandError) in
      let tenant = try Administration.tenant(arguments[1], context, roles)
      return .control(act(tenant, try Administration.person(arguments[2])), .done)
    }
  }
}
