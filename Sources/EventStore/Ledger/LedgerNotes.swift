import Dispatch
package import EventModel
import Keyring
import Storage
import Synchronization

// Lines of the ledger about what changed nothing in the tree: the daemon's start and end, the clock, and
// what was refused.
//
// They are written in commits of their own. Refusals are written before their answer as far as the
// budget goes. What cannot be written, since the device is full, is owed: it does not keep the daemon
// from serving, and is written before the next line.

/// Something that a peer was refused.
package struct Refusal: Sendable {
  package let verb: String
  package let reason: LedgerEntry.Refusal

  package init(verb: String, reason: LedgerEntry.Refusal) {
    self.verb = verb
    self.reason = reason
  }
}

/// What is owed to the ledger, and what bounds it.
final class LedgerNotes: Sendable {
  /// More than this is dropped, the newest first.
  static let owedMax = 64
  /// Between two lines about the clock, at least.
  static let clockMilliseconds: Int64 = 60_000

  struct ClockNote {
    var isPaused = false
    /// By the boot clock; nil before the first.
    var noted: Int64?
  }

  let owed = Mutex<[LedgerEntry]>([])
  let budget = Mutex(RefusalBudget())
  let clock = Mutex(ClockNote())
}

extension SharedEngine {
  /// Writes a line now, or when it can be written.
  func note(_ entry: LedgerEntry) {
    notes.owed.withLock { if $0.count < LedgerNotes.owedMax { $0.append(entry) } }
    withState { state in
      while state.failure == nil, let entry = notes.owed.withLock({ $0.first }) {
        do throws(KeyringError) { try state.keyring.appendLedger(entry) } catch {
          if StoreError(error) == .ioFailure { state.failure = .readOnly }
          return
        }
        notes.owed.withLock { _ = $0.removeFirst() }
      }
    }
  }

  /// The daemon begins to serve.
  func noteStart() {
    let newest = withState { $0.nextSequence - 1 }
    note(
      LedgerEntry(timeMilliseconds: clock(), act: .daemonStarted, actor: .daemon, count: newest))
  }

  /// The daemon ends in order.
  func noteEnd() {
    noteUnwrittenRefusals(all: true)
    note(LedgerEntry(timeMilliseconds: clock(), act: .daemonStopped, actor: .daemon))
  }

  /// The clock was looked at.
  func noteClock(isBelieved: Bool) {
    let reading = clocks.reading
    let isNew = notes.clock.withLock { note in
      guard note.isPaused == isBelieved else { return false }
      if let last = note.noted, reading.boot - last < LedgerNotes.clockMilliseconds { return false }
      (note.isPaused, note.noted) = (!isBelieved, reading.boot)
      return true
    }
    guard isNew else { return }
    note(
      LedgerEntry(
        timeMilliseconds: reading.wall, act: isBelieved ? .clockResumed : .clockPaused,
        actor: .daemon, count: UInt64(clamping: reading.wall)))
  }

  /// Something was refused; the ledger has it when this returns, or it is counted.
  func note(_ refusal: Refusal, _ actor: Actor, tenant: TenantNumber = .none) {
    #if DEBUG
      if TestHooks.isVariant("refusals-unnoted") { return }
    #endif
    guard !actor.isDaemon else { return }
    let who = actor.ledgerActor
    var count = notes.budget.withLock { $0.spend(who, now: clocks.reading.boot) }
    #if DEBUG
      if TestHooks.isVariant("refusals-unbounded") { count = 1 }
    #endif
    guard let count else { return }
    note(
      LedgerEntry(
        timeMilliseconds: clock(), act: .refused, actor: who, tenant: tenant,
        result: refusal.reason.rawValue, count: count, verb: Array(refusal.verb.utf8)))
  }

  /// Refusals that were only counted get a line, of each actor whose turn it is, or of all.
  func noteUnwrittenRefusals(all: Bool) {
    let found = notes.budget.withLock { $0.takeUnwritten(now: clocks.reading.boot, all: all) }
    for (actor, count) in found {
      note(
        LedgerEntry(
          timeMilliseconds: clock(), act: .refused, actor: actor,
          result: LedgerEntry.Refusal.several.rawValue, count: count))
    }
  }
}

extension EventStore {
  /// Notes that a peer was refused a command, and calls `completion` when the ledger has it.
  package func note(
    _ refusal: Refusal, actor: Actor, completion: @escaping @Sendable () -> Void
  ) {
    noteThread.async { [shared] in
      shared.note(refusal, actor)
      completion()
    }
  }
}

extension ControlWork {
  /// What the ledger says when the act was not done; nil when nothing was decided, and for looks.
  func refusal(_ error: StoreError) -> Refusal? {
    guard !verb.isEmpty, !act.isLook, let reason = LedgerEntry.Refusal(error) else { return nil }
    return Refusal(verb: verb, reason: reason)
  }
}

extension ControlAct {
  /// True when it changes nothing, dry runs included.
  fileprivate var isLook: Bool {
    switch self {
    case .listTenants, .tenantInfo, .planShred, .keyStatus, .certificates, .certificate, .copies,
      .expire(isDryRun: true), .retentionStatus, .clockStatus, .hourly,
      .plan(.list), .plan(.status), .hold(.list), .grant(.list), .hold(.release(_, _, .dryRun)),
      .retention(_, .list), .retention(_, .set(_, .dryRun)):
      true
    default: false
    }
  }

  /// The tenant that it is about, if it names one.
  var tenantName: TenantName? {
    switch self {
    case .suspendTenant(let name), .resumeTenant(let name), .setTenant(let name, _),
      .shred(let name, _, _, _), .enrolSubject(let name, _), .retention(let name, _),
      .rewrapTenant(let name), .restrictSubject(let name, _, _), .unrestrictSubject(let name, _),
      .hold(.set(let name, _, _, _)), .grant(.set(let name, _, _)):
      name
    default: nil
    }
  }
}

extension LedgerEntry.Refusal {
  /// Nil when nothing was refused: what waits was taken, and a device that failed decides nothing.
  init?(_ error: StoreError) {
    switch error {
    case .noTenant: self = .noTenant
    case .noSubject, .noSubjects, .noEvent, .noStream, .noPeriod, .noPlan, .noHold, .noCertificate,
      .unknownClass:
      self = .notFound
    case .confirmationMissing, .confirmationUnknown: self = .unconfirmed
    case .planChanged: self = .planChanged
    case .needsApproval: self = .needsApproval
    case .held: self = .held
    case .retention, .minimumPending: self = .immutable
    case .tooManyTenants, .tooManyHolds, .tooManyClasses, .tooManyTypes, .tooManyPlans,
      .tooManyHoles, .tooManyGrants:
      self = .quota
    case .clockUncertain, .clockBehind: self = .clock
    case .keyUnavailable: self = .keyUnavailable
    case .noGrant: self = .noGrant
    case .suspended, .tenantExists, .expired, .periodNotOver, .reviewPast, .untilUnsuitable,
      .subjectShredded,
      .subjectRestricted, .streamRestricted:
      self = .unsuitable
    default: return nil
    }
  }
}
