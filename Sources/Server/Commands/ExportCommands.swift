import EventModel
import EventStore
import RESP

extension CommandTable {
  /// `EVENT.EXPORT` and `EVENT.PURPOSE`.
  static let exporting = [
    Command(
      "EVENT.EXPORT", 1...3, .tenant(.exporter),
      "Events of the tenant behind a position, as CloudEvents; needs a grant."
    ) { (arguments, context) throws(CommandError) in
      let tenant = try context.state.boundTenant(in: context.surroundings)
      guard let name = context.state.tenant else { throw .authenticationRequired }
      guard let after = DecimalNumber.parseUnsigned(arguments[1]) else { throw .notInteger }
      var count = Limits.countDefault
      if arguments.count > 2 {
        guard arguments.word(at: 2) == "COUNT", arguments.count == 4 else { throw .syntax }
        count = try RangeOptions.count(arguments, at: 3)
      }
      let first = min(after, Limits.positionMax - 1) + 1
      let range = RangeRead(
        tenant: tenant, stream: nil, range: first...Limits.positionMax, isDescending: false,
        count: count, isLiveOnly: false, format: .cloudEvents(name))
      return .read(.export(range, context.state.actor))
    },
    Command(
      "EVENT.PURPOSE", 1...1, .tenant([.reader, .exporter]),
      "Says what this connection reads for, where the access file has several purposes."
    ) { (arguments, context) throws(CommandError) in
      guard context.state.choose(purpose: arguments[1]) else {
        throw CommandError(.purpose, "the access file has no such purpose for this peer")
      }
      return Handshake.ok(&context)
    },
  ]
}

/// `EXPORT DATASUBJECT`: what there is about a person, for that person.
enum ExportCommands {
  static let all = [
    Command(
      "DATASUBJECT", 2...6, .admin(.officer),
      "EXPORT DATASUBJECT tenant id [COUNT n] [CURSOR c]"
    ) { (arguments, context) throws(CommandError) in
      let tenant = try Administration.tenant(arguments[1], context, .officer)
      guard let number = context.surroundings.tenantNumber(tenant) else { throw .noTenant }
      var read = QueryRead(tenant: number, format: .cloudEvents(tenant))
      read.filter.subject = try Administration.person(arguments[2])
      var index = 3
      while index < arguments.count {
        guard index + 1 < arguments.count else { throw .syntax }
        switch arguments.word(at: index) {
        case "COUNT": read.count = try PageOptions.count(arguments, at: index + 1)
        case "CURSOR": read.cursor = try PageOptions.cursor(arguments[index + 1])
        default: throw .syntax
        }
        index += 2
      }
      return .read(.subject(read, context.state.actor))
    }
  ]
}
