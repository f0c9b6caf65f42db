import EventModel

/// Events by class and age against their limits, and what holds keep.
struct RetentionSection {
  static let plotsMax = 12

  let model: ReportModel
  private let plots: [AgePlot]

  init(model: ReportModel) {
    self.model = model
    let now = model.scope.takenMilliseconds
    let all = model.classes.enumerated().map { number, ages in
      AgePlot(id: "ages-\(number)", ages: ages, at: now)
    }
    plots = all.sorted { left, right in
      (left.histogram.overdue, left.histogram.stored)
        > (right.histogram.overdue, right.histogram.stored)
    }
  }

  func write(to page: inout Markup) {
    page.section(
      "retention", "Retention",
      "Every event belongs to a class with a maximum age, at which its keys are destroyed without "
        + "anybody\u{2019}s doing. The store states how many events are in which state."
    ) { section in
      guard !plots.isEmpty else {
        return section.element("p", text: "The bundle names no class.")
      }
      section.tiles([
        (count(\.live), "events stored and shown to readers", "plain"),
        (count(\.restricted), "events kept and shown to nobody (restricted)", "plain"),
        (count(\.held), "events older than their maximum that a hold keeps", "plain"),
        (
          Wording.number(plots.map(\.histogram.overdue).total),
          "events older than their maximum that no hold keeps",
          plots.contains { $0.histogram.overdue > 0 } ? "wrong" : "good"
        ),
      ])
      section.legend([
        ("live", "shown to readers"), ("restricted", "restricted"),
        ("held", "beyond the maximum, held"),
        ("bad", "beyond the maximum"),
      ])
      section.element("div", ["class": "plots"]) { grid in
        for plot in plots.prefix(Self.plotsMax) { Self.write(plot, to: &grid) }
      }
      classTable.write(to: &section)
      writeHolds(to: &section)
    }
  }

  private func count(_ part: (Histogram.Bar) -> UInt64) -> String {
    Wording.number(plots.flatMap { $0.histogram.bars.map(part) }.total)
  }

  private static func write(_ plot: AgePlot, to grid: inout Markup) {
    let width = plot.histogram.width
    grid.element("figure") { figure in
      figure.element("figcaption") { caption in
        caption.element("b", text: "\(plot.ages.name), tenant \(Wording.short(plot.ages.tenant))")
        caption.text(
          ": events by age; a bar is \(Wording.count(width, plot.unit)), "
            + "its height the number of events. \(plot.alternative)")
      }
      plot.write(to: &figure)
    }
  }

  private var classTable: DataTable {
    DataTable(
      caption: "All classes, those with overdue events first",
      columns: [
        .init("Tenant", .code), .init("Class"), .init("Purpose"), .init("Kept at most"),
        .init("Kept at least"), .init("Events shown", .number), .init("Restricted", .number),
        .init("Held", .number), .init("Overdue", .number),
      ],
      rows: plots.map { plot in
        let (ages, bars) = (plot.ages, plot.histogram.bars)
        return [
          .text(ages.tenant), .text(ages.name), .text(ages.purpose),
          .text(Wording.count(UInt64(ages.maximum), plot.unit)),
          .text(ages.minimum == 0 ? "" : Wording.count(UInt64(ages.minimum), plot.unit)),
          .text(Wording.number(bars.map(\.live).total)),
          .text(Wording.number(bars.map(\.restricted).total)),
          .text(Wording.number(bars.map(\.held).total)),
          .text(Wording.number(plot.histogram.overdue)),
        ]
      })
  }

  private func writeHolds(to section: inout Markup) {
    guard !model.holds.isEmpty else {
      return section.element("p", text: "No hold keeps anything.")
    }
    let now = model.scope.takenMilliseconds
    DataTable(
      caption: "Holds: what may be destroyed neither by age nor on request",
      columns: [
        .init("Hold", .number), .init("Tenant", .code), .init("Keeps"), .init("Reason"),
        .init("Set", .date), .init("Review"), .init("Events", .number),
      ],
      rows: model.holds.map { hold in
        let isOverdue = hold.reviewMilliseconds < now
        return [
          .text(Wording.number(hold.number)), .text(hold.tenant), .text(hold.kind),
          .text(hold.reason), .text(Wording.day(hold.setMilliseconds)),
          .text(Wording.day(hold.reviewMilliseconds) + (isOverdue ? " (overdue)" : "")),
          .text(hold.events.map(Wording.number) ?? "not counted"),
        ]
      }
    ).write(to: &section)
  }
}
