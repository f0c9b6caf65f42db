import EventModel

/// What the daemon states of policies, holds and keys.
struct Tables: Sendable {
  struct Class: Sendable {
    let name: String
    let purpose: String
    let policy: RetentionPolicy
  }

  struct Hold: Sendable {
    let number: UInt64
    /// `datasubject`, `stream`, `class` or `tenant`.
    let scope: String
    let classNumber: UInt8?
    let reason: String
    let setMilliseconds: Int64
    let reviewMilliseconds: Int64

    /// True when events of a class may be under it.
    func concerns(_ number: UInt8) -> Bool { classNumber.map { $0 == number } ?? true }
  }

  struct Tenant: Sendable {
    let id: String
    let generation: UInt64
    let isSuspended: Bool
    let createdMilliseconds: Int64
    let classes: [UInt8: Class]
    let holds: [Hold]
  }

  /// A holder of the root.
  struct Holder: Sendable {
    let kind: String
    let isPresent: Bool
    let weakness: String?
    let isBesideData: Bool
  }

  let tenants: [TenantNumber: Tenant]
  let epoch: UInt64
  let isErasurePending: Bool
  let holders: [Holder]

  /// Reads the tables; nil when they are none.
  init?(_ bytes: [UInt8]) {
    guard let json = try? JSONParser.parse(bytes), json["schema"]?.string == "lethe.tables/1",
      let items = json["tenants"]?.items, let root = json["root"],
      let epoch = root["epoch"]?.integer, let erasure = root["erasure"]?.string,
      let holders = root["holders"]?.items
    else { return nil }
    var tenants: [TenantNumber: Tenant] = [:]
    for item in items {
      guard let number = item["tenant"]?.integer.flatMap({ UInt32(exactly: $0) }),
        let tenant = Self.tenant(item)
      else { return nil }
      tenants[TenantNumber(rawValue: number)] = tenant
    }
    var found: [Holder] = []
    for item in holders {
      guard let kind = item["kind"]?.string, case .boolean(let isPresent) = item["present"],
        case .boolean(let isBesideData) = item["beside_data"]
      else { return nil }
      found.append(
        Holder(
          kind: kind, isPresent: isPresent, weakness: item["weakness"]?.string,
          isBesideData: isBesideData))
    }
    self.tenants = tenants
    self.epoch = epoch
    isErasurePending = erasure == "pending"
    self.holders = found
  }

  private static func tenant(_ json: JSONValue) -> Tenant? {
    guard let id = json["id"]?.string, let generation = json["generation"]?.integer,
      let state = json["state"]?.string, let created = json["created"]?.milliseconds,
      let classes = json["classes"]?.items, let holds = json["holds"]?.items
    else { return nil }
    var found: [UInt8: Class] = [:]
    for item in classes {
      guard let number = item["class"]?.integer.flatMap({ UInt8(exactly: $0) }),
        let name = item["name"]?.string, let purpose = item["purpose"]?.string,
        let policy = policy(item)
      else { return nil }
      found[number] = Class(name: name, purpose: purpose, policy: policy)
    }
    var held: [Hold] = []
    for item in holds {
      guard let hold = hold(item) else { return nil }
      held.append(hold)
    }
    return Tenant(
      id: id, generation: generation, isSuspended: state == "suspended",
      createdMilliseconds: created, classes: found, holds: held)
  }

  private static func policy(_ json: JSONValue) -> RetentionPolicy? {
    guard let unit = json["unit"]?.string, unit == "day" || unit == "hour",
      let items = json["maximum"]?.items,
      let minimum = json["minimum"]?.integer.flatMap({ UInt32(exactly: $0) })
    else { return nil }
    var steps: [RetentionPolicy.Step] = []
    for item in items {
      guard let from = item["from"]?.integer.flatMap({ UInt32(exactly: $0) }),
        let periods = item["periods"]?.integer.flatMap({ UInt32(exactly: $0) })
      else { return nil }
      steps.append(RetentionPolicy.Step(from: from, periods: periods))
    }
    var shortening: RetentionPolicy.Shortening?
    if let found = json["shortening"], found != .null {
      guard let periods = found["periods"]?.integer.flatMap({ UInt32(exactly: $0) }),
        let inForce = found["in_force"]?.integer
      else { return nil }
      shortening = RetentionPolicy.Shortening(
        periods: periods, inForceMilliseconds: Int64(inForce))
    }
    return RetentionPolicy(
      unit: unit == "day" ? .day : .hour, steps: steps, shortening: shortening,
      minimumPeriods: minimum, purpose: [],
      mode: json["mode"]?.string == "compliance" ? .compliance : .governance,
      onRequest: json["onrequest"]?.string == "restrict" ? .restrict : .erase)
  }

  private static func hold(_ json: JSONValue) -> Hold? {
    guard let number = json["hold"]?.integer, let scope = json["scope"]?.string,
      let reason = json["reason"]?.string, let set = json["set"]?.milliseconds,
      let review = json["review"]?.string,
      let day = Timestamp.milliseconds(Array("\(review)T00:00:00Z".utf8).span)
    else { return nil }
    return Hold(
      number: number, scope: scope,
      classNumber: json["class"]?.integer.flatMap { UInt8(exactly: $0) }, reason: reason,
      setMilliseconds: set, reviewMilliseconds: day)
  }
}
