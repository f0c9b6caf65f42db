import EventModel
import Sodium
import Synchronization

/// What a plan would destroy.
enum PlanTarget: Hashable, Sendable {
  /// The person by the tag of their suppression mark, so that the book holds no identifier.
  case subject(TenantNumber, Tag128)
  case tenant(TenantNumber)
  /// Events by a hash of their positions.
  case events(TenantNumber, [UInt8])
  case stream(TenantNumber, Tag128)
  case period(TenantNumber, className: [UInt8], day: UInt32)
}

/// The dry runs that wait for their confirmation; in memory only, gone with the daemon.
final class PlanBook: Sendable {
  struct Entry: Sendable {
    let target: PlanTarget
    let plan: ShredPlan
    let uid: UInt32
    let madeMilliseconds: Int64
  }

  private let entries = Mutex<[String: Entry]>([:])

  /// Bytes of a token before it is written in hexadecimal.
  static let tokenBytes = 16

  static func newToken() -> String {
    Random.bytes(tokenBytes).map { byte in
      let text = String(byte, radix: 16)
      return text.count == 1 ? "0" + text : text
    }.joined()
  }

  /// Notes a plan; throws `.tooManyPlans` when too many wait.
  func add(_ entry: Entry, now: Int64) throws(StoreError) {
    let isFull = entries.withLock { entries in
      entries = entries.filter { now - $0.value.madeMilliseconds < Limits.planMilliseconds }
      guard entries.count < Limits.plansMax else { return true }
      entries[entry.plan.token] = entry
      return false
    }
    if isFull { throw .tooManyPlans }
  }

  /// The plan of this token, if it is for this target and not too old.
  func find(
    _ token: [UInt8], target: PlanTarget, now: Int64
  ) throws(StoreError) -> Entry {
    guard !token.isEmpty else { throw .confirmationMissing }
    let text = String(decoding: token, as: UTF8.self)
    let entry = entries.withLock { $0[text] }
    guard let entry, entry.target == target,
      now - entry.madeMilliseconds < Limits.planMilliseconds
    else { throw .confirmationUnknown }
    return entry
  }

  /// A plan is carried out at most once.
  func remove(_ entry: Entry) { entries.withLock { $0[entry.plan.token] = nil } }
}
