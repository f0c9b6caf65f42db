import Dispatch
import EventModel
import Storage
import Synchronization

/// Purges by itself, a while after something was destroyed: what comes meanwhile goes with it.
///
/// Between two steps it leaves the log to those who append.
final class PurgeThread: Sendable {
  private static let intervalMilliseconds = 10_000
  /// From the first act that is noticed to the run: far less than the day that is promised.
  private static let delayMilliseconds: UInt64 = 300_000
  /// Pauses, in times of what was done before them took: whoever appends has the device for four fifths of
  /// the time.
  private static let (pauseAfterLook, pauseAfterCommit): (UInt64, UInt64) = (1, 4)
  private static let pauseMillisecondsMax: UInt64 = 250

  private let shared: SharedEngine
  private let ended = DispatchGroup()
  private let wanted = DispatchSemaphore(value: 0)
  private let isStopping = Mutex(false)

  init(shared: SharedEngine) { self.shared = shared }

  func start() {
    DispatchQueue(label: "lethe.purge", qos: .utility).async(group: ended) { [self] in run() }
  }

  /// Returns when the step that is under way has ended.
  func stop() {
    isStopping.withLock { $0 = true }
    wanted.signal()
    ended.wait()
  }

  private func run() {
    var noticed: DispatchTime?
    let delay = Self.delay
    let interval = Int(min(delay, UInt64(Self.intervalMilliseconds)))
    while wanted.wait(timeout: .now() + .milliseconds(interval)) == .timedOut {
      guard let due = try? shared.purgeStatus(), due.outstandingActs > 0 else {
        noticed = nil
        continue
      }
      let now = DispatchTime.now()
      let since = noticed ?? now
      noticed = since
      guard now.uptimeNanoseconds - since.uptimeNanoseconds >= delay * 1_000_000 else { continue }
      // What fails is tried again at the next turn.
      var began = DispatchTime.now()
      _ = try? shared.purge { [self] turn in
        let took = (DispatchTime.now().uptimeNanoseconds - began.uptimeNanoseconds) / 1_000_000
        let pause = took * (turn == .wrote ? Self.pauseAfterCommit : Self.pauseAfterLook)
        if pause > 0 { Committer.pauseMilliseconds(Int(min(Self.pauseMillisecondsMax, pause))) }
        began = .now()
        return !isStopping.withLock { $0 }
      }
    }
  }

  private static var delay: UInt64 {
    #if DEBUG
      if let delay = TestHooks.purgeDelayMilliseconds { return max(1, delay) }
    #endif
    return delayMilliseconds
  }
}
