import EventModel

/// One class's events by their age, against its limits.
struct AgePlot {
  let id: String
  let ages: ClassAges
  let histogram: Histogram

  private let top = 46.0
  private let bottom = 136.0

  init(id: String, ages: ClassAges, at now: Int64) {
    self.id = id
    self.ages = ages
    histogram = Histogram(ages, at: now)
  }

  var unit: String { ages.unit == .day ? "day" : "hour" }

  /// What the plot shows, in sentences.
  var alternative: String {
    let all = histogram.stored
    guard all > 0 else { return "No event of this class is stored." }
    let oldest = histogram.bars.last { $0.all > 0 }
    let end = oldest.map { $0.youngest + histogram.width } ?? 0
    let overdue =
      histogram.overdue == 0
      ? "None is older than the maximum, unless a hold keeps it."
      : "\(Wording.count(histogram.overdue, "event")) should have expired."
    return
      "\(Wording.count(all, "event")) stored; the oldest less than \(Wording.count(end, unit)) old. \(overdue)"
  }

  func write(to page: inout Markup) {
    var plot = Plot(
      id: id, title: "Events of class \(Wording.cut(ages.name)) by age", alternative: alternative,
      height: 160)
    drawBars(on: &plot)
    drawLimits(on: &plot)
    let texts = (0...4).map { quarter in
      let age = histogram.span * UInt64(quarter) / 4
      return quarter == 0 ? "new" : "\(Wording.number(age)) \(ages.unit == .day ? "d" : "h")"
    }
    plot.axis(texts, y: bottom)
    plot.write(to: &page)
  }

  private func drawBars(on plot: inout Plot) {
    let tallest = Double(max(1, histogram.tallest))
    plot.level(at: top)
    plot.label(Wording.number(histogram.tallest), at: 0, y: top - 4, anchor: .start)
    for bar in histogram.bars {
      let left = Double(bar.youngest) / Double(histogram.span)
      let right = Double(bar.youngest + histogram.width) / Double(histogram.span)
      var base = bottom
      let parts = [
        (bar.live, "live"), (bar.restricted, "restricted"), (bar.held, "held"),
        (bar.overdue, "bad"),
      ]
      for (count, kind) in parts where count > 0 {
        let height = max(2, Double(count) / tallest * (bottom - top))
        base -= height
        plot.box(
          from: left, to: right, top: max(top, base), height: height, "\(kind) edge")
      }
    }
  }

  private func drawLimits(on plot: inout Plot) {
    let span = Double(histogram.span)
    let limit = Double(ages.maximum) / span
    plot.upright(at: limit, top: 14, bottom: bottom, "limit")
    plot.label(
      "maximum \(Wording.count(UInt64(ages.maximum), unit))", at: limit, y: 11, "tick strong",
      anchor: limit > 0.5 ? .end : .start)
    guard ages.minimum > 0 else { return }
    let least = Double(ages.minimum) / span
    plot.upright(at: least, top: 29, bottom: bottom, "least")
    plot.label(
      "minimum \(Wording.count(UInt64(ages.minimum), unit))", at: least, y: 26, "tick strong",
      anchor: least > 0.5 ? .end : .start)
  }
}
