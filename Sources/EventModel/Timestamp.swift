/// A date of the proleptic Gregorian calendar (Howard Hinnant's days algorithms).
package struct CivilDate: Hashable, Sendable {
  package let year: Int
  package let month: Int
  package let day: Int

  package init(daysSince1970 days: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }
}

extension CivilDate {
  /// A day of a month; a day beyond its end is its last.
  package init(year: Int, month: Int, day: Int) {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let days = month == 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    self.year = year
    self.month = month
    self.day = min(day, days)
  }

  package var daysSince1970: Int {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// The same day of the next month, or that month's last.
  package var aMonthLater: CivilDate {
    month == 12
      ? CivilDate(year: year + 1, month: 1, day: day)
      : CivilDate(year: year, month: month + 1, day: day)
  }
}

/// Times as text: RFC 3339 in UTC with milliseconds.
package enum Timestamp {
  /// Bytes of what ``append(_:to:)`` writes: `2026-11-24T06:03:43.123Z`.
  package static let textBytes = 24

  /// Appends the time (milliseconds since 1970, not negative) as RFC 3339.
  package static func append(_ milliseconds: Int64, to bytes: inout [UInt8]) {
    bytes.append(addingCapacity: textBytes) { output in append(milliseconds, to: &output) }
  }

  /// Appends the time (milliseconds since 1970, not negative) as RFC 3339.
  @_lifetime(output: copy output)
  package static func append(_ milliseconds: Int64, to output: inout OutputSpan<UInt8>) {
    let days = Int(milliseconds / 86_400_000)
    let date = CivilDate(daysSince1970: days)
    let rest = Int(milliseconds % 86_400_000)
    twoDigits(date.year / 100, &output)
    twoDigits(date.year % 100, &output)
    output.append(0x2D)
    twoDigits(date.month, &output)
    output.append(0x2D)
    twoDigits(date.day, &output)
    output.append(0x54)
    twoDigits(rest / 3_600_000, &output)
    output.append(0x3A)
    twoDigits(rest / 60_000 % 60, &output)
    output.append(0x3A)
    twoDigits(rest / 1_000 % 60, &output)
    output.append(0x2E)
    output.append(0x30 + UInt8(truncatingIfNeeded: rest / 100 % 10))
    twoDigits(rest % 100, &output)
    output.append(0x5A)
  }

  /// The day (since 1970) as `2026-11-24`.
  package static func dayText(_ day: Int64) -> String {
    String(text(day * 86_400_000).prefix(10))
  }

  /// The time as RFC 3339.
  package static func text(_ milliseconds: Int64) -> String {
    var bytes: [UInt8] = []
    append(milliseconds, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// True when `bytes` are an RFC 3339 time: date, `T`, time, optional fraction (at most nine
  /// digits), `Z` or an offset.
  ///
  /// The day is checked against its month only up to 31.
  package static func isRFC3339(_ bytes: Span<UInt8>) -> Bool {
    guard bytes.count >= 20, bytes.count <= 35 else { return false }
    func number(_ start: Int, _ count: Int) -> Int? {
      var value = 0
      for index in start..<(start + count) {
        guard (0x30...0x39).contains(bytes[index]) else { return nil }
        value = value * 10 + Int(bytes[index] - 0x30)
      }
      return value
    }
    guard number(0, 4) != nil, bytes[4] == 0x2D, let month = number(5, 2), bytes[7] == 0x2D,
      let day = number(8, 2), bytes[10] == 0x54 || bytes[10] == 0x74, let hour = number(11, 2),
      bytes[13] == 0x3A, let minute = number(14, 2), bytes[16] == 0x3A, let second = number(17, 2),
      (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
    else { return false }
    var index = 19
    if bytes[index] == 0x2E {
      let start = index + 1
      index = start
      while index < bytes.count, (0x30...0x39).contains(bytes[index]) { index += 1 }
      guard index > start, index - start <= 9, index < bytes.count else { return false }
    }
    if bytes[index] == 0x5A || bytes[index] == 0x7A { return index + 1 == bytes.count }
    guard bytes[index] == 0x2B || bytes[index] == 0x2D, index + 6 == bytes.count,
      let hours = number(index + 1, 2), bytes[index + 3] == 0x3A, let minutes = number(index + 4, 2)
    else { return false }
    return hours < 24 && minutes < 60
  }

  @_lifetime(output: copy output)
  private static func twoDigits(_ value: Int, _ output: inout OutputSpan<UInt8>) {
    output.append(0x30 + UInt8(truncatingIfNeeded: value / 10 % 10))
    output.append(0x30 + UInt8(truncatingIfNeeded: value % 10))
  }
}
