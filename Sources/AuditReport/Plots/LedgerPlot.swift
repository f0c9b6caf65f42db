/// The ledger over time: entries a day, checkpoints below, and which entries are missing.
struct LedgerPlot {
  static let barsMax: Int64 = 60

  let ledger: LedgerContinuity
  let now: Int64

  private let top = 22.0
  private let bottom = 92.0

  /// The first day, in milliseconds since 1970.
  private var first: Int64 {
    let days = ledger.days.keys.map { Wording.clamped($0.clamped(to: 0...3_000_000) * 86_400_000) }
    let times = days + ledger.checkpoints.map { Wording.clamped($0.milliseconds) }
    return min(now, times.min() ?? now) / 86_400_000 * 86_400_000
  }

  /// What one bar holds: whole days.
  var barMilliseconds: Int64 {
    let days = (now - first) / 86_400_000 + 1
    return (days + Self.barsMax - 1) / Self.barsMax * 86_400_000
  }

  var alternative: String {
    let gaps = ledger.gaps
    let entries =
      "\(Wording.count(ledger.size, "entry", "entries")) signed by "
      + "\(Wording.count(ledger.checkpoints.count, "checkpoint")). "
    guard !gaps.isEmpty else { return entries + "None is missing." }
    return entries + "Missing: \(gaps.prefix(10).map(\.words).joined(separator: ", "))."
  }

  func write(to page: inout Markup) {
    var plot = Plot(
      id: "ledger-time", title: "Ledger entries and checkpoints over time",
      alternative: alternative, height: 212)
    drawEntries(on: &plot)
    drawCheckpoints(on: &plot)
    drawPresence(on: &plot)
    plot.write(to: &page)
  }

  private func drawEntries(on plot: inout Plot) {
    let (start, width) = (first, barMilliseconds)
    var counts: [Int64: UInt64] = [:]
    for (day, count) in ledger.days {
      let bar = Wording.between(start, day.clamped(to: 0...3_000_000) * 86_400_000) / width
      counts[bar] = [counts[bar] ?? 0, count].total
    }
    let most = max(1, counts.values.max() ?? 0)
    let bars = (now - start) / width + 1
    plot.label(
      "entries a \(width == 86_400_000 ? "day" : "bar"), at most \(Wording.number(most))", at: 0,
      y: 11, "row", anchor: .start)
    plot.level(at: top)
    for (bar, count) in counts.sorted(by: { $0.key < $1.key }) where bar < bars {
      let height = max(2, Double(count) / Double(most) * (bottom - top))
      plot.box(
        from: Double(bar) / Double(bars), to: Double(bar + 1) / Double(bars), top: bottom - height,
        height: height, "live edge")
    }
    plot.level(at: bottom, "axis")
    plot.label(Wording.day(start), at: 0, y: bottom + 15)
    plot.label(Wording.day(now), at: 1, y: bottom + 15)
  }

  private func drawCheckpoints(on plot: inout Plot) {
    let scale = Scale(first, now)
    plot.label("checkpoints", at: 0, y: bottom + 33, "row", anchor: .start)
    // Closer together than this they are one line; those that are wrong are drawn last, over the others.
    let places = 400.0
    for isSound in [true, false] {
      let marks = ledger.checkpoints.filter { $0.isSound == isSound }
      let found = Set(marks.map { Int(scale.share(Wording.clamped($0.milliseconds)) * places) })
      for place in found.sorted() {
        plot.upright(
          at: Double(place) / places, top: bottom + 39, bottom: bottom + 49,
          isSound ? "mark" : "limit")
      }
    }
  }

  private func drawPresence(on plot: inout Plot) {
    let top = bottom + 74
    plot.label("entries that are in the bundle", at: 0, y: top - 4, "row", anchor: .start)
    let size = Double(max(1, ledger.size))
    plot.box(from: 0, to: 1, top: top, height: 12, "empty")
    for range in ledger.present.prefix(400) {
      plot.box(
        from: Double(range.lowerBound - min(1, range.lowerBound)) / size,
        to: min(1, Double(range.upperBound) / size), top: top, height: 12, "live")
    }
    for gap in ledger.gaps.prefix(400) {
      let left = Double(gap.lowerBound - 1) / size
      plot.box(
        from: left, to: min(1, max(left + 0.005, Double(gap.upperBound) / size)), top: top - 2,
        height: 16, "bad")
    }
    plot.label("entry 1", at: 0, y: top + 28)
    plot.label("entry \(Wording.number(ledger.size))", at: 1, y: top + 28)
  }
}

extension ClosedRange<UInt64> {
  /// `7` or `7 to 9`.
  var words: String {
    lowerBound == upperBound
      ? Wording.number(lowerBound)
      : "\(Wording.number(lowerBound)) to \(Wording.number(upperBound))"
  }
}

extension Int64 {
  fileprivate func clamped(to range: ClosedRange<Int64>) -> Int64 {
    Swift.min(range.upperBound, Swift.max(range.lowerBound, self))
  }
}
