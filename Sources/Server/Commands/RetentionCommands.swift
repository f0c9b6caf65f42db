import EventModel
import EventStore
import RESP

/// `RETENTION`: the classes of a tenant, and how long their events are kept.
enum RetentionCommands {
  private static let roles: RoleSet = [.operator]
  private static let readers: RoleSet = [.operator, .officer, .auditor]

  static let all =
    [
      Command(
        "SET", 4...16, .admin([.operator, .approver]),
        "RETENTION SET tenant class MAX 30d [MIN 0d] [PURPOSE code] ..."
      ) { (arguments, context) throws(CommandError) in
        let options = try RetentionOptions(arguments, from: 3)
        // Who approves need not be an operator.
        let isConfirmation = if case .token = options.confirmation { true } else { false }
        let tenant = try Administration.tenant(
          arguments[1], context, isConfirmation ? [.operator, .approver] : roles)
        let request = RetentionRequest(
          className: try className(arguments[2]), change: options.change)
        return .control(
          .retention(tenant, .set(request, options.confirmation)), .retention)
      },
      Command("LIST", 1...1, .admin(readers), "The retention classes of a tenant.") {
        (arguments, context) throws(CommandError) in
        let tenant = try Administration.tenant(arguments[1], context, readers)
        return .control(.retention(tenant, .list), .retention)
      },
      Command("MAP", 3...3, .admin(roles), "RETENTION MAP tenant type class") {
        (arguments, context) throws(CommandError) in
        let tenant = try Administration.tenant(arguments[1], context, roles)
        try EventName.check(arguments[2], "type")
        return .control(
          .retention(
            tenant,
            .map(type: arguments[2].array, className: try className(arguments[3]))), .retention)
      },
    ]
    + ExpiryCommands.all

  /// A class's name: a word, since it stands where nothing can be forgotten.
  static func className(_ bytes: Span<UInt8>) throws(CommandError) -> [UInt8] {
    guard let name = TenantName(bytes.array), bytes.count <= Limits.classNameBytesMax else {
      throw CommandError(.badArgument, "class: [a-z0-9][a-z0-9._-]{0,30}")
    }
    return name.bytes
  }
}

/// Reads `[MAX 30d] [MIN 0d] [PURPOSE code] [MODE m] [ONREQUEST r] [DRYRUN | CONFIRM token]`.
struct RetentionOptions {
  private(set) var change = RetentionChange()
  private(set) var confirmation = Confirmation.none

  init(_ arguments: Arguments, from start: Int) throws(CommandError) {
    var index = start
    while index < arguments.count {
      guard let word = arguments.word(at: index) else { throw .syntax }
      if word == "DRYRUN" {
        guard confirmation == .none else { throw .syntax }
        confirmation = .dryRun
        index += 1
        continue
      }
      guard index + 1 < arguments.count else { throw .syntax }
      try add(word, arguments, value: index + 1)
      index += 2
    }
    guard change != RetentionChange() else { throw .syntax }
  }

  private mutating func add(
    _ word: Word, _ arguments: Arguments, value: Int
  ) throws(CommandError) {
    switch word {
    case "MAX": change.maximum = try Self.span(arguments[value], "MAX", change.maximum)
    case "MIN": change.minimum = try Self.span(arguments[value], "MIN", change.minimum)
    case "PURPOSE": change.purpose = try Self.code(arguments[value])
    case "MODE":
      switch arguments.word(at: value) {
      case "GOVERNANCE": change.mode = .governance
      case "COMPLIANCE": change.mode = .compliance
      default: throw CommandError(.badArgument, "MODE: governance or compliance")
      }
    case "ONREQUEST":
      switch arguments.word(at: value) {
      case "ERASE": change.onRequest = .erase
      case "RESTRICT": change.onRequest = .restrict
      default: throw CommandError(.badArgument, "ONREQUEST: erase or restrict")
      }
    case "CONFIRM":
      guard confirmation == .none else { throw .syntax }
      confirmation = .token(arguments[value].array)
    default: throw .syntax
    }
  }

  private static func span(
    _ bytes: Span<UInt8>, _ name: String, _ before: RetentionSpan?
  ) throws(CommandError) -> RetentionSpan {
    guard before == nil else { throw CommandError(.badArgument, "an option was given twice") }
    guard let span = RetentionSpan(bytes.array) else {
      throw CommandError(
        .badArgument,
        "\(name): days as 395d or hours as 36h, at most \(Limits.retentionDaysMax)d")
    }
    return span
  }

  private static func code(_ bytes: Span<UInt8>) throws(CommandError) -> [UInt8] {
    let isCode = bytes.array.allSatisfy {
      (0x41...0x5A).contains($0 & 0xDF) || (0x30...0x39).contains($0) || $0 == 0x2D
    }
    guard isCode, (1...Limits.classNameBytesMax).contains(bytes.count) else {
      throw CommandError(
        .badArgument, "PURPOSE: a code of 1 to \(Limits.classNameBytesMax) of A-Z, a-z, 0-9 and -")
    }
    return bytes.array
  }
}
