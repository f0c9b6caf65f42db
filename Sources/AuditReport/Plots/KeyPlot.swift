/// When each key was replaced, up to today, and whether today's is older than it may be.
struct KeyPlot {
  static let rowsMax = 24
  static let rowHeight = 36

  let keys: [KeyHistory]
  let now: Int64

  /// Those over their limit first, then the oldest.
  init(_ keys: [KeyHistory], at now: Int64) {
    self.now = now
    self.keys = Array(
      keys.sorted { left, right in
        let (leftLate, rightLate) = (left.isLate(at: now), right.isLate(at: now))
        if leftLate != rightLate { return leftLate }
        return left.newestMilliseconds < right.newestMilliseconds
      }.prefix(Self.rowsMax))
  }

  func write(to page: inout Markup) {
    let bottom = Double(6 + keys.count * Self.rowHeight)
    var plot = Plot(
      id: "key-ages", title: "Keys and when they were replaced",
      alternative: keys.map { $0.sentence(at: now) }.joined(separator: " "),
      height: Int(bottom) + 24)
    let first = keys.map { Wording.clamped($0.createdMilliseconds) }.min() ?? now
    let scale = Scale(min(first, now), now)
    for (row, key) in keys.enumerated() {
      draw(key, top: Double(6 + row * Self.rowHeight), scale: scale, on: &plot)
    }
    plot.axis([Wording.day(first), Wording.day(now)], y: bottom)
    plot.write(to: &page)
  }

  private func draw(_ key: KeyHistory, top: Double, scale: Scale, on plot: inout Plot) {
    let barTop = top + 17
    let made = scale.share(Wording.clamped(key.createdMilliseconds))
    let newest = scale.share(Wording.clamped(key.newestMilliseconds))
    plot.label(Wording.cut(key.name), at: 0, y: top + 12, "row", anchor: .start)
    plot.label(
      Wording.span(key.age(at: now)), at: 1, y: top + 12, key.isLate(at: now) ? "row wrong" : "row",
      anchor: .end)
    plot.box(from: made, to: newest, top: barTop + 2, height: 6, "former")
    plot.box(from: newest, to: 1, top: barTop, height: 10, "live")
    if let limit = key.limitMilliseconds, key.isLate(at: now) {
      let end = scale.share(Wording.clamped(key.newestMilliseconds) + limit)
      plot.box(from: end, to: 1, top: barTop, height: 10, "bad")
    }
    for rotation in key.rotations.suffix(200) {
      plot.upright(
        at: scale.share(Wording.clamped(rotation)), top: barTop - 2, bottom: barTop + 12, "mark")
    }
  }
}

extension KeyHistory {
  var limitMilliseconds: Int64? { limitDays.map { Int64($0) * 86_400_000 } }

  func age(at now: Int64) -> Int64 { Wording.between(newestMilliseconds, now) }

  func isLate(at now: Int64) -> Bool {
    guard let limit = limitMilliseconds, state != "destroyed" else { return false }
    return age(at: now) > limit
  }

  func sentence(at now: Int64) -> String {
    let limit = limitDays.map { "may be used for \(Wording.count(UInt64($0), "day"))" }
    return
      "\(name): \(Wording.span(age(at: now))) old, replaced \(Wording.count(rotations.count, "time")), "
      + "\(limit ?? "has no limit")."
  }
}
