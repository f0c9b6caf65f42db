/// What was erased: every act of the ledger that destroyed keys, and how long people waited.
struct ErasureSection {
  let model: ReportModel

  private var now: Int64 { model.scope.takenMilliseconds }

  private var asked: [ErasureAct] {
    model.erasures.filter { $0.kind != .expiry && $0.askedMilliseconds != nil }
  }

  func write(to page: inout Markup) {
    page.section(
      "erasures", "Erasures",
      "Erasing destroys keys, after which no copy of the files opens what they sealed. A request "
        + "may first hide the events and destroy after a grace, in which a mistake can be taken back. It "
        + "counts from the beginning of the day on which it came."
    ) { section in
      guard !model.erasures.isEmpty else {
        return section.element("p", text: "The ledger has no erasure in this range.")
      }
      section.tiles(tiles)
      if !asked.isEmpty { writeDelays(to: &section) }
      actTable.write(to: &section)
    }
  }

  private var tiles: [(value: String, counts: String, style: String)] {
    let acts = model.erasures
    let unproven = acts.count { $0.certificate == .missing || $0.certificate == .wrong }
    let late = asked.count { $0.delay(at: now) > DelayPlot.month }
    let slowest = asked.map { $0.delay(at: now) }.max()
    return [
      (Wording.number(acts.map(\.events).total), "events erased in this range", "plain"),
      (Wording.number(acts.map(\.persons).total), "erasures of persons", "plain"),
      (
        Wording.number(UInt64(acts.count)),
        "acts of erasure in the ledger, "
          + "\(Wording.number(UInt64(acts.count { $0.kind == .expiry }))) of them by age alone",
        "plain"
      ),
      (
        Wording.number(UInt64(unproven)), "of these acts without a sound certificate",
        unproven == 0 ? "good" : "wrong"
      ),
      (
        slowest.map(Wording.span) ?? "none",
        "the longest wait for a requested erasure; "
          + "\(Wording.number(UInt64(late))) took more than 31 days",
        late == 0 ? "good" : "wrong"
      ),
    ]
  }

  private func writeDelays(to section: inout Markup) {
    let plot = DelayPlot(asked, at: now)
    let rest = asked.count - plot.acts.count
    section.element("figure") { figure in
      figure.element("figcaption") { caption in
        caption.element("b", text: "From request to destruction")
        caption.text(
          rest > 0
            ? ": the \(plot.acts.count) slowest of \(Wording.count(asked.count, "requested erasure"))."
            : ": \(Wording.count(asked.count, "requested erasure")), the slowest first.")
        caption.text(" The line is at 31 days: GDPR article 12(3) gives one month.")
      }
      figure.legend([
        ("shown", "asked for, still shown"), ("restricted", "hidden, can be taken back"),
        ("done", "keys destroyed"), ("bad", "destroyed after more than 31 days"),
        ("hollow", "ciphertext dropped too"),
      ])
      plot.write(to: &figure)
    }
  }

  private var actTable: DataTable {
    DataTable(
      caption: "All acts of erasure, in the order of the ledger",
      columns: [
        .init("Ledger entry", .number), .init("Erased"), .init("Tenant", .code),
        .init("Ticket", .code),
        .init("Events", .number), .init("Persons", .number), .init("Asked, or due", .date),
        .init("Keys destroyed"), .init("Wait"), .init("Class"), .init("Certificate"),
      ],
      rows: model.erasures.sorted { $0.index < $1.index }.map { act in
        [
          .text(Wording.number(act.index)), .text(act.kind.words),
          .text(act.tenant ?? "several"), .text(act.ticket), .text(Wording.number(act.events)),
          .text(Wording.number(act.persons)), .text(act.askedMilliseconds.map(Wording.day) ?? ""),
          .text(act.destroyedMilliseconds.map(Wording.time) ?? "waits"),
          .text(act.askedMilliseconds == nil ? "" : Wording.span(act.delay(at: now))),
          .text(act.level), .mark(act.certificate.outcome, act.certificate.words),
        ]
      })
  }
}

extension ErasureAct.Kind {
  var words: String {
    switch self {
    case .person: "a person"
    case .events: "single events"
    case .stream: "a stream"
    case .period: "a period before its time"
    case .tenant: "a tenant"
    case .expiry: "periods over their maximum"
    }
  }
}

extension ErasureAct.Certificate {
  var words: String {
    switch self {
    case .verified: "verified"
    case .missing: "missing"
    case .wrong: "wrong"
    case .none: "none due"
    }
  }

  var outcome: Outcome {
    switch self {
    case .verified: .holds
    case .missing: .open
    case .wrong: .fails
    case .none: .noted
    }
  }
}
