/// How old keys are, and when they were replaced.
struct KeySection {
  let model: ReportModel

  private var now: Int64 { model.scope.takenMilliseconds }

  func write(to page: inout Markup) {
    page.section(
      "keys", "Keys",
      "The root is the key above all keys, kept outside the data; every erasure replaces it. Keys of "
        + "tenants are replaced on command."
    ) { section in
      guard !model.keys.isEmpty else {
        return section.element("p", text: "The bundle names no key.")
      }
      let plot = KeyPlot(model.keys, at: now)
      section.element("figure") { figure in
        figure.element("figcaption") { caption in
          caption.element("b", text: "When keys were replaced")
          caption.text(
            ": each mark is a replacement; the number on the right is the age of today\u{2019}s key."
          )
          if plot.keys.count < model.keys.count {
            caption.text(
              " Shown are \(plot.keys.count) of \(Wording.count(model.keys.count, "key")): those over "
                + "their limit, then the oldest.")
          }
        }
        figure.legend([
          ("former", "former keys"), ("live", "today\u{2019}s key"), ("bad", "beyond its limit"),
        ])
        plot.write(to: &figure)
      }
      keyTable.write(to: &section)
    }
  }

  private var keyTable: DataTable {
    DataTable(
      caption: "All keys that are replaced, with their states as NIST SP 800-57 names them",
      columns: [
        .init("Key", .code), .init("Protects"), .init("State"), .init("Today\u{2019}s made", .date),
        .init("Age"), .init("Limit"), .init("Replaced", .number),
      ],
      rows: model.keys.map { key in
        [
          .text(key.name), .text(key.use), .text(key.state),
          .text(Wording.day(key.newestMilliseconds)),
          .text(
            Wording.span(key.age(at: now)) + (key.isLate(at: now) ? " (beyond its limit)" : "")),
          .text(key.limitDays.map { Wording.count(UInt64($0), "day") } ?? "none set"),
          .text(Wording.count(key.rotations.count, "time")),
        ]
      })
  }
}
