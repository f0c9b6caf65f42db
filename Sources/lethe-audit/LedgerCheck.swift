import EventModel
import TransparencyLog

/// What the ledger says, as far as other rows need it.
struct LedgerFacts: Sendable {
  /// Acts that erased events, and restores, by their index.
  private(set) var acts: [UInt64: LedgerEntry] = [:]
  /// Every new generation of the root: when it came.
  private(set) var rotations: UInt64 = 0
  private(set) var epoch: UInt64 = 0
  private(set) var epochMilliseconds: Int64 = 0
  /// The longest time that one root was in use, as far as the ledger reaches.
  private(set) var longestEpochMilliseconds: Int64 = 0
  /// What only a page shows.
  private(set) var history = LedgerHistory()
  /// Entries that are missing or unknown.
  private(set) var unreadable: UInt64 = 0
  private(set) var firstMilliseconds: Int64 = 0
  private(set) var lastMilliseconds: Int64 = 0
  /// Entries that are dated a minute or more before the one in front of them.
  private(set) var datedBack: UInt64 = 0
  /// The entries whose root is of an older generation than that of the one in front of them.
  private(set) var epochsBack: [UInt64] = []

  /// Acts that are kept: more than a store erases in its life.
  static let actsMax = 1_000_000

  mutating func note(_ entry: LedgerEntry, at index: UInt64) {
    history.note(entry, isNewRoot: index > 1 && entry.epoch > epoch)
    if index == 1 {
      (firstMilliseconds, epoch, epochMilliseconds) = (
        entry.timeMilliseconds, entry.epoch, entry.timeMilliseconds
      )
    } else if entry.timeMilliseconds < lastMilliseconds - 60_000 {
      datedBack += 1
    }
    lastMilliseconds = max(lastMilliseconds, entry.timeMilliseconds)
    if entry.epoch < epoch { epochsBack.append(index) }
    if entry.epoch > epoch {
      rotations += 1
      longestEpochMilliseconds = max(
        longestEpochMilliseconds, entry.timeMilliseconds - epochMilliseconds)
      (epoch, epochMilliseconds) = (entry.epoch, entry.timeMilliseconds)
    }
    if entry.act.certificateKind != nil || entry.act == .lineageBegun { acts[index] = entry }
  }

  mutating func noteUnreadable(_ index: UInt64) {
    unreadable += 1
    history.noteMissing(index)
  }

  mutating func note(right: [Head], wrong: [Head]) { history.note(right: right, wrong: wrong) }

  /// The entry with this index, if it is of an act that erased events, or a restore.
  func act(_ index: UInt64) -> LedgerEntry? { acts[index] }

  /// How many positions of a tenant's log are still those of an older lineage; nil when the ledger
  /// does not tell.
  func kept(of tenant: TenantNumber, since lineage: UInt64) -> UInt64? {
    let restores = acts.filter { $0.value.act == .lineageBegun && $0.value.tenant == tenant }
      .sorted { $0.key < $1.key }.map(\.value.count)
    guard lineage >= 1, UInt64(restores.count) >= lineage else { return nil }
    return restores[Int(lineage - 1)...].min()
  }
}

/// Reads the ledger and compares it with its checkpoints.
struct LedgerCheck {
  private(set) var facts = LedgerFacts()

  init(
    _ file: inout BundleFile, _ manifest: Manifest, _ heads: [Head], _ findings: inout Findings
  ) {
    var check = HeadCheck(heads)
    var index: UInt64 = 0
    while file.fill(LedgerEntry.plainBytes) {
      index += 1
      let (leaf, entry, isEmpty) = file.withBytes(LedgerEntry.plainBytes) { row in
        (
          LeafHash(entry: row), LedgerEntry(plain: row), row.indices.allSatisfy { row[$0] == 0 }
        )
      }
      file.take(LedgerEntry.plainBytes)
      check.append(leaf)
      guard let entry else {
        facts.noteUnreadable(index)
        findings.add(
          "LED-3", .recomputed, .unknown,
          isEmpty
            ? "ledger entry \(index) is missing"
            : "ledger entry \(index) is none that this program knows")
        continue
      }
      facts.note(entry, at: index)
      if index == 1, entry.act != .storeCreated {
        findings.add("LED-3", .recomputed, .tampered, "ledger entry 1 does not create the store")
      }
      guard facts.acts.count < LedgerFacts.actsMax else {
        findings.add("LED-3", .recomputed, .unknown, "more erasures than this program reads")
        break
      }
    }
    if let fault = file.finish() { findings.add("BUN-2", .recomputed, .tampered, fault) }
    facts.note(right: check.right, wrong: check.wrong + check.longer)
    check.conclude(
      "LED", "the ledger", isWhole: facts.unreadable == 0, expected: manifest.ledgerCount,
      &findings)
    judgeOrder(index, &findings)
  }

  private func judgeOrder(_ count: UInt64, _ findings: inout Findings) {
    for index in facts.epochsBack.prefix(Findings.sameMax) {
      findings.add(
        "LED-4", .recomputed, .tampered,
        "ledger entry \(index) has an older root than the one in front of it")
    }
    if facts.datedBack > 0 {
      findings.add(
        "LED-5", .recomputed, .finding,
        "\(facts.datedBack) ledger entries are dated before the one in front of them")
    }
    guard facts.unreadable == 0, count > 0 else { return }
    findings.add(
      "LED-3", .recomputed, .pass,
      "\(count) ledger entries, contiguous, from \(Text.time(facts.firstMilliseconds)) to "
        + Text.time(facts.lastMilliseconds))
  }
}

extension HeadCheck {
  /// Says whether the log is the one whose checkpoints there are: `code`-1 of now, `code`-2 of before.
  func conclude(
    _ code: String, _ place: String, isWhole: Bool, expected: UInt64, _ findings: inout Findings
  ) {
    if frontier.count != expected {
      findings.add(
        "\(code)-1", .recomputed, .tampered,
        "\(place): \(frontier.count) rows, \(expected) in the manifest")
    }
    for head in wrong {
      let (size, time) = (head.checkpoint.size, Text.time(head.checkpoint.timeMilliseconds))
      let outcome = isWhole ? Outcome.tampered : .unknown
      findings.add(
        head.isEarlier ? "\(code)-2" : "\(code)-1", .recomputed, outcome,
        "\(place): the first \(size) have not the root that was signed \(time)")
    }
    for head in longer {
      let (size, time) = (head.checkpoint.size, Text.time(head.checkpoint.timeMilliseconds))
      findings.add(
        head.isEarlier ? "\(code)-2" : "\(code)-1", .recomputed, .tampered,
        "\(place): \(size) were signed \(time), here are \(frontier.count): rolled back")
    }
    let isSigned = (right + wrong).contains {
      !$0.isEarlier && $0.checkpoint.size == frontier.count
    }
    if !isSigned {
      findings.add(
        "\(code)-1", .recomputed, .tampered, "\(place): no checkpoint of its \(frontier.count) rows"
      )
    }
  }

  /// True when nothing was wrong.
  var isRight: Bool { wrong.isEmpty && longer.isEmpty }
}
