/// A table whose rows become cards where the page is narrow.
struct DataTable {
  /// More rows are counted and not shown; the program's `--json` has them all.
  static let rowsMax = 200

  struct Column {
    let title: String
    let kind: Kind

    init(_ title: String, _ kind: Kind = .words) {
      self.title = title
      self.kind = kind
    }
  }

  enum Kind: String {
    case words, number, code
    /// Short and never broken.
    case date
  }

  enum Cell {
    case text(String)
    case outcome(Outcome)
    /// An outcome in words of its own.
    case mark(Outcome, String)
    case basis(Basis)
    case severity(Finding.Severity)
    /// A part of this page, by its id.
    case link(String, to: String)
  }

  let caption: String
  let columns: [Column]
  let rows: [[Cell]]

  func write(to page: inout Markup) {
    guard !rows.isEmpty else { return }
    page.element("table") { table in
      table.element("caption", text: caption)
      table.element("thead") { head in
        head.element("tr") { row in
          for column in columns {
            row.element("th", ["scope": "col", "class": column.kind.rawValue], text: column.title)
          }
        }
      }
      table.element("tbody") { body in
        for row in rows.prefix(Self.rowsMax) { write(row, to: &body) }
      }
    }
    if rows.count > Self.rowsMax {
      page.element(
        "p", ["class": "note"],
        text:
          "\(Wording.count(rows.count - Self.rowsMax, "further row is", "further rows are")) not "
          + "shown here; the commands at the end list all with --json.")
    }
  }

  private func write(_ row: [Cell], to body: inout Markup) {
    body.element("tr") { line in
      for (column, cell) in zip(columns, row) {
        line.element("td", ["class": column.kind.rawValue, "data-label": column.title]) {
          Self.write(cell, to: &$0)
        }
      }
    }
  }

  private static func write(_ cell: Cell, to place: inout Markup) {
    switch cell {
    case .text(let text): place.element("span", text: text.isEmpty ? "\u{2013}" : text)
    case .outcome(let outcome):
      place.element("b", ["class": outcome.style], text: "\(outcome.sign) \(outcome.word)")
    case .mark(let outcome, let words):
      place.element("b", ["class": outcome.style], text: "\(outcome.sign) \(words)")
    case .basis(let basis): place.element("i", ["class": "basis"], text: basis.rawValue)
    case .severity(let severity):
      place.element(
        "b", ["class": severity == .low ? "caution" : "wrong"], text: severity.rawValue)
    case .link(let text, let id): place.element("a", ["href": "#\(id)"], text: text)
    }
  }
}

extension Outcome {
  var sign: String {
    switch self {
    case .holds: "\u{2713}"
    case .finding: "!"
    case .fails: "\u{2717}"
    case .open: "?"
    case .noted: "\u{2022}"
    }
  }

  var word: String {
    switch self {
    case .holds: "holds"
    case .finding: "finding"
    case .fails: "does not hold"
    case .open: "not concluded"
    case .noted: "noted"
    }
  }

  /// The word for several.
  var plural: String {
    switch self {
    case .holds: "hold"
    case .finding: "findings"
    case .fails: "do not hold"
    case .open, .noted: word
    }
  }

  /// The word at the beginning of a sentence.
  var heading: String { word.prefix(1).uppercased() + word.dropFirst() }

  var style: String {
    switch self {
    case .holds: "good"
    case .finding, .open: "caution"
    case .fails: "wrong"
    case .noted: "plain"
    }
  }
}
