import AuditReport
import EventModel

/// Audits that try the page: forged texts and numbers, nothing at all, very much of everything.
extension SampleModels {
  static func empty() -> ReportModel {
    var scope = scope(tenants: 0)
    scope.covered = nil
    scope.isKeyIndependent = false
    scope.earlierCheckpoint = nil
    var model = ReportModel(
      verdict: .inconclusive, scope: scope,
      ledger: LedgerContinuity(size: 0, present: [], checkpoints: [], days: [:], acts: []))
    model.checks = [
      CheckGroup(
        title: "Integrity",
        checks: [
          Check("The bundle holds something to check.", .open, .recomputed, "It is empty."),
          Check("A verifier key was brought.", .open, .recomputed, "None was."),
        ])
    ]
    model.commands = commands
    return model
  }

  static let script =
    "\"'><script>fetch('http://example.org/')</script><img src=http://example.org/x>"

  static func forged() -> ReportModel {
    var parts = SampleParts(seed: 3)
    var model = busy()
    model.verdict = .tampering
    model.ledger = parts.ledger(
      size: 2_211, days: 90, present: [1...1_403, 1_405...1_900, 1_950...2_211], wrong: 40)
    model.scope.store = script
    model.scope.records = .init(1_048_574, of: 1_048_576)
    model.scope.isKeyIndependent = false
    model.checks = checks(
      .fails, "1,048,574 of 1,048,576; the first that differs: tenant 2, position 880,112")
    model.checks.append(
      CheckGroup(
        title: script,
        checks: [
          Check(script, .fails, .recomputed, String(repeating: "very-long-", count: 500)),
          Check(
            "\u{202E}thgir morf\u{2066} \u{0007}\n\u{0000}", .noted, .stated, "\u{FEFF}\u{200B}"),
        ]))
    let most = UInt64.max
    model.classes.append(
      ClassAges(
        tenant: script, name: String(repeating: "W", count: 4_000), unit: .hour, maximum: .max,
        minimum: .max, purpose: script,
        periods: [
          .init(index: 0, expiresMilliseconds: .min, live: most, restricted: most, held: most),
          .init(index: .max, expiresMilliseconds: .max, live: most, restricted: most, held: most),
        ]))
    var act = ErasureAct(
      index: most, kind: .person, tenant: script, certificate: .wrong, level: script,
      ticket: script,
      events: most, persons: most)
    act.askedMilliseconds = .min
    act.destroyedMilliseconds = .max
    model.erasures += [act, act]
    model.keys.append(
      KeyHistory(
        name: script, use: script, state: script, createdMilliseconds: .min,
        rotations: [.max, .min],
        limitDays: .max))
    model.access = AccessTable(
      peers: [
        .init(
          name: script, purpose: script, hours: [most, most], bytes: most, exports: most,
          refused: most, lastMilliseconds: .max)
      ], range: .init(first: .max, last: .min), unloggedMax: most)
    return model
  }

  static func large() -> ReportModel {
    var parts = SampleParts(seed: 9)
    var model = busy()
    model.scope.tenants = 8_000
    let tenants = (0..<8_000).map { _ in parts.id() }
    model.classes = tenants.map {
      parts.ages(
        tenant: $0, name: "default", maximum: 90, purpose: "product", days: 20, mean: 2_000_000_000)
    }
    model.erasures = (0..<5_000).map { number in
      parts.erasure(
        UInt64(number * 3 + 1), number % 4 == 0 ? .expiry : .person, tenant: tenants[number],
        asked: Int64(parts.number(below: 700)), wait: Int64(parts.number(below: 900)))
    }
    model.keys = tenants.flatMap { keys(tenant: $0, days: 712).dropFirst().prefix(1) }
    model.findings = (0..<3_000).map { number in
      Finding(
        code: "RET-001", severity: .high, topic: .retention,
        text: "Events are older than their maximum and not held.",
        place: "tenant \(tenants[number]), class default")
    }
    model.access = AccessTable(
      peers: (0..<300).map {
        parts.peer("uid \(1_000 + $0)", "product", 0...23, most: 4_000_000_000)
      },
      range: .init(first: SampleParts.before(90), last: SampleParts.now), unloggedMax: 0)
    return model
  }
}
