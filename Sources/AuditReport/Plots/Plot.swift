/// A drawing that is as wide as its place: x are shares of the width, y are pixels.
///
/// So that texts keep their size on any screen and on paper, nothing is scaled.
struct Plot {
  enum Anchor: String {
    case start, middle, end
  }

  /// Unique on the page.
  let id: String
  let title: String
  /// What the drawing shows, in sentences, for who does not see it.
  let alternative: String
  let height: Int
  private var body = Markup()

  init(id: String, title: String, alternative: String, height: Int) {
    self.id = id
    self.title = title
    self.alternative = alternative
    self.height = height
  }

  /// A filled box; something that is there is never thinner than two pixels.
  mutating func box(
    from left: Double, to right: Double, top: Double, height: Double, _ kind: String
  ) {
    guard right > left, height > 0 else { return }
    body.void(
      "rect",
      [
        "class": kind, "x": Self.share(left), "y": Self.decimal(top),
        "width": Self.share(right - left), "height": Self.decimal(max(2, height)),
      ])
  }

  mutating func upright(at x: Double, top: Double, bottom: Double, _ kind: String) {
    line(from: x, to: x, top: top, bottom: bottom, kind)
  }

  mutating func level(at y: Double, _ kind: String = "grid") {
    line(from: 0, to: 1, top: y, bottom: y, kind)
  }

  mutating func dot(at x: Double, y: Double, radius: Double, _ kind: String) {
    body.void(
      "circle",
      [
        "class": kind, "cx": Self.share(x), "cy": Self.decimal(y), "r": Self.decimal(radius),
      ])
  }

  mutating func label(
    _ text: String, at x: Double, y: Double, _ kind: String = "tick", anchor: Anchor? = nil
  ) {
    let found = anchor ?? (x < 0.15 ? .start : x > 0.85 ? .end : .middle)
    body.element(
      "text",
      [
        "class": kind, "x": Self.share(x), "y": Self.decimal(y), "text-anchor": found.rawValue,
      ], text: text)
  }

  /// Texts below the axis, evenly spaced from end to end; of long ones only as many as a phone shows.
  mutating func axis(_ texts: [String], y: Double) {
    level(at: y, "axis")
    let longest = texts.map(\.count).max() ?? 0
    let intervals = texts.count - 1
    let step = longest <= 8 ? 1 : longest <= 12 && intervals % 2 == 0 ? intervals / 2 : intervals
    for index in stride(from: 0, through: intervals, by: max(1, step)) {
      label(texts[index], at: Double(index) / Double(max(1, intervals)), y: y + 15)
    }
  }

  func write(to page: inout Markup) {
    page.element(
      "svg",
      [
        "class": "plot", "width": "100%", "height": String(height), "role": "img",
        "aria-labelledby": "\(id)-title \(id)-text",
      ]
    ) { svg in
      svg.element("title", ["id": "\(id)-title"], text: title)
      svg.element("desc", ["id": "\(id)-text"], text: alternative)
      svg.append(body)
    }
  }

  private mutating func line(
    from left: Double, to right: Double, top: Double, bottom: Double, _ kind: String
  ) {
    body.void(
      "line",
      [
        "class": kind, "x1": Self.share(left), "x2": Self.share(right), "y1": Self.decimal(top),
        "y2": Self.decimal(bottom),
      ])
  }

  private static func share(_ value: Double) -> String {
    "\(decimal(min(1, max(0, value)) * 100))%"
  }

  /// With at most two places; whole numbers are rounded, so that no mathematical library is needed.
  private static func decimal(_ value: Double) -> String {
    let hundredths = Int(max(0, value) * 100 + 0.5)
    let rest = hundredths % 100
    guard rest > 0 else { return String(hundredths / 100) }
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }
}

/// Where a value lies between two others, as a share of 0 to 1.
struct Scale {
  let first: Double
  let last: Double

  init(_ first: Int64, _ last: Int64) {
    self.first = Double(first)
    self.last = Double(max(last, first + 1))
  }

  func share(_ value: Int64) -> Double { share(Double(value)) }

  func share(_ value: Double) -> Double { min(1, max(0, (value - first) / (last - first))) }
}
