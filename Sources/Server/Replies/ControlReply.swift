import EventModel
import EventStore
import Keyring
import RESP

/// The shape in which a control act's answer is given.
enum ControlShape: Sendable {
  case done
  /// The list, without the tenants for which the peer has none of the roles.
  case tenants(RoleSet)
  case tenant
  case plan
  case receipt
  case keyStatus
  case rotated
  case retention
  /// Only those of tenants for which the peer has one of the roles; without a tenant, for all.
  case certificates(RoleSet)
  case copies
  /// As the answer itself says.
  case asAnswered
}

/// What the control plane answers.
enum ControlReply {
  static func append(
    _ result: Result<ControlAnswer, StoreError>, _ shape: ControlShape,
    _ state: ConnectionState, to bytes: inout [UInt8]
  ) {
    let encoder = state.encoder
    switch (result, shape) {
    case (.failure(let error), _): encoder.error(CommandError(error).line, to: &bytes)
    case (.success(.done), _): encoder.simple("OK", to: &bytes)
    case (.success(.tenants(let tenants)), .tenants(let roles)):
      let visible = tenants.filter {
        !state.rights.roles(for: $0.name).isDisjoint(with: roles)
      }
      encoder.array(visible.count, to: &bytes)
      for tenant in visible { append(tenant, encoder, to: &bytes) }
    case (.success(.tenants), _): encoder.array(0, to: &bytes)
    case (.success(.tenant(let tenant)), _): append(tenant, encoder, to: &bytes)
    case (.success(.plan(let plan)), _): append(plan, encoder, to: &bytes)
    case (.success(.shredded(let receipt)), _): append(receipt, encoder, to: &bytes)
    case (.success(.planned(let plan)), _): append(plan, encoder, to: &bytes)
    case (.success(.plans(let plans)), _):
      encoder.array(plans.count, to: &bytes)
      for plan in plans { append(plan, encoder, to: &bytes) }
    case (.success(.keyStatus(let status)), _): append(status, encoder, to: &bytes)
    case (.success(.tenantKeyStatus(let status, let now)), _):
      append(status, now: now, encoder, to: &bytes)
    case (.success(.rotated(let rotation)), _): append(rotation, encoder, to: &bytes)
    case (.success(.hold(let answer)), _): append(answer, encoder, to: &bytes)
    case (.success(.bundle(let answer)), _): append(answer, encoder, to: &bytes)
    case (.success(.evidence(let answer)), _): append(answer, encoder, to: &bytes)
    case (.success(.grant(let grant)), _): append(grant, encoder, to: &bytes)
    case (.success(.grants(let grants)), _):
      encoder.array(grants.count, to: &bytes)
      for grant in grants { append(grant, encoder, to: &bytes) }
    case (.success(.retention(let answer)), _): append(answer, encoder, to: &bytes)
    case (.success(.certificates(let found)), .certificates(let roles)):
      append(found.filter { isVisible($0, state.rights, roles) }, encoder, to: &bytes)
    case (.success(.certificate(let found)), .certificates(let roles)):
      append(found, isVisible(found.summary, state.rights, roles), encoder, to: &bytes)
    case (.success(.copies(let found)), _): append(found, encoder, to: &bytes)
    case (.success(.certificates), _), (.success(.certificate), _):
      encoder.error(CommandError.noCertificate.line, to: &bytes)
    case (.success(.clock(let status)), _): append(status, encoder, to: &bytes)
    case (.success(.expiry(let report)), _): append(report, encoder, to: &bytes)
    case (.success(.accessPage(let page)), _): append(page, encoder, to: &bytes)
    case (.success(.incident(let found)), _): append(found, state, to: &bytes)
    case (.success(.incidentPackage(let part)), _): encoder.bulk(part.span, to: &bytes)
    case (.success(.retentionStatus(let status)), _): append(status, encoder, to: &bytes)
    }
  }

  private static func append(
    _ tenant: TenantDetail, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    var map = MapReply(encoder: encoder)
    map.add("name", tenant.name.text)
    map.add("state", tenant.isSuspended ? "suspended" : "active")
    map.add("created", Timestamp.text(tenant.createdMilliseconds))
    map.add("retention", tenant.retention.text)
    map.add("position", tenant.lastPosition)
    map.add("impersonal", tenant.impersonalCount)
    map.add("ids", tenant.demandsIDs ? "required" : "optional")
    if let grace = tenant.grace {
      map.add(
        "grace",
        PlanKind.allCases.filter { grace.milliseconds($0) > 0 }.map {
          "\($0.word)=\(hours(grace.milliseconds($0)))"
        })
    }
    if let count = tenant.holdCount { map.add("holds", count) }
    if let isStrict = tenant.isStrict { map.add("strict", isStrict ? "on" : "off") }
    if let days = tenant.accessDays { map.add("access-log", "\(days)d") }
    if let isNeeded = tenant.needsExportApproval {
      map.add("export-approval", isNeeded ? "required" : "optional")
    }
    map.append(to: &bytes)
  }

  /// A grace as it is set: `7d` or `36h`.
  private static func hours(_ milliseconds: Int64) -> String {
    let hours = milliseconds / 3_600_000
    return hours % 24 == 0 ? "\(hours / 24)d" : "\(hours)h"
  }

  private static func append(
    _ plan: ShredPlan, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    var map = MapReply(encoder: encoder)
    add(plan, to: &map)
    map.add("approval", plan.needsApproval ? "needed" : "not-needed")
    map.add("destroyed", plan.dueMilliseconds.map(Timestamp.text) ?? "at once")
    map.add("confirm", plan.token)
    map.append(to: &bytes)
  }

  static func add(_ plan: ShredPlan, to map: inout MapReply) {
    map.add("subjects", plan.subjectCount)
    map.add("events", plan.eventCount)
    map.add("events-naming-others", plan.sharedEventCount)
    map.add("events-impersonal", plan.impersonalEventCount)
    map.add("events-erased-before", plan.erasedEventCount)
    addWhatStays(of: plan, to: &map)
    map.add("streams", plan.ownStreamCount)
    map.add("streams-naming-others", plan.sharedStreamCount)
    map.add("keys", plan.keyCount)
  }

  /// What a minimum keeps, restricted.
  static func addWhatStays(of plan: ShredPlan, to map: inout MapReply) {
    map.add("events-held", plan.heldEventCount)
    map.add("events-restricted", plan.restrictedEventCount)
    guard plan.restrictedUntilDay > 0 else { return }
    map.add("restricted-until", Timestamp.dayText(Int64(plan.restrictedUntilDay)))
  }
}

/// Collects the pairs of a map, so that their number is known before they are written.
struct MapReply {
  private let encoder: ReplyEncoder
  private var count = 0
  private var bytes: [UInt8] = []

  init(encoder: ReplyEncoder) { self.encoder = encoder }

  mutating func add(_ name: String, _ text: String) {
    begin(name)
    encoder.bulk(text, to: &bytes)
  }

  mutating func add(_ name: String, _ number: UInt64) {
    begin(name)
    encoder.integer(number, to: &bytes)
  }

  mutating func add(_ name: String, isTrue: Bool) {
    begin(name)
    encoder.boolean(isTrue, to: &bytes)
  }

  mutating func add(_ name: String, _ texts: [String]) {
    begin(name)
    encoder.array(texts.count, to: &bytes)
    for text in texts { encoder.bulk(text, to: &bytes) }
  }

  mutating func add(_ name: String, maps: [MapReply]) {
    begin(name)
    encoder.array(maps.count, to: &bytes)
    for map in maps { map.append(to: &bytes) }
  }

  /// A time, or null.
  mutating func add(_ name: String, time milliseconds: Int64?) {
    begin(name)
    if let milliseconds {
      encoder.bulk(Timestamp.text(milliseconds), to: &bytes)
    } else {
      encoder.null(to: &bytes)
    }
  }

  private mutating func begin(_ name: String) {
    encoder.bulk(name, to: &bytes)
    count += 1
  }

  func append(to reply: inout [UInt8]) {
    encoder.map(count, to: &reply)
    reply += bytes
  }
}
