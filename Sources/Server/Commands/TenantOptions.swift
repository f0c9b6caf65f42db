import EventModel
import EventStore
import RESP

/// What `TENANT SET` sets.
enum TenantOptions {
  /// Reads `IDS required|optional`, `GRACE kind time`, `STRICT on|off` or `ACCESSLOG days` behind the tenant.
  static func option(_ arguments: Arguments) throws(CommandError) -> TenantOption {
    switch (arguments.word(at: 2), arguments.count) {
    case ("IDS", 4):
      switch arguments.word(at: 3) {
      case "REQUIRED": return .demandsIDs(true)
      case "OPTIONAL": return .demandsIDs(false)
      default: throw CommandError(.badArgument, "IDS: required or optional")
      }
    case ("EXPORTAPPROVAL", 4):
      switch arguments.word(at: 3) {
      case "REQUIRED": return .exportApproval(true)
      case "OPTIONAL": return .exportApproval(false)
      default: throw CommandError(.badArgument, "EXPORTAPPROVAL: required or optional")
      }
    case ("STRICT", 4):
      switch arguments.word(at: 3) {
      case "ON": return .isStrict(true)
      case "OFF": return .isStrict(false)
      default: throw CommandError(.badArgument, "STRICT: on or off")
      }
    case ("ACCESSLOG", 4):
      let text = arguments[3].array
      guard text.last == 0x64, (2...5).contains(text.count),
        let days = DecimalNumber.parseUnsigned(Array(text.dropLast()).span),
        (1...UInt64(Limits.accessLogDaysMax)).contains(days)
      else {
        throw CommandError(
          .badArgument, "ACCESSLOG: days as 365d, at most \(Limits.accessLogDaysMax)d")
      }
      return .accessDays(UInt16(days))
    case ("GRACE", 5):
      guard
        let kind = PlanKind.allCases.first(where: {
          Word(Array($0.word.utf8).span) == arguments.word(at: 3)
        })
      else {
        let kinds = PlanKind.allCases.map(\.word).joined(separator: " ")
        throw CommandError(.badArgument, "GRACE: one of \(kinds)")
      }
      return .grace(kind, milliseconds: try milliseconds(arguments[4]))
    default:
      throw CommandError(
        .badArgument,
        "options: IDS required|optional, GRACE kind 0h..30d, STRICT on|off, ACCESSLOG days")
    }
  }

  /// Reads `0h`, `72h` or `7d`.
  private static func milliseconds(_ bytes: Span<UInt8>) throws(CommandError) -> Int64 {
    let text = bytes.array
    let unit: Int64? =
      switch text.last {
      case 0x64: 86_400_000
      case 0x68: 3_600_000
      default: nil
      }
    guard let unit, (2...4).contains(text.count),
      let number = DecimalNumber.parseUnsigned(Array(text.dropLast()).span),
      Int64(number) * unit <= Limits.graceMillisecondsMax
    else { throw CommandError(.badArgument, "GRACE: hours as 72h or days as 7d, at most 30d") }
    return Int64(number) * unit
  }
}
