import EventModel
import Keyring
import Sodium

/// What is said of an incident: a summary that names nobody, and a package for each tenant.
///
/// The summary is canonical JSON of nothing but the request and what was found, so that a second run over
/// the same logs gives the same bytes.
struct IncidentReport: Sendable {
  static let schema = "lethe.incident/1"
  /// Hours that a controller has to notify (GDPR, article 33, paragraph 1).
  static let notificationHours: Int64 = 72
  /// Intervals that a summary lists; a package has them all.
  private static let listedRangesMax = 10_000

  private let survey: IncidentSurvey
  private let store: StoreID

  init(_ survey: IncidentSurvey, store: StoreID) {
    self.survey = survey
    self.store = store
  }

  private var request: IncidentRequest { survey.request }

  /// The summary as version `version`; nil: it was only looked at.
  func summary(version: UInt64?) -> [UInt8] {
    let supersedes: CanonicalJSON = version.map { $0 > 1 ? .integer($0 - 1) : .null } ?? .null
    let members: CanonicalJSON = [
      "schema": .string(Self.schema), "store": .string(store.bytes.hexadecimal),
      "incident": .string(request.hash.prefix(8).hexadecimal),
      "version": version.map { .integer($0) } ?? .null, "supersedes": supersedes,
      "window": window, "aware": Self.time(request.aware),
      "notify_until": Self.time(request.aware + Self.notificationHours * 3_600_000),
      "log": log, "exposed": .array(request.exposed.map(section)), "article_33_3": article33,
      "limits": .array(Self.limits.map { .string($0) }),
    ]
    return members.bytes
  }

  /// What is told to one tenant and nobody else; it names persons.
  func package(_ tenant: IncidentSurvey.Tenant, version: UInt64) -> [UInt8] {
    let members: CanonicalJSON = [
      "schema": "lethe.incident.package/1", "store": .string(store.bytes.hexadecimal),
      "incident": .string(request.hash.prefix(8).hexadecimal), "version": .integer(version),
      "tenant": .string(tenant.name.text), "tenant_id": .string(tenant.id.bytes.hexadecimal),
      "window": window, "aware": Self.time(request.aware),
      "exposed": .array(request.exposed.map { .string($0.rawValue) }), "log": log,
      "served": served(tenant), "positions": ranges(tenant.positions),
      "types": .array(counts(tenant.tally.types, "type")),
      "subjects": .array(counts(tenant.tally.identifiers, "datasubject")),
      "could_have": couldHave(tenant),
    ]
    return members.bytes
  }

  /// A window that the access log has is widened to whole minutes.
  private var window: CanonicalJSON {
    [
      "from": Self.time(request.from), "to": Self.time(request.through),
      "served_from": Self.time(request.fromMinute), "served_to": Self.time(request.throughMinute),
    ]
  }

  private var log: CanonicalJSON {
    [
      "complete": .bool(survey.isLogComplete && survey.brokenRunCount == 0),
      "broken_runs": .integer(UInt64(survey.brokenRunCount)),
      "unlogged_events_max": .integer(
        UInt64(survey.brokenRunCount) * Limits.unloggedEventsMax),
      "runs_known_since": survey.runsSince.map(Self.time) ?? .null,
    ]
  }

  private func section(_ exposed: ExposureClass) -> CanonicalJSON {
    var members: [CanonicalJSON.Member] = [
      .init("class", .string(exposed.rawValue)), .init("says", .string(Self.text(exposed))),
    ]
    switch exposed {
    case .storage:
      members.append(.init("events_readable", .integer(0)))
      members.append(.init("subjects_readable", .integer(0)))
      members.append(.init("root_beside_data", .bool(survey.isRootBesideData)))
      members.append(.init("root_generation", .integer(survey.epoch)))
      members.append(
        .init("suites", ["ChaCha20-Poly1305-IETF", "AES-256-GCM", "XSalsa20-Poly1305 (packages)"]))
    case .storageAndRoot, .memory:
      members.append(.init("tenants", .array(survey.tenants.map(could))))
      members.append(.init("root_generation", .integer(survey.epoch)))
      members.append(contentsOf: sums(of: survey.tenants.compactMap(\.live)))
    case .peer:
      members.append(
        .init(
          "tenants",
          .array(
            survey.tenants.filter { $0.isWithinReach || !$0.positions.isEmpty }.map { tenant in
              [
                "tenant": .string(tenant.id.bytes.hexadecimal), "served": served(tenant),
                "could_have": couldHave(tenant),
              ]
            })))
      members.append(
        .init(
          "events_served", .integer(survey.tenants.reduce(0) { $0 + $1.tally.eventCount })))
    case .operator:
      members.append(.init("events_readable", .integer(0)))
      members.append(
        .init(
          "acts",
          .array(
            survey.acts.map { act in
              [
                "act": .integer(UInt64(act.act)), "uid": .integer(UInt64(act.uid)),
                "socket": .string(String(decoding: act.socketName, as: UTF8.self)),
                "count": .integer(act.count),
              ]
            })))
    }
    return .object(members)
  }

  private func could(_ tenant: IncidentSurvey.Tenant) -> CanonicalJSON {
    [
      "tenant": .string(tenant.id.bytes.hexadecimal),
      "events": .integer(tenant.live?.eventCount ?? 0),
      "subjects": .integer(UInt64(tenant.live?.persons.count ?? 0)),
      "events_erased_or_expired": .integer(tenant.live?.goneCount ?? 0),
    ]
  }

  private func couldHave(_ tenant: IncidentSurvey.Tenant) -> CanonicalJSON {
    guard tenant.isWithinReach, let live = tenant.live else {
      return ["events": .integer(0), "subjects": .integer(0)]
    }
    return [
      "events": .integer(live.eventCount), "subjects": .integer(UInt64(live.persons.count)),
    ]
  }

  private func sums(of live: [LiveTally]) -> [CanonicalJSON.Member] {
    [
      .init("events_readable", .integer(live.reduce(0) { $0 + $1.eventCount })),
      .init("subjects_readable", .integer(live.reduce(0) { $0 + UInt64($1.persons.count) })),
      .init("events_erased_or_expired", .integer(live.reduce(0) { $0 + $1.goneCount })),
    ]
  }
}

extension IncidentReport {
  private func served(_ tenant: IncidentSurvey.Tenant) -> CanonicalJSON {
    let tally = tenant.tally
    let isStrict = tenant.settings.isStrict && tenant.settings.strictMilliseconds <= request.from
    let unlogged = isStrict ? 0 : UInt64(survey.brokenRunCount) * Limits.unloggedEventsMax
    let isListed = tenant.positions.count <= Self.listedRangesMax
    return [
      "events": .integer(tally.eventCount), "subjects": .integer(UInt64(tally.persons.count)),
      "types": .integer(UInt64(tally.types.count)),
      "classes": .array(
        tally.classes.sorted { $0.key.rawValue < $1.key.rawValue }.map { number, count in
          [
            "class": .string(
              String(decoding: tenant.classNames[number] ?? [], as: UTF8.self)),
            "events": .integer(count),
          ]
        }),
      "events_live": .integer(tally.liveCount), "events_erased_since": .integer(tally.erasedCount),
      "events_expired_since": .integer(tally.expiredCount),
      "exports": .integer(tenant.exportCount), "events_exported": .integer(tenant.exportedEvents),
      "intervals": .integer(UInt64(tenant.positions.count)),
      "positions": isListed ? ranges(tenant.positions) : .null,
      "unlogged_events_max": .integer(unlogged), "strict": .bool(isStrict),
      "peers": .array(tenant.served.map(peer)),
    ]
  }

  private func peer(_ served: IncidentSurvey.Served) -> CanonicalJSON {
    [
      "uid": .integer(UInt64(served.peer.uid)),
      "socket": .string(String(decoding: served.peer.socketName, as: UTF8.self)),
      "connections": .integer(UInt64(served.connections.count)),
      "replies": .integer(served.replyCount), "events": .integer(served.eventCount),
      "bytes": .integer(served.byteCount), "first": Self.time(served.first),
      "last": Self.time(served.last),
      "purposes": .array(
        served.purposes.map { String(decoding: $0, as: UTF8.self) }.sorted().map { .string($0) }),
      "verbs": .array(
        served.verbs.sorted { $0.key.rawValue < $1.key.rawValue }.map { verb, count in
          ["verb": .string(verb.text), "events": .integer(count)]
        }),
    ]
  }

  private func ranges(_ positions: [ClosedRange<UInt64>]) -> CanonicalJSON {
    .array(positions.map { [.integer($0.lowerBound), .integer($0.upperBound)] })
  }

  private func counts(_ counts: [[UInt8]: UInt64], _ name: String) -> [CanonicalJSON] {
    counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { text, count in
      [name: .string(String(decoding: text, as: UTF8.self)), "events": .integer(count)]
    }
  }

  /// What a controller must say (GDPR, article 33, paragraph 3), as far as a store knows; null: a person does.
  private var article33: CanonicalJSON {
    let served = survey.tenants.map(\.tally)
    let live = survey.tenants.compactMap(\.live)
    let persons = max(
      served.reduce(0) { $0 + $1.persons.count }, live.reduce(0) { $0 + $1.persons.count })
    let events = max(
      served.reduce(0) { $0 + $1.eventCount }, live.reduce(0) { $0 + $1.eventCount })
    return [
      "a_nature": .array(request.exposed.map { .string(Self.text($0)) }),
      "a_subjects_at_most": .integer(UInt64(persons)),
      "a_records_at_most": .integer(events), "a_categories_of_subjects": .null,
      "b_contact": .null, "c_likely_consequences": .null,
      "d_measures_taken_or_proposed": .array(Self.measures.map { .string($0) }),
    ]
  }

  private static func time(_ milliseconds: Int64) -> CanonicalJSON {
    .string(Timestamp.text(milliseconds))
  }

  private static func text(_ exposed: ExposureClass) -> String {
    switch exposed {
    case .storage:
      "The files or a backup, without the root: ciphertext, counts, sizes and order; nothing readable "
        + "as long as the root of that time does not follow."
    case .storageAndRoot:
      "The files and their root: every event that was live, and none that was erased or expired before, "
        + "whatever copy of the files is used."
    case .peer:
      "A peer's account: what it was given, by the access log, and what it could have asked for, by the "
        + "access file of today."
    case .operator:
      "An administrator's account: no event can be read with it; what was done with it is in the ledger."
    case .memory:
      "The daemon's memory: at most every event that was live."
    }
  }

  private static let measures = [
    "take the peer out of the access file and reload it",
    "replace the root (KEY ROTATE ROOT), so that older copies of the keyring open no more",
    "send each tenant its package, and tell the persons where Art. 34 asks for it",
  ]

  private static let limits = [
    "A person counts once for each retention class that events of the window were in.",
    "Lines of the access log are of whole minutes: the window is widened to them.",
    "Rights are those of the access file of today, those by group counted as if everybody had them.",
    "What left by other ways than the daemon's replies is not in the access log.",
    "A tenant that was shredded since took its access log along.",
  ]
}
