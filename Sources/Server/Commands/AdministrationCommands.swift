import EventModel
import EventStore
import RESP

extension CommandTable {
  /// The verbs of the admin socket.
  static let administration = [
    Command("TENANT", .admin(.all), "Tenants of this store.", subcommands: TenantCommands.all),
    Command("SHRED", .admin(.all), "Destroys keys for good.", subcommands: ShredCommands.all),
    Command("SUBJECT", .admin(.all), "Persons of a tenant.", subcommands: SubjectCommands.all),
    Command("KEY", .admin(.all), "The keyring.", subcommands: KeyCommands.all),
    Command("AUDIT", .admin(.all), "Evidence.", subcommands: CertificateCommands.all),
    Command(
      "RETENTION", .admin(.all), "How long events are kept.", subcommands: RetentionCommands.all),
    Command("CLOCK", .admin(.all), "The daemon's clock.", subcommands: ClockCommands.all),
    Command(
      "ACCESS", .admin(.all), "Who may do what.",
      subcommands: [
        Command("LIST", 0...0, .admin([.operator, .auditor]), "The rules of the access file.") {
          (_, context) throws(CommandError) in
          AccessReply.append(
            context.surroundings.policy, for: context.state.rights, context.state.encoder,
            to: &context.output)
          return .answered
        }
      ]),
  ]
}

enum Administration {
  /// A tenant that the peer administrates with one of `roles`; forbidden and absent look alike.
  static func tenant(
    _ bytes: Span<UInt8>, _ context: CommandContext, _ roles: RoleSet
  ) throws(CommandError) -> TenantName {
    guard let name = TenantName(bytes.array),
      !context.state.rights.roles(for: name).isDisjoint(with: roles)
    else { throw .noTenant }
    return name
  }

  /// A person's identifier as it was given to `DATASUBJECT`.
  static func person(_ bytes: Span<UInt8>) throws(CommandError) -> [UInt8] {
    guard EventName.isName(bytes), !Placeholder.isOne(bytes) else {
      throw CommandError(.badSubject, "1 to 255 bytes of UTF-8, not a placeholder")
    }
    return bytes.array
  }
}

enum TenantCommands {
  private static let roles: RoleSet = [.operator]
  private static let readers: RoleSet = [.operator, .officer, .auditor]

  static let all =
    [
      Command("CREATE", 3...3, .admin(roles), "TENANT CREATE name RETENTION 395d") {
        (arguments, context) throws(CommandError) in
        guard let name = TenantName(arguments[1].array) else {
          throw CommandError(.badArgument, "name: [a-z0-9][a-z0-9._-]{0,62}")
        }
        guard !context.state.rights.roles(for: name).isDisjoint(with: roles) else {
          throw .forbidden("tenant|create")
        }
        guard arguments.word(at: 2) == "RETENTION" else { throw .syntax }
        guard let retention = Retention(arguments[3].array) else {
          throw CommandError(
            .badArgument, "RETENTION: days as 395d or hours as 36h, at most 36500d")
        }
        return .control(.createTenant(name, retention), .done)
      },
      Command("LIST", 0...0, .admin(readers), "The tenants.") {
        (_, context) throws(CommandError) in .control(.listTenants, .tenants(readers))
      },
      Command("INFO", 1...1, .admin(readers), "One tenant.") {
        (arguments, context) throws(CommandError) in
        let name = try Administration.tenant(arguments[1], context, readers)
        return .control(.tenantInfo(name), .tenant)
      },
      Command("SUSPEND", 1...1, .admin(roles), "Takes no more events.") {
        (arguments, context) throws(CommandError) in
        let name = try Administration.tenant(arguments[1], context, roles)
        return .control(.suspendTenant(name), .done)
      },
      Command("RESUME", 1...1, .admin(roles), "Takes events again.") {
        (arguments, context) throws(CommandError) in
        let name = try Administration.tenant(arguments[1], context, roles)
        return .control(.resumeTenant(name), .done)
      },
      Command("SET", 3...3, .admin(roles), "TENANT SET name IDS required|optional") {
        (arguments, context) throws(CommandError) in
        let name = try Administration.tenant(arguments[1], context, roles)
        guard arguments.word(at: 2) == "IDS" else {
          throw CommandError(.badArgument, "options: IDS required|optional")
        }
        switch arguments.word(at: 3) {
        case "REQUIRED": return .control(.setTenant(name, .demandsIDs(true)), .done)
        case "OPTIONAL": return .control(.setTenant(name, .demandsIDs(false)), .done)
        default: throw CommandError(.badArgument, "IDS: required or optional")
        }
      },
    ]
    + ["OFFBOARD", "ENROLKEY"].map {
      .unavailable($0, .admin(.all), parent: "TENANT")
    }
}

enum ShredCommands {
  static let all =
    [
      Command(
        "DATASUBJECT", 4...10, .admin([.operator, .officer]),
        "SHRED DATASUBJECT tenant id REASON code {DRYRUN | CONFIRM token}"
      ) { (arguments, context) throws(CommandError) in
        let tenant = try Administration.tenant(arguments[1], context, [.operator, .officer])
        let person = try Administration.person(arguments[2])
        let options = try ShredOptions(arguments, from: 3)
        guard let token = options.token else {
          return .control(.planShredSubject(tenant, subject: person), .plan)
        }
        return .control(
          .shredSubject(tenant, subject: person, reason: options.reason, token: token), .receipt)
      },
      Command(
        "TENANT", 3...9, .admin([.operator]),
        "SHRED TENANT tenant REASON code {DRYRUN | CONFIRM token}"
      ) { (arguments, context) throws(CommandError) in
        let tenant = try Administration.tenant(arguments[1], context, [.operator])
        let options = try ShredOptions(arguments, from: 2)
        guard let token = options.token else {
          return .control(.planShredTenant(tenant), .plan)
        }
        return .control(
          .shredTenant(tenant, reason: options.reason, token: token), .receipt)
      },
      Command(
        "EVENTS", 5...(9 + Limits.shredEventsMax), .admin([.operator, .officer]),
        "SHRED EVENTS tenant position .. REASON code {DRYRUN | CONFIRM token}"
      ) { (arguments, context) throws(CommandError) in
        let tenant = try Administration.tenant(arguments[1], context, [.operator, .officer])
        let positions = try ShredTargets.positions(arguments, from: 2)
        return try ShredTargets.control(
          tenant, .events(positions), try ShredOptions(arguments, from: 2 + positions.count))
      },
      Command(
        "STREAM", 5...10, .admin([.operator, .officer]),
        "SHRED STREAM tenant stream REASON code {DRYRUN | CONFIRM token}"
      ) { (arguments, context) throws(CommandError) in
        let tenant = try Administration.tenant(arguments[1], context, [.operator, .officer])
        let stream = try ShredTargets.stream(arguments[2])
        return try ShredTargets.control(
          tenant, .stream(stream), try ShredOptions(arguments, from: 3))
      },
      Command(
        "PERIOD", 6...11, .admin([.operator, .officer]),
        "SHRED PERIOD tenant class day REASON code {DRYRUN | CONFIRM token}"
      ) { (arguments, context) throws(CommandError) in
        let tenant = try Administration.tenant(arguments[1], context, [.operator, .officer])
        let day = try ShredTargets.day(arguments[3])
        return try ShredTargets.control(
          tenant, .period(className: arguments[2].array, day: day),
          try ShredOptions(arguments, from: 4))
      },
    ]
}

/// Reads `REASON code [TICKET ref] [RECEIVED date] {DRYRUN | CONFIRM token}`.
struct ShredOptions {
  let reason: ReasonCode
  /// Nil for a dry run.
  let token: [UInt8]?

  init(_ arguments: Arguments, from start: Int) throws(CommandError) {
    var reason: ReasonCode?
    var token: [UInt8]?
    var isDryRun = false
    var index = start
    while index < arguments.count {
      let word = arguments.word(at: index)
      if word == "DRYRUN" {
        isDryRun = true
        index += 1
        continue
      }
      guard index + 1 < arguments.count else { throw .syntax }
      let value = arguments[index + 1]
      switch word {
      case "REASON":
        reason = ReasonCode(rawValue: String(decoding: value.array, as: UTF8.self).lowercased())
        guard reason != nil else {
          let codes = ReasonCode.allCases.map(\.rawValue).joined(separator: " ")
          throw CommandError(.badArgument, "REASON: one of \(codes)")
        }
      case "TICKET": try Self.checkTicket(value)
      case "RECEIVED": try Self.checkDate(value)
      case "CONFIRM": token = value.array
      default: throw .syntax
      }
      index += 2
    }
    guard let reason else { throw CommandError(.badArgument, "REASON is missing") }
    guard isDryRun || token != nil else { throw .confirmationMissing }
    guard !isDryRun || token == nil else { throw .syntax }
    (self.reason, self.token) = (reason, token)
  }

  /// No free text where nothing can be forgotten.
  private static func checkTicket(_ bytes: Span<UInt8>) throws(CommandError) {
    let isTicket = bytes.array.allSatisfy {
      (0x41...0x5A).contains($0 & 0xDF) || (0x30...0x39).contains($0) || $0 == 0x2D
    }
    guard isTicket, (1...32).contains(bytes.count) else {
      throw CommandError(.badArgument, "TICKET: 1 to 32 of A-Z, a-z, 0-9 and -")
    }
  }

  private static func checkDate(_ bytes: Span<UInt8>) throws(CommandError) {
    let isDate =
      Timestamp.isRFC3339(bytes)
      || Timestamp.isRFC3339(
        (bytes.array + Array("T00:00:00Z".utf8)).span)
    guard isDate else { throw CommandError(.badArgument, "RECEIVED: a date, 2026-11-24") }
  }
}
