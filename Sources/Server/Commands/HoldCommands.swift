import EventModel
import EventStore
import RESP

/// `HOLD`: what is not destroyed, whoever asks and whatever has ended.
enum HoldCommands {
  private static let roles: RoleSet = [.officer]
  private static let readers: RoleSet = [.officer, .operator, .auditor]

  static let all = [
    Command("SET", 6...7, .admin(roles), "HOLD SET tenant TENANT REASON audit REVIEW 2027-01-01") {
      (arguments, context) throws(CommandError) in
      let tenant = try Administration.tenant(arguments[1], context, roles)
      let scope: HoldScope
      var index = 4
      switch arguments.word(at: 2) {
      case "DATASUBJECT": scope = .subject(try Administration.person(arguments[3]))
      case "STREAM": scope = .stream(try ShredTargets.stream(arguments[3]))
      case "CLASS": scope = .retentionClass(try RetentionCommands.className(arguments[3]))
      case "TENANT": (scope, index) = (.tenant, 3)
      default: throw .syntax
      }
      let (reason, day) = try options(arguments, from: index)
      return .control(.hold(.set(tenant, scope, reason, reviewDay: day)), .done)
    },
    Command("LIST", 0...0, .admin(readers), "The holds in force.") {
      (_, context) throws(CommandError) in
      .control(.hold(.list(PlanCommands.permission(context, readers))), .done)
    },
    Command(
      "RELEASE", 2...3, .admin([.officer, .approver]), "HOLD RELEASE id {DRYRUN | CONFIRM token}"
    ) {
      (arguments, context) throws(CommandError) in
      guard let id = HoldID(arguments[1].array) else {
        throw CommandError(.badArgument, "id: as HOLD LIST shows it")
      }
      let confirmation: Confirmation
      switch (arguments.word(at: 2), arguments.count) {
      case ("DRYRUN", 3): confirmation = .dryRun
      case ("CONFIRM", 4): confirmation = .token(arguments[3].array)
      default: throw .syntax
      }
      let permitted: RoleSet = confirmation == .dryRun ? roles : [.officer, .approver]
      return .control(
        .hold(.release(id, PlanCommands.permission(context, permitted), confirmation)), .done)
    },
  ]

  private static func options(
    _ arguments: Arguments, from start: Int
  ) throws(CommandError) -> (HoldReason, UInt32) {
    var reason: HoldReason?
    var day: UInt32?
    var index = start
    while index + 1 < arguments.count {
      switch arguments.word(at: index) {
      case "REASON":
        let text = String(decoding: arguments[index + 1].array, as: UTF8.self).lowercased()
        reason = HoldReason.allCases.first { $0.text == text }
        guard reason != nil else {
          let codes = HoldReason.allCases.map(\.text).joined(separator: " ")
          throw CommandError(.badArgument, "REASON: one of \(codes)")
        }
      case "REVIEW": day = try ShredTargets.day(arguments[index + 1])
      default: throw .syntax
      }
      index += 2
    }
    guard index == arguments.count, let reason, let day else { throw .syntax }
    return (reason, day)
  }
}
