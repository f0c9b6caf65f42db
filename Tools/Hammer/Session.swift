import CLinux
import Client
import Glibc
import RESP

/// One use of the hammer: makes tenants, finds out where it stands, appends, verifies.
struct Session {
  var plan: Plan
  let path: String
  var adminPath: String?
  var pipeline = 16
  var workers = 2
  var events = 100_000
  var process: Int?
  var state: StateFile?
  var verifiesAll = false
  var intervalSeconds = 5

  /// Creates the tenants that are missing.
  func makeTenants() throws(HammerError) {
    guard let adminPath else { return }
    let admin: Connection
    do {
      admin = try Connection(path: adminPath, tenant: nil, timeoutMilliseconds: 60_000)
      var made = 0
      for first in stride(from: 0, to: plan.tenants, by: 100) {
        let batch = first..<min(first + 100, plan.tenants)
        for tenant in batch {
          try admin.send(
            Request("TENANT", "CREATE", Plan.name(ofTenant: tenant), "RETENTION", "365d"))
        }
        for _ in batch {
          let reply = try admin.receive()
          if case .error(let text) = reply {
            guard text.hasPrefix("TENANTEXISTS") else { throw HammerError.wrong(text) }
          } else {
            made += 1
          }
        }
      }
      if made > 0 { print("\(made) tenants made") }
    } catch let error as HammerError {
      throw error
    } catch {
      throw .gone("admin: \(error)")
    }
  }

  /// Where each lane stands: what the state says was acknowledged must be there, what is there
  /// beyond it (sent when the hammer or the daemon was killed) must be of the plan.
  func findPlace() throws(HammerError) -> [UInt64] {
    var lanes = [UInt64](repeating: 0, count: plan.lanes)
    guard let acknowledged = try state?.load(plan) else { return lanes }
    let verifier = Verifier(plan, path: path)
    for tenant in 0..<plan.tenants {
      if plan.lanesPerTenant == 1 {
        lanes[tenant] = try verifier.lastPosition(tenant: tenant)
        // All that nobody was told of yet.
        let from = max(1, min(acknowledged[tenant], lanes[tenant]))
        if lanes[tenant] > 0 {
          _ = try verifier.readSample(tenant: tenant, from: from, last: lanes[tenant])
        }
      } else {
        for (lane, count) in try verifier.readAll(tenant: tenant) { lanes[lane] = count }
      }
    }
    for lane in lanes.indices where lanes[lane] < acknowledged[lane] {
      throw .wrong("lane \(lane): \(lanes[lane]) events of \(acknowledged[lane]) acknowledged")
    }
    let found = lanes.reduce(0, +)
    print(
      "resumed: \(acknowledged.reduce(0, +)) acknowledged events are there, and "
        + "\(found - acknowledged.reduce(0, +)) more")
    return lanes
  }

  /// Lanes as they stand after so many events each.
  func makeLanes(_ counts: [UInt64]) -> [Lane?] {
    let draws = Plan.Draws(plan)
    return counts.indices.map { number in
      var lane = Lane(number, acknowledged: counts[number], streams: plan.streamsPerLane)
      for event in 0..<counts[number] {
        lane.versions[plan.event(event, ofLane: number, draws).stream] += 1
      }
      return lane
    }
  }

  /// Verifies all events, or up to 200 tenants' windows.
  func verify(_ counts: [UInt64]) throws(HammerError) {
    let verifier = Verifier(plan, path: path)
    let start = linux_monotonic_nanoseconds()
    var read: UInt64 = 0
    if verifiesAll {
      for tenant in 0..<plan.tenants {
        let found = try verifier.readAll(tenant: tenant)
        for lane in plan.lanes(ofTenant: tenant) where found[lane, default: 0] != counts[lane] {
          throw .wrong("lane \(lane): \(found[lane, default: 0]) events, not \(counts[lane])")
        }
        read += found.values.reduce(0, +)
      }
    } else {
      var random = SplitMix(plan.seed ^ start)
      for index in 0..<min(plan.tenants, 200) {
        let tenant = plan.tenants <= 200 ? index : random.below(plan.tenants)
        let last = plan.lanes(ofTenant: tenant).reduce(0) { $0 + counts[$1] }
        guard try verifier.lastPosition(tenant: tenant) == last else {
          throw .wrong("tenant \(tenant): not \(last) events")
        }
        guard last > 0 else { continue }
        read += UInt64(
          try verifier.readSample(
            tenant: tenant, from: 1 + UInt64(random.below(Int(last))), last: last))
      }
    }
    let took = Double(linux_monotonic_nanoseconds() - start) / 1e9
    print("verified: \(read) events read back in \(Int(took * 10)) tenths of a second; all right")
  }
}
