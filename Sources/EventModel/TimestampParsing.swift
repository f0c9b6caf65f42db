extension Timestamp {
  /// The first millisecond since 1970 that is not before an RFC 3339 time, or nil when `bytes` are
  /// none.
  ///
  /// Finer fractions are rounded up, so that "stored at or after" and "stored before" stay exact for
  /// times that are kept in milliseconds. A leap second is the first moment of the next minute.
  package static func milliseconds(_ bytes: Span<UInt8>) -> Int64? {
    guard isRFC3339(bytes) else { return nil }
    func number(_ start: Int, _ count: Int) -> Int64 {
      var value: Int64 = 0
      for index in start..<(start + count) { value = value * 10 + Int64(bytes[index] - 0x30) }
      return value
    }
    let (year, month, day) = (Int(number(0, 4)), Int(number(5, 2)), Int(number(8, 2)))
    let days = CivilDate.daysSince1970(year: year, month: month, day: day)
    let date = CivilDate(daysSince1970: days)
    guard date.month == month, date.day == day else { return nil }
    let seconds =
      Int64(days) * 86_400 + number(11, 2) * 3_600 + number(14, 2) * 60 + number(17, 2)
    var index = 19
    var fraction: Int64 = 0
    if bytes[index] == 0x2E {
      index += 1
      var unit: Int64 = 100_000_000
      while (0x30...0x39).contains(bytes[index]) {
        fraction += Int64(bytes[index] - 0x30) * unit
        unit /= 10
        index += 1
      }
    }
    var offset: Int64 = 0
    if bytes[index] == 0x2B || bytes[index] == 0x2D {
      offset = number(index + 1, 2) * 3_600 + number(index + 4, 2) * 60
      if bytes[index] == 0x2D { offset = -offset }
    }
    return (seconds - offset) * 1_000 + (fraction + 999_999) / 1_000_000
  }
}

extension CivilDate {
  /// Days from 1970-01-01 to a date (Howard Hinnant's days algorithms).
  package static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}
