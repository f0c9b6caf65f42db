import AuditReport
import EventModel
import TransparencyLog

// What the tables, the ledger and the logs give to the plots of a page.
extension AuditPage {
  /// When the bundle was made, by the daemon's clock, in milliseconds since 1970; 0 when nothing says so.
  var made: Int64 { audit.manifest?.madeMilliseconds ?? 0 }

  /// A log's tenant, as the tables have it.
  private func tenant(_ log: Int) -> (number: TenantNumber, table: Tables.Tenant)? {
    guard let logs = audit.manifest?.logs, logs.indices.contains(log - 1),
      let table = audit.tables?.tenants[logs[log - 1].tenant]
    else { return nil }
    return (logs[log - 1].tenant, table)
  }

  private func id(_ number: TenantNumber) -> String {
    audit.tables?.tenants[number]?.id ?? "number \(number.rawValue)"
  }

  /// Events by class and period, of classes that the tables have.
  var classes: [ClassAges] {
    var periods: [Place: [ClassAges.PeriodCount]] = [:]
    for (key, counts) in audit.logs.periods {
      guard let number = key.classNumber, let table = tenant(key.log)?.table,
        let found = table.classes[number]
      else { continue }
      let expires = found.policy.expiryMilliseconds(of: key.period.index, now: made)
      // Only a hold keeps what is over; it is not told which of the events.
      let isHeld = expires <= made && table.holds.contains { $0.concerns(number) }
      periods[Place(log: key.log, classNumber: number), default: []].append(
        .init(
          index: key.period.index, expiresMilliseconds: expires + Self.slackMilliseconds,
          live: isHeld ? 0 : counts.live, restricted: isHeld ? 0 : counts.restricted,
          held: isHeld ? counts.live + counts.restricted : 0))
    }
    var ages: [ClassAges] = []
    for log in 1..<((audit.manifest?.logs.count ?? 0) + 1) {
      guard let table = tenant(log)?.table else { continue }
      for (number, found) in table.classes.sorted(by: { $0.key < $1.key }) {
        let policy = found.policy
        ages.append(
          ClassAges(
            tenant: table.id, name: found.name, unit: policy.unit,
            maximum: policy.retention.periods, minimum: policy.minimumPeriods,
            purpose: found.purpose,
            periods: (periods[Place(log: log, classNumber: number)] ?? [])
              .sorted { $0.index < $1.index }))
      }
    }
    return ages
  }

  /// Expiry looks every hour; what is over for less is on its way.
  private static let slackMilliseconds: Int64 = 2 * 3_600_000

  private struct Place: Hashable {
    let log: Int
    let classNumber: UInt8
  }

  var holds: [HeldMatter] {
    let tenants = (audit.tables?.tenants ?? [:]).sorted { $0.key < $1.key }
    return tenants.flatMap { _, table in
      table.holds.sorted { $0.number < $1.number }.map { hold in
        let name = hold.classNumber.flatMap { table.classes[$0]?.name }
        return HeldMatter(
          number: hold.number, tenant: table.id,
          kind: hold.scope == "datasubject" ? "a person" : name.map { "class \($0)" } ?? hold.scope,
          reason: hold.reason, setMilliseconds: hold.setMilliseconds,
          reviewMilliseconds: hold.reviewMilliseconds, events: nil)
      }
    }
  }

  /// The acts of the ledger that erased events, each with what its certificate adds.
  var erasures: [ErasureAct] {
    let wrong = Set(rows.filter { $0.code == "CER-1" && $0.outcome == .tampered }.map(\.sentence))
    return audit.ledger.acts.sorted { $0.key < $1.key }.compactMap { index, entry in
      guard let kind = entry.act.onPage else { return nil }
      let facts = audit.certificates[index]
      let isWrong = wrong.contains { $0.contains("ledger entry \(index) ") }
      var act = ErasureAct(
        index: index, kind: kind, tenant: entry.tenant == .none ? nil : id(entry.tenant),
        certificate: facts == nil ? .missing : isWrong ? .wrong : .verified,
        level: facts?.level ?? "", ticket: String(decoding: entry.ticket, as: UTF8.self),
        events: entry.count, persons: kind == .person ? entry.subjectCount : 0)
      if entry.receivedDay > 0 { act.askedMilliseconds = Int64(entry.receivedDay) * 86_400_000 }
      act.restrictedMilliseconds = facts?.restrictedMilliseconds
      act.destroyedMilliseconds = entry.timeMilliseconds
      act.droppedMilliseconds = facts?.reclaimedMilliseconds
      return act
    }
  }

  /// The root, each tenant's keys for new events, and the signing key.
  var keys: [KeyHistory] {
    guard let manifest = audit.manifest, audit.ledger.firstMilliseconds > 0 else { return [] }
    let history = audit.ledger.history
    let born = audit.ledger.firstMilliseconds
    var keys = [
      KeyHistory(
        name: "root", use: "all keys of the store", state: "active", createdMilliseconds: born,
        rotations: history.rootMilliseconds.sorted(),
        limitDays: UInt32(RotationJudge.rootDaysDefault))
    ]
    for log in manifest.logs {
      let times = (history.tenants[log.tenant] ?? []).sorted()
      keys.append(
        KeyHistory(
          name: "tenant \(id(log.tenant))", use: "new events of a tenant", state: "active",
          createdMilliseconds: times.first ?? born, rotations: Array(times.dropFirst()),
          limitDays: nil))
    }
    keys.append(
      KeyHistory(
        name: "signing key", use: "checkpoints and certificates", state: "active",
        createdMilliseconds: born, rotations: [], limitDays: nil))
    return keys
  }
}

extension LedgerEntry.Act {
  fileprivate var onPage: ErasureAct.Kind? {
    switch self {
    case .subjectShredded: .person
    case .eventsShredded: .events
    case .streamShredded: .stream
    case .periodShredded: .period
    case .tenantShredded: .tenant
    case .periodsExpired: .expiry
    default: nil
    }
  }
}
