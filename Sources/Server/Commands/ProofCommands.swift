import EventModel
import EventStore
import RESP

extension CommandTable {
  /// `EVENT.PROOF` and `EVENT.CHECKPOINT`: they show hashes of ciphertext, so auditors may ask too.
  static let proving = [
    Command(
      "EVENT.PROOF", 2...4, .tenant([.reader, .auditor]),
      "That an event is in the tenant's log, or that an older log is the beginning of a newer one."
    ) { (arguments, context) throws(CommandError) in
      let tenant = try context.state.boundTenant(in: context.surroundings)
      return .read(.proof(try ProofOptions.parse(arguments, tenant: tenant)))
    },
    Command(
      "EVENT.CHECKPOINT", 0...0, .tenant([.reader, .auditor]),
      "A signed checkpoint of the tenant's log as it is now."
    ) { (_, context) throws(CommandError) in
      let tenant = try context.state.boundTenant(in: context.surroundings)
      return .read(.checkpoint(tenant))
    },
  ]
}

/// Reads `POSITION n [SIZE m]` or `CONSISTENCY m n`.
enum ProofOptions {
  static func parse(
    _ arguments: Arguments, tenant: TenantNumber
  ) throws(CommandError) -> ProofRead {
    switch (arguments.word(at: 1), arguments.count) {
    case ("POSITION", 3):
      return ProofRead(tenant: tenant, kind: .inclusion(try number(arguments[2]), size: nil))
    case ("POSITION", 5):
      guard arguments.word(at: 3) == "SIZE" else { throw .syntax }
      return ProofRead(
        tenant: tenant,
        kind: .inclusion(try number(arguments[2]), size: try number(arguments[4])))
    case ("CONSISTENCY", 4):
      return ProofRead(
        tenant: tenant,
        kind: .consistency(old: try number(arguments[2]), new: try number(arguments[3])))
    default: throw .syntax
    }
  }

  private static func number(_ bytes: Span<UInt8>) throws(CommandError) -> UInt64 {
    guard let number = DecimalNumber.parseUnsigned(bytes) else { throw .notInteger }
    return number
  }
}
