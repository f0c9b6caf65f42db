package import EventModel

/// The events of one retention class of one tenant, by the period in which they were stored.
package struct ClassAges: Hashable, Sendable {
  /// How many events of one period are in which state.
  package struct PeriodCount: Hashable, Sendable {
    /// Days or hours since 1970, in the class's unit.
    package let index: UInt32
    /// When the period is over its maximum, in milliseconds since 1970.
    package let expiresMilliseconds: Int64
    package let live: UInt64
    package let restricted: UInt64
    /// Kept by a hold alone, beyond the maximum; counted in neither of the others.
    package let held: UInt64

    package init(
      index: UInt32, expiresMilliseconds: Int64, live: UInt64, restricted: UInt64 = 0,
      held: UInt64 = 0
    ) {
      self.index = index
      self.expiresMilliseconds = expiresMilliseconds
      self.live = live
      self.restricted = restricted
      self.held = held
    }
  }

  /// The tenant's id, in hexadecimal digits.
  package let tenant: String
  package let name: String
  package let unit: PeriodUnit
  /// Today's maximum and minimum, in the class's unit; a minimum of 0 is none.
  package let maximum: UInt32
  package let minimum: UInt32
  /// Why the events are kept: a code, or empty.
  package let purpose: String
  package let periods: [PeriodCount]

  package init(
    tenant: String, name: String, unit: PeriodUnit, maximum: UInt32, minimum: UInt32,
    purpose: String, periods: [PeriodCount]
  ) {
    self.tenant = tenant
    self.name = name
    self.unit = unit
    self.maximum = maximum
    self.minimum = minimum
    self.purpose = purpose
    self.periods = periods
  }
}

/// A hold: what may be destroyed neither by expiry nor on request.
package struct HeldMatter: Hashable, Sendable {
  package let number: UInt64
  /// The tenant's id, in hexadecimal digits.
  package let tenant: String
  /// What it keeps: a person, a stream, a class, the tenant.
  package let kind: String
  package let reason: String
  package let setMilliseconds: Int64
  package let reviewMilliseconds: Int64
  /// Nil when the bundle does not count them.
  package let events: UInt64?

  package init(
    number: UInt64, tenant: String, kind: String, reason: String, setMilliseconds: Int64,
    reviewMilliseconds: Int64, events: UInt64?
  ) {
    self.number = number
    self.tenant = tenant
    self.kind = kind
    self.reason = reason
    self.setMilliseconds = setMilliseconds
    self.reviewMilliseconds = reviewMilliseconds
    self.events = events
  }
}
