/// The unit of time in which a retention class forgets.
package enum PeriodUnit: UInt8, Sendable {
  /// A UTC day of stored time.
  case day = 0
  /// A UTC hour, for classes kept seven days or less.
  case hour = 1

  package var milliseconds: Int64 { self == .day ? 86_400_000 : 3_600_000 }
}

/// A UTC day or hour, counted from 1970; the unit of expiry.
package struct Period: Hashable, Sendable {
  package let unit: PeriodUnit
  package let index: UInt32

  package init(unit: PeriodUnit, index: UInt32) {
    self.unit = unit
    self.index = index
  }

  /// The period that contains a stored time (milliseconds since 1970, not negative).
  package init(unit: PeriodUnit, containing storedMilliseconds: Int64) {
    self.init(
      unit: unit, index: UInt32(clamping: max(0, storedMilliseconds) / unit.milliseconds))
  }

  /// Its first millisecond.
  package var startMilliseconds: Int64 { Int64(index) * unit.milliseconds }
}

/// Where postings are kept and die together: a UTC month, or the UTC day of those that are only looked
/// up for a week.
package struct Bucket: Hashable, Sendable, Comparable {
  /// Months since January 1970, or from 16,384 on 16,384 + days since 1970-01-01.
  package let number: UInt16

  private static let firstDay: UInt16 = 16_384

  package init(number: UInt16) { self.number = number }

  package init(month: UInt16) { number = min(month, Self.firstDay - 1) }

  /// The month that contains a time in milliseconds since 1970.
  package init(containing milliseconds: Int64) {
    let date = CivilDate(daysSince1970: Int(max(0, milliseconds) / 86_400_000))
    self.init(month: UInt16(clamping: (date.year - 1970) * 12 + date.month - 1))
  }

  /// The day that contains a time in milliseconds since 1970.
  package init(dayContaining milliseconds: Int64) {
    number = UInt16(clamping: Int64(Self.firstDay) + max(0, milliseconds) / 86_400_000)
  }

  /// True when it is a day's.
  package var isDay: Bool { number >= Self.firstDay }

  /// The bucket of the day `count` days before, or nil before 1970.
  package func day(before count: UInt16) -> Bucket? {
    guard isDay, number - Self.firstDay >= count else { return nil }
    return Bucket(number: number - count)
  }

  package static func < (left: Bucket, right: Bucket) -> Bool { left.number < right.number }
}

/// How long a class keeps its events, counted in its own unit.
package struct Retention: Hashable, Sendable {
  package let unit: PeriodUnit
  /// Periods until the events expire.
  package let periods: UInt32

  /// Reads `395d` or `36h`.
  ///
  /// Up to seven days are kept by the hour. Nil when it is neither, zero or
  /// longer than ``Limits/retentionDaysMax``.
  package init?(_ text: [UInt8]) {
    guard let last = text.last, text.count >= 2, text.count <= 7,
      let number = UInt32(String(decoding: text.dropLast(), as: UTF8.self)), number > 0
    else { return nil }
    let hours: UInt64
    switch last {
    case 0x64: hours = UInt64(number) * 24
    case 0x68: hours = UInt64(number)
    default: return nil
    }
    guard hours <= UInt64(Limits.retentionDaysMax) * 24 else { return nil }
    if hours <= 7 * 24 {
      (unit, periods) = (.hour, UInt32(hours))
    } else {
      // An odd number of hours beyond a week is kept to the end of its last day.
      (unit, periods) = (.day, UInt32((hours + 23) / 24))
    }
  }

  package init(unit: PeriodUnit, periods: UInt32) {
    self.unit = unit
    self.periods = periods
  }

  /// When events of `period` expire, in milliseconds since 1970: its start plus the maximum.
  package func expiryMilliseconds(of period: Period) -> Int64 {
    period.startMilliseconds + Int64(periods) * unit.milliseconds
  }

  /// `395d` or `36h`.
  package var text: String { "\(periods)\(unit == .day ? "d" : "h")" }
}
