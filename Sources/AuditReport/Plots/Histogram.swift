import EventModel

/// A class's events by age: bars that hold as many whole periods as fit a page.
struct Histogram {
  struct Bar: Hashable {
    /// Ages, in the class's unit: from `youngest`, below `youngest + width`.
    let youngest: UInt64
    var live: UInt64 = 0
    var restricted: UInt64 = 0
    var held: UInt64 = 0
    /// Of none of the others: beyond the maximum, and not held.
    var overdue: UInt64 = 0

    var all: UInt64 { [live, restricted, held, overdue].total }
  }

  static let barsMax: UInt64 = 40

  /// Periods in one bar.
  let width: UInt64
  /// Ages that the plot shows, from 0 on.
  let span: UInt64
  let bars: [Bar]
  /// Events of all ages, and those beyond the maximum that no hold keeps.
  let (stored, overdue): (UInt64, UInt64)

  /// The events of `ages` as old as they are at a time, in milliseconds since 1970.
  init(_ ages: ClassAges, at now: Int64) {
    let current = UInt64(Wording.clamped(now) / ages.unit.milliseconds)
    let counted = ages.periods.filter { [$0.live, $0.restricted, $0.held].total > 0 }
    let oldest = counted.map { current - min(current, UInt64($0.index)) }.max() ?? 0
    let shown = max(UInt64(ages.maximum) + UInt64(ages.maximum) / 12, oldest) + 1
    width = (shown + Self.barsMax - 1) / Self.barsMax
    let count = Int((shown + width - 1) / width)
    span = UInt64(count) * width
    var bars: [Bar] = []
    for number in 0..<count { bars.append(Bar(youngest: UInt64(number) * width)) }
    for period in counted {
      let age = current - min(current, UInt64(period.index))
      let isOverdue = period.expiresMilliseconds <= now
      bars[Int(age / width)].add(period, isOverdue: isOverdue)
    }
    self.bars = bars
    (stored, overdue) = (bars.map(\.all).total, bars.map(\.overdue).total)
  }

  var tallest: UInt64 { bars.map(\.all).max() ?? 0 }
}

extension Histogram.Bar {
  mutating func add(_ period: ClassAges.PeriodCount, isOverdue: Bool) {
    held = [held, period.held].total
    if isOverdue {
      overdue = [overdue, period.live, period.restricted].total
    } else {
      live = [live, period.live].total
      restricted = [restricted, period.restricted].total
    }
  }
}
