/// What erasures waited for, a row for each: from the request to the keys' end.
struct DelayPlot {
  static let rowsMax = 24
  static let rowHeight = 34
  /// GDPR, article 12(3): one month, which has at most 31 days.
  static let month: Int64 = 31 * 86_400_000

  let acts: [ErasureAct]
  let now: Int64

  /// Those that were asked for, the slowest first.
  init(_ acts: [ErasureAct], at now: Int64) {
    self.now = now
    let asked = acts.filter { $0.kind != .expiry && $0.askedMilliseconds != nil }
    self.acts = Array(
      asked.sorted { ($0.delay(at: now), $1.index) > ($1.delay(at: now), $0.index) }
        .prefix(Self.rowsMax))
  }

  private var longest: Int64 {
    let ends = acts.map { act in
      Wording.between(
        act.askedMilliseconds ?? now,
        act.droppedMilliseconds ?? act.destroyedMilliseconds ?? now)
    }
    return max(Self.month, ends.max() ?? 0) * 21 / 20
  }

  func write(to page: inout Markup) {
    let bottom = Double(24 + acts.count * Self.rowHeight)
    var plot = Plot(
      id: "delays", title: "Erasures from request to destruction",
      alternative: acts.map { $0.sentence(at: now) }.joined(separator: " "),
      height: Int(bottom) + 24)
    let scale = Scale(0, longest)
    for (row, act) in acts.enumerated() {
      draw(act, top: Double(24 + row * Self.rowHeight), scale: scale, on: &plot)
    }
    let line = scale.share(Self.month)
    plot.upright(at: line, top: 14, bottom: bottom, "limit")
    plot.label(
      "31 days after the request", at: line, y: 11, "tick strong",
      anchor: line > 0.5 ? .end : .start)
    let texts = (Int64(0)...4).map { quarter in
      let days = longest * quarter / 4 / 86_400_000
      return quarter == 0 ? "request" : Wording.count(UInt64(days), "day")
    }
    plot.axis(texts, y: bottom)
    plot.write(to: &page)
  }

  private func draw(_ act: ErasureAct, top: Double, scale: Scale, on plot: inout Plot) {
    guard let asked = act.askedMilliseconds else { return }
    func place(_ time: Int64) -> Double { scale.share(Wording.between(asked, time)) }
    let end = act.destroyedMilliseconds ?? now
    let hidden = min(act.restrictedMilliseconds ?? end, end)
    let barTop = top + 17
    plot.label(Wording.cut(act.label), at: 0, y: top + 12, "row", anchor: .start)
    plot.box(from: 0, to: place(hidden), top: barTop, height: 9, "shown")
    plot.box(from: place(hidden), to: place(end), top: barTop, height: 9, "restricted")
    if let dropped = act.droppedMilliseconds {
      plot.box(from: place(end), to: place(dropped), top: barTop + 4, height: 1, "shown")
      plot.dot(at: place(dropped), y: barTop + 4.5, radius: 4, "hollow")
    }
    let isLate = Wording.between(asked, end) > Self.month
    guard act.destroyedMilliseconds != nil else {
      return plot.label(
        "waits", at: min(0.98, place(end) + 0.01), y: barTop + 9, isLate ? "row wrong" : "row")
    }
    plot.dot(at: place(end), y: barTop + 4.5, radius: 5.5, isLate ? "bad" : "done")
  }
}

extension ErasureAct {
  /// From the request to the keys' end, or to `now` when they are not destroyed, in milliseconds.
  func delay(at now: Int64) -> Int64 {
    Wording.between(askedMilliseconds ?? now, destroyedMilliseconds ?? now)
  }

  /// Entry and kind: `#1870 person`.
  var label: String {
    "#\(Wording.number(index)) \(kind.rawValue)\(ticket.isEmpty ? "" : ", \(ticket)")"
  }

  func sentence(at now: Int64) -> String {
    let wait = Wording.span(delay(at: now))
    return destroyedMilliseconds == nil
      ? "\(label): waiting for \(wait)." : "\(label): destroyed \(wait) after the request."
  }
}
