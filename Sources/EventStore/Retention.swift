package import EventModel

/// An act on the retention classes of a tenant.
package enum RetentionAct: Sendable {
  /// Makes a class, or changes what is promised of its events.
  case set(RetentionRequest, Confirmation)
  /// Puts the events of a type into a class from now on, unless their writer says another.
  case map(type: [UInt8], className: [UInt8])
  case list
}

/// Which class, and what of it.
package struct RetentionRequest: Hashable, Sendable {
  package let className: [UInt8]
  package let change: RetentionChange

  package init(className: [UInt8], change: RetentionChange) {
    self.className = className
    self.change = change
  }
}

/// How far an act that must be planned has come.
package enum Confirmation: Hashable, Sendable {
  /// Neither: enough for what takes nothing back.
  case none
  case dryRun
  /// The dry run's token.
  case token([UInt8])
}

/// What the control plane answers about retention.
package enum RetentionAnswer: Sendable {
  case classes([RetentionDetail])
  case done(RetentionDetail)
  case plan(RetentionPlan)
}

/// A retention class as administrators see it.
package struct RetentionDetail: Sendable {
  package let name: [UInt8]
  package let policy: RetentionPolicy
  /// Types that are mapped to the class, ascending.
  package let types: [[UInt8]]
  /// When the newest maximum holds for new events, in milliseconds since 1970, if not always.
  package var maximumFromMilliseconds: Int64? {
    guard policy.steps.count > 1, let last = policy.steps.last else { return nil }
    return Int64(last.from) * policy.unit.milliseconds
  }

  package init(name: [UInt8], policy: RetentionPolicy, types: [[UInt8]]) {
    self.name = name
    self.policy = policy
    self.types = types
  }
}

/// What a change of a class's policy would do.
package struct RetentionPlan: Sendable {
  package let name: [UInt8]
  package let weight: RetentionPolicy.Weight
  /// Events that expire earlier than they would, counted when it comes into force.
  package let eventCount: UInt64
  /// When a shorter maximum comes into force without a second user's approval; 0: at once.
  package let inForceMilliseconds: Int64
  /// The token to confirm with: 32 hexadecimal digits.
  package let token: String
}
