/// A report as one file of HTML: no script, nothing from elsewhere, fit to print.
///
/// ```
/// verdict -> scope -> findings -> checks -> retention, erasures, keys, access, ledger
///         -> clauses -> limits, commands, words
/// ```
/// The same model always gives the same bytes.
package struct ReportPage {
  private var model: ReportModel

  package init(_ model: ReportModel) {
    self.model = model
    // A forged time must not lead out of the calendar.
    self.model.scope.takenMilliseconds = Wording.clamped(model.scope.takenMilliseconds)
  }

  /// The file, as UTF-8.
  package var bytes: [UInt8] {
    var page = Markup()
    page.raw("<!DOCTYPE html>")
    page.element("html", ["lang": "en"]) { html in
      html.element("head") { writeHead(to: &$0) }
      html.element("body") { body in
        body.element("main") { writeMain(to: &$0) }
      }
    }
    page.raw("\n")
    return page.bytes
  }

  private func writeHead(to head: inout Markup) {
    head.void("meta", ["charset": "utf-8"])
    head.void(
      "meta",
      [
        "http-equiv": "Content-Security-Policy",
        "content":
          "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
      ])
    head.void("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
    head.void("meta", ["name": "color-scheme", "content": "light dark"])
    head.void("meta", ["name": "generator", "content": model.scope.tool])
    head.element(
      "title",
      text: "\(model.verdict.title): evidence of store \(Wording.short(model.scope.store)), "
        + Wording.day(model.scope.takenMilliseconds))
    head.element("style") { $0.raw(Style.sheet) }
  }

  private func writeMain(to main: inout Markup) {
    VerdictSection(model: model).write(to: &main)
    ScopeSection(model: model).write(to: &main)
    FindingsSection(findings: model.findings).write(to: &main)
    ChecksSection(groups: model.checks).write(to: &main)
    RetentionSection(model: model).write(to: &main)
    ErasureSection(model: model).write(to: &main)
    KeySection(model: model).write(to: &main)
    AccessSection(table: model.access).write(to: &main)
    LedgerSection(model: model).write(to: &main)
    ClauseSection(model: model).write(to: &main)
    ClosingSection(model: model).write(to: &main)
  }
}

extension Markup {
  /// A part of the page with its heading and what a newcomer has to know of it.
  mutating func section(
    _ id: String, _ title: String, _ introduction: String, _ content: (inout Markup) -> Void
  ) {
    element("section", ["id": id]) { section in
      section.element("h2", text: title)
      if !introduction.isEmpty { section.element("p", text: introduction) }
      content(&section)
    }
  }

  /// A few large numbers, each with what it counts.
  mutating func tiles(_ tiles: [(value: String, counts: String, style: String)]) {
    element("dl", ["class": "tiles"]) { list in
      for tile in tiles {
        list.element("div") { place in
          place.element("dd", ["class": tile.style], text: tile.value)
          place.element("dt", text: tile.counts)
        }
      }
    }
  }

  /// What the colours of the plot below mean.
  mutating func legend(_ entries: [(style: String, words: String)]) {
    element("p", ["class": "legend"]) { line in
      for entry in entries {
        line.element("span") { item in
          item.element(
            "svg", ["class": "sample", "width": "12", "height": "12", "aria-hidden": "true"]
          ) { $0.void("rect", ["class": entry.style, "width": "12", "height": "12"]) }
          item.text(entry.words)
        }
      }
    }
  }
}
