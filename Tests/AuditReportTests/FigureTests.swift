import EventModel
import Testing

@testable import AuditReport

private let day: Int64 = 86_400_000

private func ages(
  _ periods: [ClassAges.PeriodCount], maximum: UInt32 = 30, unit: PeriodUnit = .day
) -> ClassAges {
  ClassAges(
    tenant: "00", name: "default", unit: unit, maximum: maximum, minimum: 0, purpose: "",
    periods: periods)
}

@Test func `numbers are grouped and name what they count`() {
  #expect(Wording.number(0) == "0")
  #expect(Wording.number(999) == "999")
  #expect(Wording.number(1_234_567) == "1,234,567")
  #expect(Wording.count(1, "entry", "entries") == "1 entry")
  #expect(Wording.count(1_000, "event") == "1,000 events")
}

@Test func `a hundred percent is all, and nought is none`() {
  #expect(Wording.percent(999_999, of: 1_000_000) == "99.9 %")
  #expect(Wording.percent(1, of: 1_000_000) == "0.1 %")
  #expect(Wording.percent(7, of: 7) == "100 %")
  #expect(Wording.percent(0, of: 7) == "0 %")
  #expect(Wording.percent(0, of: 0) == "none")
}

@Test func `spans have their two largest units`() {
  #expect(Wording.span(0) == "under a second")
  #expect(Wording.span(61_000) == "1 minute 1 second")
  #expect(Wording.span(3 * day + 4 * 3_600_000 + 59_000) == "3 days 4 hours")
  #expect(Wording.span(2 * day + 5_000) == "2 days")
}

@Test func `times of any forger lie in the calendar`() {
  #expect(Wording.time(.min) == "1970-01-01 00:00 UTC")
  #expect(Wording.time(.max) == "9999-12-31 23:59 UTC")
  #expect(Wording.between(.max, .min) == 0)
}

@Test func `bars hold every event once`() {
  let periods = (0..<100).map {
    ClassAges.PeriodCount(
      index: 1_000 - $0, expiresMilliseconds: (Int64(1_000 - $0) + 90) * day, live: 7,
      restricted: 2,
      held: 1)
  }
  let histogram = Histogram(ages(periods, maximum: 90), at: 1_000 * day)
  #expect(histogram.bars.count <= 40)
  #expect(histogram.bars.map(\.all).total == 1_000)
  // Periods 910 and older are over; what is held of them is not overdue.
  #expect(histogram.overdue == 10 * 9)
}

@Test func `a period that ends now is over, and one that ends later is not`() {
  let period = ClassAges.PeriodCount(index: 970, expiresMilliseconds: 1_000 * day, live: 5)
  #expect(Histogram(ages([period]), at: 1_000 * day).overdue == 5)
  #expect(Histogram(ages([period]), at: 1_000 * day - 1).overdue == 0)
}

@Test func `sums of forged counts do not overflow`() {
  let most = ClassAges.PeriodCount(
    index: .max, expiresMilliseconds: .min, live: .max, restricted: .max, held: .max)
  let histogram = Histogram(ages([most, most], maximum: .max, unit: .hour), at: .max)
  #expect(histogram.overdue == .max)
}

@Test(
  arguments: [
    ([1...9], 9, []), ([1...3, 5...9], 9, [4...4]), ([2...4], 9, [1...1, 5...9]), ([], 3, [1...3]),
    ([1...9], 4, []), ([1...UInt64.max], .max, []), ([], 0, []),
  ] as [([ClosedRange<UInt64>], UInt64, [ClosedRange<UInt64>])])
func `gaps are what is signed and not there`(
  _ present: [ClosedRange<UInt64>], _ size: UInt64, _ gaps: [ClosedRange<UInt64>]
) {
  let ledger = LedgerContinuity(size: size, present: present, checkpoints: [], days: [:], acts: [])
  #expect(ledger.gaps == gaps)
}

@Test func `a requested erasure waits from the request to the keys' end, or until now`() {
  var act = ErasureAct(
    index: 4, kind: .person, tenant: nil, certificate: .verified, level: "E1", ticket: "T-1",
    events: 1, persons: 1)
  act.askedMilliseconds = 10 * day
  #expect(act.delay(at: 15 * day) == 5 * day)
  #expect(act.sentence(at: 15 * day) == "#4 person, T-1: waiting for 5 days.")
  act.destroyedMilliseconds = 13 * day
  #expect(act.delay(at: 15 * day) == 3 * day)
}

@Test func `a key is late when today's is older than its limit`() {
  func key(_ rotations: [Int64], limit: UInt32?) -> KeyHistory {
    KeyHistory(
      name: "root", use: "", state: "active", createdMilliseconds: 0, rotations: rotations,
      limitDays: limit)
  }
  #expect(key([], limit: 90).isLate(at: 91 * day))
  #expect(!key([50 * day], limit: 90).isLate(at: 91 * day))
  #expect(!key([], limit: nil).isLate(at: 9_999 * day))
}

@Test func `shades of the heat map are powers of ten`() {
  #expect(
    [0, 1, 99, 100, 999, 1_000, 100_000, .max].map(AccessPlot.shade) == [0, 1, 1, 2, 2, 3, 5, 5])
}
