import Client
import RESP

/// Reads events back and holds each against the model.
struct Verifier {
  let plan: Plan
  let draws: Plan.Draws
  let path: String
  let timeoutMilliseconds: UInt64 = 60_000

  init(_ plan: Plan, path: String) {
    self.plan = plan
    self.path = path
    draws = Plan.Draws(plan)
  }

  private static let pageEvents = 1_000

  /// How many events of each lane the store has, of a tenant whose feed is read as a whole.
  ///
  /// Positions must be dense, and each lane's events in order and without gaps.
  func readAll(tenant: Int) throws(HammerError) -> [Int: UInt64] {
    let connection = try connect(tenant)
    var counts: [Int: UInt64] = [:]
    var position: UInt64 = 0
    while true {
      let page = try range(connection, from: position + 1, count: Self.pageEvents)
      for event in page {
        position += 1
        let place = try check(event, tenant: tenant, position: position)
        guard place.number == counts[place.lane, default: 0] else {
          throw .wrong("tenant \(tenant), position \(position): event out of order")
        }
        counts[place.lane, default: 0] += 1
      }
      if page.isEmpty { return counts }
    }
  }

  /// Checks one window of a tenant's feed: at `from`, and at its end.
  func readSample(tenant: Int, from: UInt64, last: UInt64) throws(HammerError) -> Int {
    let connection = try connect(tenant)
    var count = 0
    for start in [from, last > 100 ? last - 99 : 1] where start <= last {
      let page = try range(connection, from: start, count: 100)
      guard UInt64(page.count) == min(100, last - start + 1) else {
        throw .wrong("tenant \(tenant): \(page.count) events from \(start) on, of \(last)")
      }
      for (index, event) in page.enumerated() {
        _ = try check(event, tenant: tenant, position: start + UInt64(index))
      }
      count += page.count
    }
    return count
  }

  /// The tenant's newest position.
  func lastPosition(tenant: Int) throws(HammerError) -> UInt64 {
    let reply = try call(try connect(tenant), Request("EVENT.COUNT"))
    guard let count = reply.integer else { throw .wrong("EVENT.COUNT: \(reply)") }
    return UInt64(clamping: count)
  }
}

extension Verifier {
  func connect(_ tenant: Int) throws(HammerError) -> Connection {
    do {
      return try Connection(
        path: path, tenant: Plan.name(ofTenant: tenant), timeoutMilliseconds: timeoutMilliseconds)
    } catch {
      throw .gone("tenant \(tenant): \(error)")
    }
  }

  func call(_ connection: Connection, _ request: Request) throws(HammerError) -> Reply {
    do { return try connection.call(request) } catch {
      if case .refused = error { throw .wrong("\(error)") }
      throw .gone("\(error)")
    }
  }

  private func range(
    _ connection: Connection, from: UInt64, count: Int
  ) throws(HammerError) -> [Reply] {
    let reply = try call(
      connection, Request("EVENT.RANGE", "*", "\(from)", "+", "COUNT", "\(count)"))
    guard let items = reply.items else { throw .wrong("EVENT.RANGE: no list") }
    return items
  }

  /// Checks all that an event says; returns which one it is.
  func check(
    _ event: Reply, tenant: Int, position: UInt64?
  ) throws(HammerError) -> (lane: Int, number: UInt64) {
    guard case .bulk(let data)? = event["data"], let place = Plan.place(in: data),
      place.lane < plan.lanes, plan.tenant(ofLane: place.lane) == tenant
    else { throw .wrong("tenant \(tenant), position \(position ?? 0): not an event of the plan") }
    let expected = plan.event(place.number, ofLane: place.lane, draws)
    var payload: [UInt8] = []
    plan.payload(place.number, ofLane: place.lane, into: &payload)
    let isRight =
      payload == data && event["type"]?.text == "hammer"
      && event["stream"]?.text == Plan.stream(expected.stream, ofLane: place.lane)
      && event["datasubject"]?.text == Plan.person(expected.person)
      && (!plan.hasIDs || event["id"]?.text == Plan.id(place.number, ofLane: place.lane))
      && (position == nil || event["position"]?.integer == position.map(Int64.init))
    guard isRight else {
      throw .wrong("tenant \(tenant), position \(position ?? 0): another event than was sent")
    }
    return place
  }
}
