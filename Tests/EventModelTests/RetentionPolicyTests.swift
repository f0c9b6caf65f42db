import EventModel
import Testing

@Suite struct RetentionPolicyTests {
  private let day: Int64 = 86_400_000
  /// Noon of day 20,000.
  private var now: Int64 { 20_000 * day + day / 2 }

  private func change(
    max: String? = nil, min: String? = nil, mode: RetentionPolicy.Mode? = nil
  ) -> RetentionChange {
    var change = RetentionChange()
    change.maximum = max.flatMap { RetentionSpan(Array($0.utf8)) }
    change.minimum = min.flatMap { RetentionSpan(Array($0.utf8)) }
    change.mode = mode
    return change
  }

  private let thirty = RetentionPolicy(Retention(unit: .day, periods: 30))

  @Test func `a period dies when its start and the maximum have passed`() {
    #expect(thirty.firstLivePeriod(now: 20_000 * day - 1) == 19_970)
    #expect(thirty.firstLivePeriod(now: 20_000 * day) == 19_971)
    #expect(thirty.firstLivePeriod(now: 5 * day) == 0)
  }

  @Test func `a longer maximum holds for later periods only`() throws {
    let longer = try thirty.changed(by: change(max: "60d"), now: now, isApproved: false)
    #expect(thirty.weight(of: change(max: "60d"), now: now) == .plain)
    #expect(
      longer.retention(of: 20_000).periods == 30 && longer.retention(of: 20_001).periods == 60)
    #expect(longer.firstLivePeriod(now: now) == 19_971)
    #expect(longer.firstLivePeriod(now: now + 30 * day) == 20_001)
    #expect(longer.firstLivePeriod(now: now + 60 * day) == 20_001)
    #expect(longer.firstLivePeriod(now: now + 61 * day) == 20_002)
    let later = try longer.changed(by: change(max: "90d"), now: now + 70 * day, isApproved: false)
    #expect(later.steps.map(\.periods) == [60, 90], "the first step's periods have expired")
  }

  @Test func `a shorter maximum is in force after seven days`() throws {
    #expect(thirty.weight(of: change(max: "10d"), now: now) == .shortensMaximum)
    let shorter = try thirty.changed(by: change(max: "10d"), now: now, isApproved: false)
    #expect(shorter.firstLivePeriod(now: now + 7 * day - 1) == 19_978)
    #expect(shorter.firstLivePeriod(now: now + 7 * day) == 19_998)
    #expect(shorter.expiryMilliseconds(of: 20_000, now: now) == 20_030 * day)
    #expect(shorter.expiryMilliseconds(of: 20_000, now: now + 7 * day) == 20_010 * day)
    let approved = try thirty.changed(by: change(max: "10d"), now: now, isApproved: true)
    #expect(approved.shortening == nil && approved.firstLivePeriod(now: now) == 19_991)
    // Saying the old one again takes it back.
    let back = try shorter.changed(by: change(max: "30d"), now: now + day, isApproved: false)
    #expect(back == thirty)
    // Once in force it is the maximum.
    let then = try shorter.changed(by: change(min: "1d"), now: now + 8 * day, isApproved: false)
    #expect(then.retention.periods == 10 && then.shortening == nil)
  }

  @Test func `a minimum stays below the maximum and is counted from the period's end`() throws {
    #expect(throws: RetentionRefusal.minimumReachesMaximum) {
      try thirty.changed(by: change(min: "30d"), now: now, isApproved: false)
    }
    let kept = try thirty.changed(by: change(min: "20d"), now: now, isApproved: false)
    #expect(kept.minimumEndMilliseconds(of: 20_000) == 20_021 * day)
    #expect(thirty.minimumEndMilliseconds(of: 20_000) == 0)
    #expect(throws: RetentionRefusal.minimumReachesMaximum) {
      try kept.changed(by: change(max: "20d"), now: now, isApproved: true)
    }
    #expect(kept.weight(of: change(min: "10d"), now: now) == .shortensMinimum)
  }

  @Test func `compliance takes nothing back`() throws {
    let kept = try thirty.changed(
      by: change(min: "20d", mode: .compliance), now: now, isApproved: false)
    for wanted in [change(min: "19d"), change(mode: .governance)] {
      #expect(throws: RetentionRefusal.isCompliance) {
        try kept.changed(by: wanted, now: now, isApproved: true)
      }
    }
    #expect(
      try kept.changed(by: change(min: "21d"), now: now, isApproved: false).mode == .compliance)
  }

  @Test func `spans are days or hours, in whole periods of the class`() {
    func periods(_ text: String, _ unit: PeriodUnit) -> UInt32? {
      RetentionSpan(Array(text.utf8))?.periods(in: unit)
    }
    #expect(periods("0d", .day) == 0 && periods("30d", .hour) == 720 && periods("36h", .day) == 2)
    #expect(
      periods("36501d", .day) == nil && periods("-1d", .day) == nil && periods("d", .day) == nil)
  }
}
