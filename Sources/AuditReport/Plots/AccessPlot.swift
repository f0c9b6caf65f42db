/// Who was served how much at which hour of the day: a row for each reader, a shade for each power of
/// ten.
struct AccessPlot {
  static let rowsMax = 24
  static let rowHeight = 36
  /// Shades: from 1, 100, 1,000, 10,000 and 100,000 events on.
  static let steps: [UInt64] = [1, 100, 1_000, 10_000, 100_000]

  let peers: [AccessTable.Peer]

  /// Those that were served most.
  init(_ table: AccessTable) {
    peers = Array(
      table.peers.sorted { ($0.events, $1.name) > ($1.events, $0.name) }.prefix(Self.rowsMax))
  }

  /// From 0 (nothing) to 5.
  static func shade(_ events: UInt64) -> Int { steps.count { $0 <= events } }

  func write(to page: inout Markup) {
    let bottom = Double(4 + peers.count * Self.rowHeight)
    var plot = Plot(
      id: "heat", title: "Events served by reader and hour of the day",
      alternative: peers.map(\.sentence).joined(separator: " "), height: Int(bottom) + 24)
    for (row, peer) in peers.enumerated() {
      let top = Double(4 + row * Self.rowHeight)
      plot.label(Wording.cut(peer.name), at: 0, y: top + 12, "row", anchor: .start)
      plot.label(
        Wording.cut(Wording.count(peer.events, "event")), at: 1, y: top + 12, "row", anchor: .end)
      for (hour, events) in peer.hours.prefix(24).enumerated() {
        plot.box(
          from: Double(hour) / 24, to: Double(hour + 1) / 24, top: top + 17, height: 14,
          "shade\(Self.shade(events)) edge")
      }
    }
    plot.axis(["0:00", "6:00", "12:00", "18:00", "24:00"], y: bottom)
    plot.write(to: &page)
  }
}

extension AccessTable.Peer {
  var events: UInt64 { hours.total }

  /// The hour of the day with the most events, or nil when there were none.
  var busiest: Int? {
    guard let most = hours.max(), most > 0 else { return nil }
    return hours.firstIndex(of: most)
  }

  var sentence: String {
    guard let busiest else { return "\(name): nothing." }
    return
      "\(name): \(Wording.count(events, "event")), most between \(busiest):00 and \(busiest + 1):00 UTC."
  }
}
