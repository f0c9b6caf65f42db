/// Whether the ledger is whole, and what was done.
struct LedgerSection {
  let model: ReportModel

  private var ledger: LedgerContinuity { model.ledger }

  func write(to page: inout Markup) {
    page.section(
      "ledger", "Ledger",
      "Every act that changes keys, rules or rights is entered in the ledger, numbered without gaps and "
        + "signed in checkpoints. If no number is missing, the list of acts is complete."
    ) { section in
      let gaps = ledger.gaps
      let missing = gaps.map { $0.upperBound - $0.lowerBound + 1 }.total
      section.tiles([
        (Wording.number(ledger.size), "ledger entries that the newest checkpoint signs", "plain"),
        (
          Wording.number(missing), "of them missing in the bundle", missing == 0 ? "good" : "wrong"
        ),
        (
          Wording.number(UInt64(ledger.checkpoints.count)),
          "checkpoints, signed sizes of the ledger",
          ledger.checkpoints.isEmpty ? "caution" : "plain"
        ),
        (
          Wording.number(UInt64(ledger.checkpoints.count { !$0.isSound })),
          "of them with a wrong signature or hash",
          ledger.checkpoints.allSatisfy(\.isSound) ? "good" : "wrong"
        ),
      ])
      guard ledger.size > 0 else { return }
      writePlot(to: &section)
      if !gaps.isEmpty {
        section.element(
          "p", ["class": "wrong"],
          text: "Missing entries: \(gaps.prefix(20).map(\.words).joined(separator: ", "))"
            + (gaps.count > 20 ? " and \(Wording.count(gaps.count - 20, "further gap"))." : "."))
      }
      actTable.write(to: &section)
    }
  }

  private func writePlot(to section: inout Markup) {
    let plot = LedgerPlot(ledger: ledger, now: model.scope.takenMilliseconds)
    let days = plot.barMilliseconds / 86_400_000
    section.element("figure") { figure in
      figure.element("figcaption") { caption in
        caption.element("b", text: "Continuity")
        caption.text(
          ": entries over time (a bar is \(Wording.count(UInt64(days), "day"))), checkpoints below them, "
            + "and all entries in a row, in which a gap is red. \(plot.alternative)")
      }
      plot.write(to: &figure)
    }
  }

  private var actTable: DataTable {
    DataTable(
      caption: "Entries by kind of act",
      columns: [.init("Act"), .init("Done", .number), .init("Refused", .number)],
      rows: ledger.acts.sorted { ($0.done, $0.refused, $1.name) > ($1.done, $1.refused, $0.name) }
        .map { act in
          [
            .text(act.name), .text(Wording.number(act.done)), .text(Wording.number(act.refused)),
          ]
        })
  }
}
