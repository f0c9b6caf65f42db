import EventModel
import EventStore
import RESP

/// What `SHRED EVENTS | STREAM | PERIOD` have in common.
enum ShredTargets {
  /// The act that the options ask for: a plan, or its confirmation.
  static func control(
    _ tenant: TenantName, _ target: ShredTarget, _ options: ShredOptions,
    _ context: CommandContext
  ) -> CommandOutcome {
    guard let token = options.token else { return .control(.planShred(tenant, target), .plan) }
    let request = ShredRequest(
      reason: options.reason, ticket: options.ticket, receivedDay: options.receivedDay,
      mayApprove: context.state.rights.roles(for: tenant).contains(.approver))
    return .control(.shred(tenant, target, request, token: token), .receipt)
  }

  /// The persons of `id [DATASUBJECT id ..]` from an argument on.
  static func persons(_ arguments: Arguments, from start: Int) throws(CommandError) -> [[UInt8]] {
    var persons = [try Administration.person(arguments[start])]
    var index = start + 1
    while index + 1 < arguments.count, arguments.word(at: index) == "DATASUBJECT" {
      persons.append(try Administration.person(arguments[index + 1]))
      index += 2
    }
    guard persons.count <= Limits.shredSubjectsMax else {
      throw CommandError(.badArgument, "DATASUBJECT: at most \(Limits.shredSubjectsMax)")
    }
    return persons
  }

  /// The positions that stand before the first option.
  static func positions(_ arguments: Arguments, from start: Int) throws(CommandError) -> [UInt64] {
    var positions: [UInt64] = []
    for index in start..<arguments.count {
      switch arguments.word(at: index) {
      case "REASON", "TICKET", "RECEIVED", "DRYRUN", "CONFIRM": break
      default:
        guard let position = DecimalNumber.parseUnsigned(arguments[index]) else {
          throw .notInteger
        }
        positions.append(position)
        continue
      }
      break
    }
    guard (1...Limits.shredEventsMax).contains(positions.count) else {
      throw CommandError(.badArgument, "positions: 1 to \(Limits.shredEventsMax)")
    }
    return positions
  }

  /// A UTC day as `2026-11-24`, in days since 1970-01-01.
  static func day(_ bytes: Span<UInt8>) throws(CommandError) -> UInt32 {
    let time = bytes.array + Array("T00:00:00Z".utf8)
    guard bytes.count == 10, let milliseconds = Timestamp.milliseconds(time.span),
      milliseconds >= 0
    else {
      throw CommandError(.badArgument, "day: a UTC day, 2026-11-24")
    }
    return UInt32(milliseconds / 86_400_000)
  }

  /// A stream's name.
  static func stream(_ bytes: Span<UInt8>) throws(CommandError) -> [UInt8] {
    try EventName.checkStream(bytes)
    return bytes.array
  }
}
