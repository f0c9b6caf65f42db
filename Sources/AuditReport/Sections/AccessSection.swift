/// Who was served what, by reader and hour of the day.
struct AccessSection {
  let table: AccessTable?

  func write(to page: inout Markup) {
    page.section(
      "access", "Access",
      "Reads are logged as ranges of events. That log is personal data, sealed for each tenant; a bundle "
        + "has no more of it than counts."
    ) { section in
      guard let table else {
        return section.element(
          "p",
          text:
            "This bundle has no counts of reads. Who read what is answered by the store\u{2019}s incident "
            + "report, sealed for each tenant.")
      }
      section.tiles([
        (
          Wording.number(table.peers.map(\.events).total), "events served, repeats counted", "plain"
        ),
        (
          Wording.number(UInt64(table.peers.count)), "readers (users of the machine or sockets)",
          "plain"
        ),
        (Wording.number(table.peers.map(\.exports).total), "exports", "plain"),
        (Wording.number(table.peers.map(\.refused).total), "requests refused", "plain"),
        (
          Wording.number(table.unloggedMax), "events at most served without a line in the log",
          table.unloggedMax == 0 ? "good" : "caution"
        ),
      ])
      writeHeat(table, to: &section)
      Self.peerTable(table).write(to: &section)
    }
  }

  private func writeHeat(_ table: AccessTable, to section: inout Markup) {
    let plot = AccessPlot(table)
    section.element("figure") { figure in
      figure.element("figcaption") { caption in
        caption.element("b", text: "Who reads when")
        caption.text(
          ": events served in each hour of the day (UTC), all days from "
            + "\(Wording.day(table.range.first)) to \(Wording.day(table.range.last)) together.")
        if plot.peers.count < table.peers.count {
          caption.text(
            " Shown are the \(plot.peers.count) readers of \(table.peers.count) that were served most."
          )
        }
      }
      figure.legend([
        ("shade0 edge", "none"), ("shade1 edge", "1 to 99"), ("shade2 edge", "100 to 999"),
        ("shade3 edge", "1,000 to 9,999"), ("shade4 edge", "10,000 to 99,999"),
        ("shade5 edge", "100,000 and more"),
      ])
      plot.write(to: &figure)
    }
  }

  private static func peerTable(_ table: AccessTable) -> DataTable {
    DataTable(
      caption: "All readers, those that were served most first",
      columns: [
        .init("Reader", .code), .init("Purpose"), .init("Events served", .number),
        .init("Bytes served", .number), .init("Busiest hour"), .init("Exports", .number),
        .init("Refused", .number), .init("Last read"),
      ],
      rows: table.peers.sorted { ($0.events, $1.name) > ($1.events, $0.name) }.map { peer in
        [
          .text(peer.name), .text(peer.purpose), .text(Wording.number(peer.events)),
          .text(Wording.bytes(peer.bytes)),
          .text(peer.busiest.map { "\($0):00 to \($0 + 1):00" } ?? ""),
          .text(Wording.number(peer.exports)), .text(Wording.number(peer.refused)),
          .text(Wording.time(peer.lastMilliseconds)),
        ]
      })
  }
}
