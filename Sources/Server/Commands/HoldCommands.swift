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
      "EXPORT", 1...5, .admin(roles), "HOLD EXPORT id [AFTER position] [COUNT n]"
    ) {
      (arguments, context) throws(CommandError) in
      guard let id = HoldID(arguments[1].array) else {
        throw CommandError(.badArgument, "id: as HOLD LIST shows it")
      }
      let (after, count) = try page(arguments)
      return .control(
        .hold(
          .export(id, PlanCommands.permission(context, roles), after: after, limit: count)), .done)
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

  private static func page(_ arguments: Arguments) throws(CommandError) -> (UInt64, Int) {
    var (after, count): (UInt64, Int) = (0, Limits.countDefault)
    var index = 2
    while index < arguments.count {
      guard index + 1 < arguments.count else { throw .syntax }
      guard let number = DecimalNumber.parseUnsigned(arguments[index + 1]) else {
        throw .notInteger
      }
      switch arguments.word(at: index) {
      case "AFTER" where number < Limits.positionMax: after = number
      case "COUNT" where (1...UInt64(Limits.countMax)).contains(number): count = Int(number)
      case "AFTER": throw CommandError(.badArgument, "AFTER: a position")
      case "COUNT": throw CommandError(.badArgument, "COUNT: 1 to \(Limits.countMax)")
      default: throw .syntax
      }
      index += 2
    }
    return (after, count)
  }

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
