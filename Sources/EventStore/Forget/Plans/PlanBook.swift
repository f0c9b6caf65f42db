import EventModel
import Keyring
import Sodium
import Synchronization

/// The dry runs that wait for their confirmation, and the plans that were confirmed.
///
/// Dry runs are in memory only, gone with the daemon. Plans are documents of the key tree; what is here
/// is what the documents say.
final class PlanBook: Sendable {
  /// A dry run.
  struct Draft: Sendable {
    let tenant: TenantNumber
    let targetHash: [UInt8]
    let plan: ShredPlan
    let requester: LedgerEntry.Actor
    let madeMilliseconds: Int64
    /// The plan that waits for an approval because of it.
    var number: UInt32?
  }

  private struct State {
    var drafts: [String: Draft] = [:]
    var plans: [UInt32: StoredPlan] = [:]
    var obstacles: [UInt32: StoreError] = [:]
  }

  private let state = Mutex(State())

  /// Finished plans that are kept, so that who asks learns what became of one.
  static let finishedMax = 100
  /// Bytes of a token before it is written in hexadecimal.
  static let tokenBytes = 16

  static func newToken() -> String {
    Random.bytes(tokenBytes).map { byte in
      let text = String(byte, radix: 16)
      return text.count == 1 ? "0" + text : text
    }.joined()
  }

  // MARK: dry runs

  /// Notes a dry run; throws `.tooManyPlans` when too many wait.
  func add(_ draft: Draft, now: Int64) throws(StoreError) {
    let isFull = state.withLock { state in
      state.drafts = state.drafts.filter {
        now - $0.value.madeMilliseconds < Limits.planMilliseconds
      }
      guard state.drafts.count < Limits.plansMax else { return true }
      state.drafts[draft.plan.token] = draft
      return false
    }
    if isFull { throw .tooManyPlans }
  }

  /// The dry run of this token, if it is for this target and not too old.
  func find(
    _ token: [UInt8], tenant: TenantNumber, target: PlanTarget, now: Int64
  ) throws(StoreError) -> Draft {
    guard !token.isEmpty else { throw .confirmationMissing }
    let text = String(decoding: token, as: UTF8.self)
    let draft = state.withLock { $0.drafts[text] }
    guard let draft, draft.tenant == tenant, draft.targetHash == target.hash,
      now - draft.madeMilliseconds < Limits.planMilliseconds
    else { throw .confirmationUnknown }
    return draft
  }

  /// A plan is carried out at most once.
  func remove(_ draft: Draft) { state.withLock { $0.drafts[draft.plan.token] = nil } }

  /// The second user may confirm with the token as well as approve the plan.
  func note(_ draft: Draft, isPlan number: UInt32) {
    state.withLock { $0.drafts[draft.plan.token]?.number = number }
  }

  // MARK: plans

  /// Reads all plans.
  func load(_ keyring: Keyring) throws(KeyringError) {
    let ids = try keyring.documents(tenant: nil, kind: .plan)
    let numbers = Set(ids.map { $0.number >> UInt32(StoredPlan.partBits) })
    for number in numbers { try reload(number, keyring) }
  }

  /// Reads one plan again, whatever became of it.
  func reload(_ number: UInt32, _ keyring: Keyring) throws(KeyringError) {
    var parts: [[UInt8]] = []
    while let part = try keyring.document(
      tenant: nil, StoredPlan.id(number, part: parts.count))
    {
      parts.append(part.withBytes { $0.array })
      guard parts.count < 1 << StoredPlan.partBits else { break }
    }
    guard !parts.isEmpty else {
      state.withLock { $0.plans[number] = nil }
      return
    }
    guard let plan = StoredPlan(number: number, parts: parts) else { throw .corrupt }
    state.withLock { state in
      state.plans[number] = plan
      if !plan.state.isOpen { state.obstacles[number] = nil }
    }
  }

  func plan(_ number: UInt32) -> StoredPlan? { state.withLock { $0.plans[number] } }

  /// All plans, oldest first.
  var all: [StoredPlan] { state.withLock { $0.plans.values.sorted { $0.number < $1.number } } }

  /// The open plans of a tenant.
  func open(_ tenant: TenantNumber) -> [StoredPlan] {
    all.filter { $0.tenant == tenant && $0.state.isOpen }
  }

  /// The number of the next plan: the newest is never let go of, so none is given out twice.
  func nextNumber() throws(StoreError) -> UInt32 {
    let (newest, open) = state.withLock { state in
      (state.plans.keys.max() ?? 0, state.plans.values.count { $0.state.isOpen })
    }
    guard open < Limits.plansMax, newest < StoredPlan.numberMax else { throw .tooManyPlans }
    return newest + 1
  }

  /// Finished plans beyond those that are kept, oldest first.
  var superfluous: [StoredPlan] {
    let finished = all.filter { !$0.state.isOpen }
    return Array(finished.dropLast(Self.finishedMax))
  }

  /// Plans whose time has come: to be carried out, or to lapse.
  func due(_ now: Int64) -> [UInt32] {
    all.filter { $0.state.isOpen && $0.dueMilliseconds <= now }.map(\.number)
  }

  func obstacle(_ number: UInt32) -> StoreError? { state.withLock { $0.obstacles[number] } }

  func note(_ obstacle: StoreError, of number: UInt32) {
    state.withLock { $0.obstacles[number] = obstacle }
  }
}
