import EventModel
import Testing

private func isTime(_ text: String) -> Bool {
  let bytes = Array(text.utf8)
  return Timestamp.isRFC3339(bytes.span)
}

@Suite struct TimeTests {
  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000Z"), (951_782_399_999, "2000-02-28T23:59:59.999Z"),
    (951_782_400_000, "2000-02-29T00:00:00.000Z"), (2_147_483_648_000, "2038-01-19T03:14:08.000Z"),
    (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
  ])
  func `times are told as RFC 3339 in UTC`(milliseconds: Int64, text: String) {
    #expect(Timestamp.text(milliseconds) == text)
    #expect(isTime(text))
  }

  @Test func `every day of four centuries has the date after the day before`() {
    var before = CivilDate(daysSince1970: -1)
    var faults = 0
    for day in 0..<146_097 {
      let date = CivilDate(daysSince1970: day)
      let isNextDay = date.day == before.day + 1 && date.month == before.month
      let isFirst = date.day == 1 && before.day >= 28
      if !isNextDay && !isFirst { faults += 1 }
      before = date
    }
    #expect(faults == 0)
    #expect(before.year == 2369 && before.month == 12 && before.day == 31)
  }

  @Test(arguments: [
    "2026-11-24T06:03:43Z", "2026-11-24t06:03:43.1z", "2026-11-24T06:03:43.123456789+14:00",
    "2016-12-31T23:59:60Z",
  ])
  func `what RFC 3339 allows is a time`(text: String) {
    #expect(isTime(text))
  }

  @Test(arguments: [
    "", "2026-11-24", "2026-11-24T06:03:43", "2026-11-24 06:03:43Z", "2026-13-24T06:03:43Z",
    "2026-00-24T06:03:43Z", "2026-11-32T06:03:43Z", "2026-11-24T24:03:43Z", "2026-11-24T06:60:43Z",
    "2026-11-24T06:03:43.Z", "2026-11-24T06:03:43.1234567890Z", "2026-11-24T06:03:43+1:00",
    "2026-11-24T06:03:43+24:00", "2026-11-24T06:03:43ZZ", "x026-11-24T06:03:43Z",
    "2026-11-24T06:03:43.123456789",
  ])
  func `what it does not allow is none`(text: String) {
    #expect(!isTime(text))
  }
}

@Suite struct RetentionTests {
  @Test func `up to a week is kept by the hour, more by the day`() {
    #expect(Retention(Array("7d".utf8)) == Retention(unit: .hour, periods: 168))
    #expect(Retention(Array("36h".utf8)) == Retention(unit: .hour, periods: 36))
    #expect(Retention(Array("8d".utf8)) == Retention(unit: .day, periods: 8))
    #expect(Retention(Array("169h".utf8)) == Retention(unit: .day, periods: 8))
    #expect(Retention(Array("36500d".utf8))?.text == "36500d")
  }

  @Test(arguments: ["", "d", "0d", "-1d", "1", "1w", "1.5d", "36501d", "999999d", " 1d", "+"])
  func `what is no retention is refused`(text: String) {
    #expect(Retention(Array(text.utf8)) == nil)
  }

  @Test func `an event expires its maximum after its period began`() {
    let retention = Retention(unit: .day, periods: 30)
    let period = Period(unit: .day, containing: 86_400_000 * 5 + 17)
    #expect(period.startMilliseconds == 86_400_000 * 5)
    #expect(retention.expiryMilliseconds(of: period) == 86_400_000 * 35)
    #expect(Period(unit: .hour, containing: -5).index == 0)
  }
}
