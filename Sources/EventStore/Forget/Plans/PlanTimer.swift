import Dispatch
import EventModel
import Synchronization

/// Looks once a minute whether the time of a plan has come.
///
/// What waits are documents of the key tree, so that nothing depends on this thread having lived: a
/// daemon that starts carries out at once what became due while it was down.
final class PlanTimer: Sendable {
  private static let interval = DispatchTimeInterval.seconds(60)
  private let thread = DispatchQueue(label: "lethe.plans", qos: .utility)
  private let isStopped = Mutex(false)

  /// Calls `work` now and once a minute until ``stop()``.
  func start(_ work: @escaping @Sendable () -> Void) { thread.async { self.turn(work) } }

  private func turn(_ work: @escaping @Sendable () -> Void) {
    guard !isStopped.withLock({ $0 }) else { return }
    work()
    thread.asyncAfter(deadline: .now() + Self.interval) { [weak self] in self?.turn(work) }
  }

  /// Returns when nothing is under way.
  func stop() {
    isStopped.withLock { $0 = true }
    thread.sync {}
  }
}

extension EventStore {
  /// Hands every plan whose time has come to the writer.
  package func carryOutDuePlans() {
    for number in shared.plans.due(shared.clock()) {
      // What cannot be done stays in the book and is tried again.
      control(.plan(.carryOut(number)), actor: .daemon) { _ in }
    }
  }
}
