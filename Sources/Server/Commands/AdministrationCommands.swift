import EventModel
import EventStore
import RESP

extension CommandTable {
  /// The verbs of the admin socket.
  static let administration = [
    Command("TENANT", .admin(.all), "Tenants of this store.", subcommands: TenantCommands.all),
    Command(
      "HOLD", .admin(.all), "What is not destroyed, whoever asks.", subcommands: HoldCommands.all),
    Command("SHRED", .admin(.all), "Destroys keys for good.", subcommands: ShredCommands.all),
    Command("PLAN", .admin(.all), "Shreds that wait.", subcommands: PlanCommands.all),
    Command("SUBJECT", .admin(.all), "Persons of a tenant.", subcommands: SubjectCommands.all),
    Command(
      "INCIDENT", .admin(.all), "What somebody got who should not have.",
      subcommands: IncidentCommands.all),
    Command("KEY", .admin(.all), "The keyring.", subcommands: KeyCommands.all),
    Command(
      "AUDIT", .admin(.all), "Evidence.",
      subcommands: CertificateCommands.all + CheckpointCommands.all + LedgerCommands.all
        + BundleCommands.all),
    Command(
      "RETENTION", .admin(.all), "How long events are kept.", subcommands: RetentionCommands.all),
    Command(
      "GRANT", .admin(.all), "Who may take events out in bulk.", subcommands: GrantCommands.all),
    Command(
      "EXPORT", .admin(.all), "What there is about a person.", subcommands: ExportCommands.all),
    Command("CLOCK", .admin(.all), "The daemon's clock.", subcommands: ClockCommands.all),
    Command(
      "ACCESS", .admin(.all), "Who may do what, and who read what.",
      subcommands: AccessCommands.all + [
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
      Command("SET", 3...4, .admin(roles), "TENANT SET name IDS required|optional") {
        (arguments, context) throws(CommandError) in
        let name = try Administration.tenant(arguments[1], context, roles)
        return .control(.setTenant(name, try TenantOptions.option(arguments)), .done)
      },
      Command(
        "OFFBOARD", 3...9, .admin(roles),
        "TENANT OFFBOARD tenant REASON code {DRYRUN | CONFIRM token}"
      ) { (arguments, context) throws(CommandError) in
        let tenant = try Administration.tenant(arguments[1], context, roles)
        let options = try ShredOptions(arguments, from: 2)
        return ShredTargets.control(tenant, .offboarding, options, context)
      },
    ]
    + [
      Command("ENROLKEY", 2...2, .admin([.officer]), "TENANT ENROLKEY name key") {
        (arguments, context) throws(CommandError) in
        let name = try Administration.tenant(arguments[1], context, [.officer])
        return .control(.enrolKey(name, key: try IncidentCommands.key(arguments[2])), .done)
      }
    ]
}

enum ShredCommands {
  static let all =
    [
      Command(
        "DATASUBJECT", 4...(10 + 2 * Limits.shredSubjectsMax), .admin([.operator, .officer]),
        "SHRED DATASUBJECT tenant id [DATASUBJECT id ..] REASON code {DRYRUN | CONFIRM token}"
      ) { (arguments, context) throws(CommandError) in
        let tenant = try Administration.tenant(arguments[1], context, [.operator, .officer])
        let persons = try ShredTargets.persons(arguments, from: 2)
        let options = try ShredOptions(arguments, from: 1 + 2 * persons.count)
        return ShredTargets.control(tenant, .subjects(persons), options, context)
      },
      Command(
        "TENANT", 3...9, .admin([.operator]),
        "SHRED TENANT tenant REASON code {DRYRUN | CONFIRM token}"
      ) { (arguments, context) throws(CommandError) in
        let tenant = try Administration.tenant(arguments[1], context, [.operator])
        let options = try ShredOptions(arguments, from: 2)
        return ShredTargets.control(tenant, .tenant, options, context)
      },
      Command(
        "EVENTS", 5...(9 + Limits.shredEventsMax), .admin([.operator, .officer]),
        "SHRED EVENTS tenant position .. REASON code {DRYRUN | CONFIRM token}"
      ) { (arguments, context) throws(CommandError) in
        let tenant = try Administration.tenant(arguments[1], context, [.operator, .officer])
        let positions = try ShredTargets.positions(arguments, from: 2)
        let options = try ShredOptions(arguments, from: 2 + positions.count)
        return ShredTargets.control(tenant, .events(positions), options, context)
      },
      Command(
        "STREAM", 5...10, .admin([.operator, .officer]),
        "SHRED STREAM tenant stream REASON code {DRYRUN | CONFIRM token}"
      ) { (arguments, context) throws(CommandError) in
        let tenant = try Administration.tenant(arguments[1], context, [.operator, .officer])
        let stream = try ShredTargets.stream(arguments[2])
        let options = try ShredOptions(arguments, from: 3)
        return ShredTargets.control(tenant, .stream(stream), options, context)
      },
      Command(
        "PERIOD", 6...11, .admin([.operator, .officer]),
        "SHRED PERIOD tenant class day REASON code {DRYRUN | CONFIRM token}"
      ) { (arguments, context) throws(CommandError) in
        let tenant = try Administration.tenant(arguments[1], context, [.operator, .officer])
        let day = try ShredTargets.day(arguments[3])
        let target = ShredTarget.period(className: arguments[2].array, day: day)
        let options = try ShredOptions(arguments, from: 4)
        return ShredTargets.control(tenant, target, options, context)
      },
    ]
}
