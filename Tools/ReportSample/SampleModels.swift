import AuditReport
import EventModel

/// The made-up audits themselves.
enum SampleModels {
  static func scope(tenants: Int) -> ReportScope {
    var scope = ReportScope(
      store: SampleParts.store, takenMilliseconds: SampleParts.now,
      manifestHash: SampleParts.manifest, tool: "lethe-audit 0.1.0", tenants: tenants,
      verifierKey: SampleParts.key, isKeyIndependent: true)
    scope.covered = .init(first: SampleParts.before(712), last: SampleParts.before(0, hours: 1))
    scope.earlierCheckpoint =
      "ledger size 1,870 of 2026-08-24 17:00 UTC; consistent with today\u{2019}s"
    return scope
  }

  static let commands = [
    ReportCommand(
      line: "lethe-audit verify q4 --vkey acme.vkey --from q3/checkpoints/ledger.note",
      purpose: "hashes every record again; checks signatures, proofs and the ledger"),
    ReportCommand(
      line:
        "lethe-audit report q4 --vkey acme.vkey --from q3/checkpoints/ledger.note --html report.html",
      purpose: "writes this report"),
    ReportCommand(
      line: "sha256sum q4/MANIFEST.json",
      purpose: "shows that it is the same bundle (manifest above)"),
  ]

  static func checks(_ integrity: Outcome, _ detail: String) -> [CheckGroup] {
    [
      CheckGroup(
        title: "Integrity",
        checks: [
          Check(
            "Every file of the manifest is there and has its hash.", .holds, .recomputed,
            "214 files"),
          Check(
            "Every record has the hash that its log\u{2019}s tree has.", integrity, .recomputed,
            detail),
          Check(
            "The ledger\u{2019}s entries are numbered without gaps.", .holds, .recomputed,
            "1 to 2,211"),
          Check(
            "The ledger continues the earlier checkpoint.", .holds, .recomputed, "1,870 to 2,211"),
        ]),
      CheckGroup(
        title: "Cryptographic erase (NIST SP 800-88)",
        checks: [
          Check(
            "Data was encrypted before it was first stored.", .holds, .recomputed, "ledger entry 1"),
          Check(
            "Samples open before the act and not after it.", .holds, .stated,
            "32 of 32 before, 0 of 32 after"),
          Check(
            "No copy of the root is elsewhere.", .noted, .attested, "uid 1001, ledger entry 2,187"),
          Check(
            "The modules are validated under FIPS 140.", .noted, .stated, "no: libsodium is not"),
        ]),
    ]
  }

  static func clean() -> ReportModel {
    var parts = SampleParts(seed: 7)
    let tenant = parts.id()
    var model = ReportModel(
      verdict: .pass, scope: scope(tenants: 1),
      ledger: parts.ledger(size: 38, days: 20, present: [1...38]))
    model.scope.records = .init(4_812, of: 4_812)
    model.scope.ledgerEntries = .init(38, of: 38)
    model.scope.signatures = .init(20, of: 20)
    model.scope.earlierCheckpoint = nil
    model.checks = checks(.holds, "4,812 of 4,812")
    model.classes = [
      parts.ages(
        tenant: tenant, name: "default", maximum: 30, purpose: "product", days: 20, mean: 240)
    ]
    model.keys = keys(tenant: tenant, days: 20)
    model.commands = commands
    return model
  }

  static func keys(tenant: String, days: Int64) -> [KeyHistory] {
    [
      KeyHistory(
        name: "root", use: "all keys", state: "active",
        createdMilliseconds: SampleParts.before(days),
        rotations: stride(from: days - 1, to: 0, by: -max(1, Int(days / 40))).map {
          SampleParts.before(Int64($0))
        },
        limitDays: 90),
      KeyHistory(
        name: "tenant \(tenant)", use: "a tenant\u{2019}s new events", state: "active",
        createdMilliseconds: SampleParts.before(days), rotations: [], limitDays: 365),
      KeyHistory(
        name: "signing key", use: "checkpoints and certificates", state: "active",
        createdMilliseconds: SampleParts.before(days), rotations: [], limitDays: nil),
    ]
  }

  static func busy() -> ReportModel {
    var parts = SampleParts(seed: 1)
    let (acme, bolt) = (parts.id(), parts.id())
    var model = ReportModel(
      verdict: .findings, scope: scope(tenants: 2),
      ledger: parts.ledger(size: 2_211, days: 712, present: [1...2_211]))
    model.scope.records = .init(1_048_576, of: 1_048_576)
    model.scope.ledgerEntries = .init(2_211, of: 2_211)
    model.scope.signatures = .init(712, of: 712)
    model.checks = checks(.holds, "1,048,576 of 1,048,576")
    model.classes = [
      parts.ages(
        tenant: acme, name: "analytics", maximum: 395, purpose: "product", days: 402, mean: 1_700,
        restricted: 40),
      parts.ages(
        tenant: acme, name: "invoice", maximum: 3_652, minimum: 2_192, purpose: "tax", days: 712,
        mean: 130),
      parts.ages(
        tenant: bolt, name: "support", maximum: 180, purpose: "support", days: 240, mean: 90,
        heldBefore: 179),
      parts.ages(tenant: acme, name: "default", maximum: 90, purpose: "", days: 90, mean: 900),
      parts.ages(
        tenant: bolt, name: "default", maximum: 30, minimum: 7, purpose: "security", days: 30,
        mean: 2_200),
    ]
    model.holds = [
      HeldMatter(
        number: 7, tenant: bolt, kind: "class support", reason: "litigation",
        setMilliseconds: SampleParts.before(300), reviewMilliseconds: SampleParts.before(35),
        events: 741)
    ]
    model.erasures = erasures(acme, bolt, &parts)
    model.keys =
      keys(tenant: acme, days: 712) + [
        KeyHistory(
          name: "tenant \(bolt)", use: "a tenant\u{2019}s new events", state: "active",
          createdMilliseconds: SampleParts.before(650),
          rotations: [SampleParts.before(402), SampleParts.before(101)], limitDays: 365)
      ]
    model.access = AccessTable(
      peers: [
        parts.peer("uid 1201", "product", 6...19, most: 48_000),
        parts.peer("web-7.sock", "product", 0...23, most: 9_000),
        parts.peer("uid 1310 (backoffice)", "support", 8...17, most: 700),
        parts.peer("uid 1407", "unstated", 2...3, most: 310_000),
      ], range: .init(first: SampleParts.before(90), last: SampleParts.now), unloggedMax: 256)
    model.findings = findings(acme)
    model.limits = ["What backups that were not made by lethed contain."]
    model.commands = commands
    return model
  }

  private static func erasures(
    _ acme: String, _ bolt: String, _ parts: inout SampleParts
  ) -> [ErasureAct] {
    var acts: [ErasureAct] = []
    let waits: [Int64?] = [72, 74, 80, 97, 72, 240, 72, 33 * 24 + 7, 90, nil, 72, 4]
    for (number, wait) in waits.enumerated() {
      let kind: ErasureAct.Kind = number == 11 ? .events : number == 6 ? .stream : .person
      acts.append(
        parts.erasure(
          UInt64(1_870 + number * 23), kind, tenant: number % 3 == 0 ? bolt : acme,
          asked: wait == nil ? 2 : Int64(88 - number * 7), wait: wait,
          certificate: wait == nil ? .none : number == 5 ? .missing : .verified))
    }
    for number in 0..<8 {
      acts.append(
        parts.erasure(
          UInt64(1_900 + number * 31), .expiry, tenant: nil, asked: Int64(80 - number * 9), wait: 1)
      )
    }
    return acts
  }

  private static func findings(_ acme: String) -> [Finding] {
    [
      Finding(
        code: "RET-002", severity: .low, topic: .holds, text: "A hold\u{2019}s review is overdue.",
        place: "hold 7", sinceMilliseconds: SampleParts.before(35)),
      Finding(
        code: "RET-001", severity: .high, topic: .retention,
        text: "Events are older than their maximum and not held.",
        place: "tenant \(acme), class analytics", sinceMilliseconds: SampleParts.before(6)),
      Finding(
        code: "ERA-003", severity: .high, topic: .erasure,
        text: "An erasure took more than 31 days.", place: "ledger entry 2,031"),
      Finding(
        code: "ERA-001", severity: .medium, topic: .erasure, text: "An erasure has no certificate.",
        place: "ledger entry 1,985"),
      Finding(
        code: "KEY-001", severity: .medium, topic: .keys, text: "A key is older than it may be.",
        place: "tenant \(acme)", sinceMilliseconds: SampleParts.before(347)),
    ]
  }
}
