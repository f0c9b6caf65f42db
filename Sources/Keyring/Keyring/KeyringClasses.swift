package import EventModel
import Storage

extension Keyring {
  /// Makes a retention class of a tenant with fresh period keys, or gives the one of this name another
  /// policy; answers its number.
  ///
  /// An addition: no key goes, so the root stays. A class's unit is that of its policy for good.
  @discardableResult
  package func setClass(
    _ tenant: TenantNumber, name: [UInt8], policy: RetentionPolicy, entry: LedgerEntry
  ) throws(KeyringError) -> ClassNumber {
    let known = try load(tenant).keys.classes
    guard let number = Self.number(of: name, in: known) else { throw .tooManyClasses }
    var line = entry
    line.tenant = tenant
    line.count = UInt64(number.rawValue)
    try edit(tenant, entry: line) { (node) throws(KeyringError) in
      guard var classes = node.classes else { throw .corrupt }
      if let index = classes.firstIndex(where: { $0.number == number }) {
        let found = classes[index]
        precondition(found.policy.unit == policy.unit, "a class's unit never changes")
        classes[index] = RetentionClass(
          number: number, name: name, policy: policy, cover: found.cover.copy())
      } else {
        classes.append(
          RetentionClass(
            number: number, name: name, policy: policy, cover: PeriodCover(unit: policy.unit)))
      }
      try node.setClasses(classes)
    }
    return number
  }

  /// The number of the class of this name, or the next one; nil when there are too many.
  private static func number(of name: [UInt8], in known: [RetentionClass]) -> ClassNumber? {
    if let found = known.first(where: { $0.name == name }) { return found.number }
    guard known.count < Limits.classesMax, let last = known.map(\.number.rawValue).max() else {
      return nil
    }
    return ClassNumber(rawValue: last + 1)
  }
}
