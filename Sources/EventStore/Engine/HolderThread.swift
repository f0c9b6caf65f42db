import Dispatch
import Keyring
import Synchronization

/// Looks after the root's holders: notices that one is gone, and gives it today's root when it is back.
///
/// So an erasure that answered `PENDING` is confirmed without anybody's doing.
final class HolderThread: Sendable {
  static let intervalMilliseconds = 1_000

  private let shared: SharedEngine
  private let ended = DispatchGroup()
  private let wanted = DispatchSemaphore(value: 0)

  init(shared: SharedEngine) { self.shared = shared }

  func start() {
    DispatchQueue(label: "lethe.holders", qos: .utility).async(group: ended) { [self] in
      while wanted.wait(timeout: .now() + .milliseconds(Self.intervalMilliseconds)) == .timedOut {
        shared.tendHolders()
      }
      shared.tendHolders()
    }
  }

  func stop() {
    wanted.signal()
    ended.wait()
  }
}

extension SharedEngine {
  /// Never fails: what could not be done is tried again.
  func tendHolders() {
    let work = withState { state in
      state.keyring.remoteWork().map { ($0, state.keyring.tables) }
    }
    // Without the lock: a network may be slow.
    let found = work.map { $0.run($1) } ?? []
    withState { state in
      state.keyring.offer(found)
      guard state.failure == nil else { return }
      try? state.keyring.tendHolders(now: clock())
    }
  }
}
